"""Triage: what becomes of one alert. It opens an incident, joins one, ends one, or is remembered.

Azure promises neither order nor a single delivery, so everything goes by event time. The claim of a
correlation key keeps the latest time at which its trouble began and ended; whether it is on now
depends on the set of alerts that came, never on their order or on how often each came.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.alerts.alert import Alert, Condition
from shared.domain.alerts.alert_summary import plain
from shared.domain.catalog import CatalogMistake, Service
from shared.domain.event import EventKind
from shared.domain.incidents.incident import (
    Claim,
    DeliveryOutcome,
    Incident,
    State,
    Step,
    tell,
    tell_opening,
)
from shared.domain.incidents.severity import classify
from shared.domain.incidents.steps import AUTOMATION, BUSY, change_severity, escalate, resolve
from shared.domain.keys import digest
from shared.domain.noise.grouping import target_of

KEPT_DELIVERIES = 32
MOST_KEYS = 500  # troubles that an incident keeps by name: a rule split by dimensions has thousands
ATTENDED_FOR = timedelta(hours=12)  # whoever acknowledged it before is not at it any more
_UNOWNED = "Nobody owns the alert's targets: no service file names them, so nothing is diagnosed."
_AGAIN = "deduplication: the same trouble again"
_GROUPED = "grouping: another alert about the same target"
_CROWDED = "grouping: another alert about the same target, more than are kept by name"
_BACK = "The trouble is back after customers were served well again."
_ELSE = "Another alert has come after customers were served well again: {summary}."


def triage(  # noqa: PLR0913 - everything that is known, by name
    alert: Alert,
    *,
    service: Service | None,
    claim: Claim | None,
    open_incident: Incident | None,
    now: datetime,
    shard: str,
    mistakes: tuple[CatalogMistake, ...] = (),
) -> Step:
    """Take one alert. `claim` is the stored row of its correlation key, None where there is none.

    `open_incident` is the claim's incident or the one of the alert's target, to be joined where
    nobody would overlook the alert in it; `mistakes` are those of the broken file that names the
    target, where no valid one does. The answer's claim is to be stored with the incident in one
    transaction.
    """
    claim = claim or Claim(correlation_key=alert.correlation_key)
    incident = open_incident if open_incident and open_incident.state.is_open() else None
    if alert.delivery_key in claim.deliveries:
        return _nothing(
            None, DeliveryOutcome.DUPLICATE, "deduplication: this delivery was taken before"
        )
    taken = _take(claim, alert)
    if alert.condition is Condition.RESOLVED:
        return _end(alert, incident, taken, now)
    if claim.resolved_at is not None and alert.fired_at <= claim.resolved_at:
        return _nothing(taken, DeliveryOutcome.SUPPRESSED, "event time: its end is known already")
    if incident is None or not takes(incident, alert, service, now):
        opened = _open(alert, service, taken, now, shard)
        return _blame_the_file(opened, mistakes, now) if mistakes and not service else opened
    return _join(alert, service, incident, taken, now)


def incident_id(alert: Alert, shard: str) -> str:
    """The id of the incident that this alert opens; the same however often it is taken."""
    unique = digest(alert.correlation_key, alert.delivery_key)[:8].upper()
    return f"INC-{shard}-{alert.fired_at:%y%m%d}-{unique}"


def _take(claim: Claim, alert: Alert) -> Claim:
    deliveries = (*claim.deliveries, alert.delivery_key)[-KEPT_DELIVERIES:]
    if alert.condition is Condition.RESOLVED:
        ended = max(claim.resolved_at or alert.at, alert.at)
        return msgspec.structs.replace(claim, resolved_at=ended, deliveries=deliveries)
    began = max(claim.fired_at or alert.fired_at, alert.fired_at)
    return msgspec.structs.replace(claim, fired_at=began, deliveries=deliveries)


def _open(alert: Alert, service: Service | None, claim: Claim, now: datetime, shard: str) -> Step:
    choice = classify(alert, service)
    incident = Incident(
        id=incident_id(alert, shard),
        service=service.name if service else "",
        target=target_of(alert, service),
        title=plain(f"{service.title if service else 'Unowned'}: {alert.rule}", 120),
        severity=choice.severity,
        severity_reasons=choice.reasons,
        opened_at=now,
        changed_at=now,
        correlation_keys=(alert.correlation_key,),
        firing=(alert.correlation_key,),
        sentence="" if service else _UNOWNED,
    )
    step = tell_opening(
        incident, alert.summary, happened_at=alert.fired_at, evidence=_evidence(alert)
    )
    commands = ("diagnose",) if service else ()
    return _store(step, claim, DeliveryOutcome.OPENED, commands)


def _blame_the_file(opened: Step, mistakes: tuple[CatalogMistake, ...], now: datetime) -> Step:
    """Without a valid file there is no policy: say what is wrong with it, and ask for a person."""
    assert opened.incident is not None
    first = mistakes[0]
    why = (
        f"Nothing is done for {first.service} until its file is in order: {first.file}, line"
        f" {first.line}, {first.field or 'the file'}: {first.problem}."
    )
    return opened.then(escalate(opened.incident, why, "", now))


def takes(incident: Incident, alert: Alert, service: Service | None, now: datetime) -> bool:
    """Whether an alert belongs to an open incident and is not overlooked there.

    One that a person has acknowledged pages nobody any more. So it takes nothing new once it is
    over, once that is long ago, or where it was minor and the alert is grave.
    """
    if incident.acknowledged_at is None or alert.correlation_key in incident.firing:
        return True
    over = not incident.firing or _is_back(incident, alert)
    graver = classify(alert, service).severity.pages() and not incident.severity.pages()
    return not over and not graver and now - incident.acknowledged_at < ATTENDED_FOR


def _join(
    alert: Alert, service: Service | None, incident: Incident, claim: Claim, now: datetime
) -> Step:
    key = alert.correlation_key
    known = key in incident.correlation_keys
    if not known and len(incident.correlation_keys) >= MOST_KEYS:
        return _join_crowd(alert, service, incident, claim, now)
    anew = not known and service is not None and _nothing_could_be_done(incident)
    why = _AGAIN if known else f"{_GROUPED}; it is diagnosed anew" if anew else _GROUPED
    step = tell(
        incident,
        EventKind.ALERT_JOINED,
        actor=AUTOMATION,
        what=alert.summary,
        why=why,
        happened_at=alert.fired_at,
        now=now,
        evidence=_evidence(alert),
        changes={
            "alerts": incident.alerts + 1,
            "firing": _with(incident.firing, key),
            "correlation_keys": _with(incident.correlation_keys, key),
            **({"state": State.OPENED} if anew else {}),
        },
    )
    if step.incident and _is_back(incident, alert):
        step = step.then(_wake(step.incident, alert, now, known=known))
    if known:
        return _store(step, claim, DeliveryOutcome.JOINED, reason=why)
    step = _raise(step, alert, service, now)
    commands = () if incident.state in BUSY or not service else ("diagnose",)
    return _store(step, claim, DeliveryOutcome.JOINED, commands, why)


def _join_crowd(
    alert: Alert, service: Service | None, incident: Incident, claim: Claim, now: datetime
) -> Step:
    """Count and tell one trouble more, which is not kept by name: hundreds were diagnosed."""
    step = tell(
        incident,
        EventKind.ALERT_JOINED,
        actor=AUTOMATION,
        what=alert.summary,
        why=_CROWDED,
        happened_at=alert.fired_at,
        now=now,
        evidence=_evidence(alert),
        changes={"alerts": incident.alerts + 1, "crowded": True},
    )
    if step.incident and _is_back(incident, alert):
        step = step.then(_wake(step.incident, alert, now, known=False))
    step = _raise(step, alert, service, now)
    return _store(step, claim, DeliveryOutcome.JOINED, reason=_CROWDED)


def _raise(step: Step, alert: Alert, service: Service | None, now: datetime) -> Step:
    """Take the severity of an alert that joins, where it is the graver one."""
    choice = classify(alert, service)
    if step.incident is None or choice.severity >= step.incident.severity:
        return step
    return step.then(change_severity(step.incident, choice, who=AUTOMATION, now=now))


def _nothing_could_be_done(incident: Incident) -> bool:
    """Whether it was judged without a plan, and no person has it: then it is as good as new."""
    judged = incident.state in (State.HELD, State.ESCALATED) and not incident.deferred
    return judged and not incident.plan and incident.acknowledged_at is None


def _wake(incident: Incident, alert: Alert, now: datetime, *, known: bool) -> Step:
    """A person's after all; what fires again had not recovered."""
    if not known:
        return escalate(incident, _ELSE.format(summary=alert.summary), "", now)
    return escalate(msgspec.structs.replace(incident, recovered_at=None), _BACK, "", now)


def _is_back(incident: Incident, alert: Alert) -> bool:
    """Whether something fires anew although customers were said to be served well.

    What fired before that is late news of the trouble that was cured.
    """
    if incident.state is not State.MITIGATED or alert.correlation_key in incident.firing:
        return False
    return incident.recovered_at is None or alert.fired_at > incident.recovered_at


def _end(alert: Alert, incident: Incident | None, claim: Claim, now: datetime) -> Step:
    if claim.is_firing:
        return _nothing(claim, DeliveryOutcome.REMEMBERED, "event time: a later alert fires")
    if incident is None or alert.correlation_key not in incident.firing:
        return _nothing(
            claim, DeliveryOutcome.REMEMBERED, "event time: nothing is open to be ended"
        )
    still = tuple(key for key in incident.firing if key != alert.correlation_key)
    over = not still and not incident.crowded
    step = tell(
        incident,
        EventKind.ALERT_RESOLVED,
        actor=AUTOMATION,
        what=alert.summary,
        why="no alert fires any more" if over else _still_on(incident, len(still)),
        happened_at=alert.at,
        now=now,
        evidence=_evidence(alert),
        changes={"firing": still},
    )
    if step.incident and over and incident.state not in BUSY:
        why = "no alert fires any more"
        step = step.then(resolve(step.incident, who=AUTOMATION, why=why, now=now))
    return _store(step, claim, DeliveryOutcome.RESOLVED)


def _still_on(incident: Incident, count: int) -> str:
    more = ", more than are kept by name joined: a person resolves it" if incident.crowded else ""
    return f"{count} other alert(s) still fire{more}"


def _store(
    step: Step,
    claim: Claim,
    outcome: DeliveryOutcome,
    commands: tuple[str, ...] = (),
    reason: str = "",
) -> Step:
    assert step.incident is not None
    return msgspec.structs.replace(
        step,
        claim=msgspec.structs.replace(claim, incident=step.incident.id),
        outcome=outcome,
        commands=commands,
        reason=reason,
    )


def _nothing(claim: Claim | None, outcome: DeliveryOutcome, reason: str) -> Step:
    return Step(incident=None, claim=claim, outcome=outcome, reason=reason)


def _with(keys: tuple[str, ...], key: str) -> tuple[str, ...]:
    return keys if key in keys else (*keys, key)


def _evidence(alert: Alert) -> dict[str, object]:
    """What the ledger keeps of an alert: no dimensions and no description, they may be personal."""
    return {
        "delivery": alert.delivery_key,
        "rule": alert.rule,
        "kind": alert.kind,
        "severity": alert.severity,
        "targets": list(alert.targets),
    }
