"""Crossings: which lines of its error-budget policy an objective has crossed, once each.

A line is crossed where so much of the budget is spent, or where it burns so slowly that no alert
rule looks back far enough. It is left only well below that, so that what stands at a line does not
act again and again. What the logs cannot tell crosses and leaves nothing.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.domain.incidents.incident import Severity
from shared.domain.slos.balance import Balance
from shared.domain.slos.compile import LONGEST_RULE
from shared.domain.slos.kql import span
from shared.domain.slos.slo import AlertAction, BudgetAction, BurnAlert, Slo
from shared.domain.wording import share

BACK = 0.05  # of the budget must have come back before a step is left
SLOWED = 0.9  # of an alert's rate is slow enough to end it
LEAST = Severity.SEV3


class LineKind(StrEnum):
    """What a line is drawn at."""

    SPENT = "spent"
    BURN = "burn"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an objective: crossed from `enters` on, left at `leaves`; `observed` is now."""

    name: str
    kind: LineKind
    action: BudgetAction
    severity: Severity
    enters: float
    leaves: float
    observed: float | None
    sentence: str


class Crossed(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was crossed, as it is stored until it is left.

    `done` is whether what follows from the crossing was handed on; `ended_at` is set once it was
    left, and stays until that was handed on, too.
    """

    name: str
    kind: LineKind
    action: BudgetAction
    severity: Severity
    since: datetime
    sentence: str
    done: bool = False
    ended_at: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether it has not been left."""
        return self.ended_at is None


class BudgetState(msgspec.Struct, frozen=True, kw_only=True):
    """What holds of one objective's error-budget policy; stored beside what people set."""

    service: str
    slo: str
    crossed: tuple[Crossed, ...] = ()

    def holding(self, action: BudgetAction) -> tuple[Crossed, ...]:
        """What was crossed and asks for this."""
        return tuple(one for one in self.crossed if one.holds and one.action is action)

    @property
    def settled(self) -> bool:
        """Whether everything that follows was handed on."""
        return all(one.done and one.holds for one in self.crossed)


def lines(balance: Balance) -> tuple[Line, ...]:
    """Every line that the objective's policy draws, and those of its slow alerts."""
    slow = (one for one in balance.slo.alerts if span(one.long_window) > LONGEST_RULE)
    return (*_steps(balance), *(_slow(balance, alert) for alert in slow))


def cross(state: BudgetState, balance: Balance | None, now: datetime) -> BudgetState:
    """The state after a look; `balance` is None where the objective is promised no more."""
    found = {one.name: one for one in lines(balance)} if balance is not None else {}
    kept = tuple(_after(one, found.get(one.name), now) for one in state.crossed)
    held = {one.name for one in kept}
    new = tuple(
        _begin(line, now)
        for line in found.values()
        if line.name not in held and line.observed is not None and line.observed >= line.enters
    )
    return msgspec.structs.replace(state, crossed=(*kept, *new))


def handed_on(state: BudgetState, name: str) -> BudgetState:
    """The state once what follows from one line was handed on; what was left is forgotten."""
    rest = [one for one in state.crossed if one.name != name or one.holds]
    done = [msgspec.structs.replace(one, done=True) if one.name == name else one for one in rest]
    return msgspec.structs.replace(state, crossed=tuple(done))


def _after(crossed: Crossed, line: Line | None, now: datetime) -> Crossed:
    """A line that no file draws any more is left, whatever is observed."""
    left = line is None or (line.observed is not None and line.observed <= line.leaves)
    if not crossed.holds or not left:
        return crossed
    return msgspec.structs.replace(crossed, ended_at=now)


def _begin(line: Line, now: datetime) -> Crossed:
    return Crossed(
        name=line.name,
        kind=line.kind,
        action=line.action,
        severity=line.severity,
        since=now,
        sentence=line.sentence,
    )


def _steps(balance: Balance) -> tuple[Line, ...]:
    spent, slo = balance.spent, balance.slo
    return tuple(
        Line(
            name=f"{step.action}-at-{step.spent:g}",
            kind=LineKind.SPENT,
            action=step.action,
            severity=LEAST if step.action is BudgetAction.TICKET else Severity.SEV2,
            enters=step.spent,
            leaves=_left_at(step.spent),
            observed=spent,
            sentence=_spent(slo, spent),
        )
        for step in slo.budget_policy
    )


def _left_at(spent: float) -> float:
    """Well below the line: by a margin, by half of a low line; one at nothing is never left."""
    return max(spent - BACK, spent / 2) if spent else -1.0


def _spent(slo: Slo, spent: float | None) -> str:
    told = "unknown" if spent is None else share(spent)
    promise = f"{share(slo.objective)} over {slo.window_days} days"
    return f"{told} of the error budget of {slo.name} ({promise}) is spent"


def _slow(balance: Balance, alert: BurnAlert) -> Line:
    burn = balance.burn(alert)
    windows = f"{alert.short_window} and {alert.long_window}"
    told = "unknown" if burn is None else f"{burn:.1f}"
    ticket = alert.action is AlertAction.TICKET
    return Line(
        name=f"burn-{alert.burn_rate:g}-over-{alert.long_window}",
        kind=LineKind.BURN,
        action=BudgetAction.TICKET if ticket else BudgetAction.PAGE,
        severity=LEAST if ticket else alert.severity,
        enters=alert.burn_rate,
        leaves=alert.burn_rate * SLOWED,
        observed=burn,
        sentence=f"{balance.slo.name} burns {told} times as fast as allowed over {windows}",
    )
