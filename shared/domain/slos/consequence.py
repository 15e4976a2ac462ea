"""Consequences: what follows from a line that an objective's error budget has crossed.

A person is paged by an incident that is theirs from the beginning. A ticket, a rollback and a slow
burn take the road of an alert, and end as one; none of them moves anything by itself. Approvals and
freezes follow from what is stored, as long as it holds.
"""

from datetime import datetime

import msgspec

from shared.domain.alerts.alert import Alert, Condition
from shared.domain.catalog import Service
from shared.domain.event import ChangeEvent, EventKind, happened
from shared.domain.incidents.incident import Incident, Severity, State, Step, tell_opening
from shared.domain.keys import digest
from shared.domain.slos.balance import Balance
from shared.domain.slos.crossing import BudgetState, Crossed, LineKind
from shared.domain.slos.slo import BudgetAction

KIND = "error-budget"
_LEAST_OF_AZURE = 4  # a notice for services of every tier: it wakes nobody
_AZURE = {severity: number for number, severity in enumerate(Severity)}
_QUIET = (BudgetAction.APPROVE, BudgetAction.FREEZE)


def changes_of(
    was: BudgetState, now_is: BudgetState, balance: Balance | None, now: datetime
) -> tuple[ChangeEvent, ...]:
    """One event for each line that was crossed or left by this look."""
    before = {one.name: one for one in was.crossed}
    new = [one for one in now_is.crossed if one.name not in before]
    left = [
        one
        for one in now_is.crossed
        if not one.holds and one.name in before and before[one.name].holds
    ]
    return tuple(_tell(now_is, one, balance, now) for one in (*new, *left))


def alert_of(state: BudgetState, crossed: Crossed, service: Service) -> Alert | None:
    """The alert by which a crossed line goes on, or its end; None where it takes another road."""
    is_step = crossed.kind is LineKind.SPENT
    if is_step and crossed.action in (*_QUIET, BudgetAction.PAGE):
        return None
    ended = crossed.ended_at
    condition = Condition.FIRED if ended is None else Condition.RESOLVED
    unique = _unique(state, crossed)
    said = crossed.sentence if ended is None else f"over: {crossed.sentence}"
    return Alert(
        delivery_key=digest(KIND, unique, condition),
        correlation_key=digest(KIND, service.name, state.slo, crossed.name),
        alert_id=f"{KIND}-{unique}",
        rule=f"{state.slo}: {crossed.name}",
        kind=KIND,
        condition=condition,
        severity=_severity(crossed),
        targets=tuple(target.id for target in service.targets[:1]),
        fired_at=crossed.since,
        resolved_at=ended,
        monitoring_service="Backstop",
        service_hint=service.name,
        summary=said,
    )


def opening_of(
    state: BudgetState, crossed: Crossed, service: Service, shard: str, now: datetime
) -> Step | None:
    """The incident by which a budget pages a person; None for what takes another road."""
    pages = crossed.kind is LineKind.SPENT and crossed.action is BudgetAction.PAGE
    if not pages or not crossed.holds:
        return None
    unique = digest(_unique(state, crossed))[:8].upper()
    incident = Incident(
        id=f"INC-{shard}-{crossed.since:%y%m%d}-{unique}",
        service=service.name,
        target=service.targets[0].id if service.targets else "",
        title=f"{service.title}: the error budget of {state.slo}",
        severity=crossed.severity,
        severity_reasons=("the error-budget policy asks for a person",),
        state=State.ESCALATED,
        opened_at=now,
        changed_at=now,
        sentence=f"{crossed.sentence}. The error-budget policy asks for a person.",
    )
    return tell_opening(incident, crossed.sentence, happened_at=crossed.since)


def _severity(crossed: Crossed) -> int:
    if crossed.action is BudgetAction.TICKET:
        return _LEAST_OF_AZURE
    return _AZURE[crossed.severity]


def _unique(state: BudgetState, crossed: Crossed) -> str:
    return digest(state.service, state.slo, crossed.name, crossed.since.isoformat())


def _tell(
    state: BudgetState, crossed: Crossed, balance: Balance | None, now: datetime
) -> ChangeEvent:
    kind = EventKind.BUDGET_CROSSED if crossed.holds else EventKind.BUDGET_RECOVERED
    does = "asks to" if crossed.holds else "asks no more to"
    return happened(
        kind,
        f"{KIND}-{_unique(state, crossed)}-{kind.value.rpartition('.')[2]}",
        state.service,
        now,
        actor="backstop",
        what=f"{state.slo}: its error-budget policy {does} {_DEEDS[crossed.action]}",
        why=crossed.sentence,
        evidence=_evidence(balance),
        before={} if crossed.holds else msgspec.to_builtins(crossed),
        after=msgspec.to_builtins(crossed) if crossed.holds else {},
    )


_DEEDS = {
    BudgetAction.PAGE: "page a person",
    BudgetAction.TICKET: "open a ticket",
    BudgetAction.APPROVE: "let a person approve every rollback",
    BudgetAction.ROLL_BACK: "look for a rollback",
    BudgetAction.FREEZE: "freeze promotions",
}


def _evidence(balance: Balance | None) -> dict[str, object]:
    """What was counted, as far as it was."""
    if balance is None:
        return {"objective": "promised no more"}
    counts = {window: [one.total, one.bad] for window, one in balance.windows.items()}
    return {
        "objective": balance.slo.objective,
        "window_days": balance.slo.window_days,
        "total": balance.count.total,
        "bad": balance.count.bad,
        "budget_left": balance.left,
        "windows": counts,
    }
