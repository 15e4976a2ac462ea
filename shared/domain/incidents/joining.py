"""Joining: an alert is taken into an open incident, if nobody would overlook it there.

Part of triage. What joins may raise the severity, have the incident diagnosed anew where nothing
could be done about it, or make it a person's where customers were said to be served well: that is
diagnosed anew, too, so that the person knows what is wrong now, and nothing is decided by it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from shared.domain.alerts.alert import Alert
from shared.domain.catalog import Service
from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, State, Step, tell
from shared.domain.incidents.severity import classify, measures
from shared.domain.incidents.silence import hear
from shared.domain.incidents.steps import AUTOMATION, BUSY, change_severity, escalate

MOST_KEYS = 500  # troubles that an incident keeps by name: a rule split by dimensions has thousands
ATTENDED_FOR = timedelta(hours=12)  # whoever acknowledged it before is not at it any more
_AGAIN = "deduplication: the same trouble again"
_GROUPED = "grouping: another alert about the same target"
_CROWDED = "grouping: another alert about the same target, more than are kept by name"
_BACK = "The trouble is back after customers were served well again."
_ELSE = "Another alert has come after customers were served well again: {summary}."


def takes(incident: Incident, alert: Alert, service: Service | None, now: datetime) -> bool:
    """Whether an alert belongs to an open incident and is not overlooked there.

    One that a person has acknowledged pages nobody any more. So it takes nothing new once it is
    over, once that is long ago, or where it was minor and the alert is grave.
    """
    back = _is_back(incident, alert)
    if incident.acknowledged_at is None or (alert.correlation_key in incident.firing and not back):
        return True
    over = not incident.firing or back
    graver = classify(alert, service).severity.pages() and not incident.severity.pages()
    return not over and not graver and now - incident.acknowledged_at < ATTENDED_FOR


def join(alert: Alert, service: Service | None, incident: Incident, now: datetime) -> Step:
    """Take a firing alert into an open incident; the reason says as what."""
    key = alert.correlation_key
    known = key in incident.correlation_keys
    if not known and len(incident.correlation_keys) >= MOST_KEYS:
        # One trouble more, which is counted and not kept by name: hundreds were diagnosed.
        changes = {"crowded": True, "heard": incident.heard}
        crowded = _tell_joined(alert, incident, _CROWDED, now, changes)
        return _raise(crowded, alert, service, now)
    anew = not known and service is not None and _nothing_could_be_done(incident)
    why = _AGAIN if known else f"{_GROUPED}; it is diagnosed anew" if anew else _GROUPED
    kept: dict[str, object] = {
        "firing": _with(incident.firing, key),
        "correlation_keys": _with(incident.correlation_keys, key),
        **({"state": State.OPENED} if anew else {}),
    }
    step = _tell_joined(alert, incident, why, now, kept)
    raised = step if known else _raise(step, alert, service, now)
    asks = _is_back(incident, alert) if known else incident.state not in BUSY
    commands = find_out_by(raised.incident) if asks and service and raised.incident else ()
    return msgspec.structs.replace(raised, commands=commands)


def find_out_by(incident: Incident) -> tuple[str, ...]:
    """How its cause is looked for: in the logs, and where they lag behind a signal by probes."""
    return ("diagnose", "corroborate") if incident.signals_only else ("diagnose",)


def _tell_joined(
    alert: Alert, incident: Incident, why: str, now: datetime, changes: Mapping[str, object]
) -> Step:
    """Count and tell the alert; a person's after all where customers had been well again."""
    step = tell(
        incident,
        EventKind.ALERT_JOINED,
        actor=AUTOMATION,
        what=alert.summary,
        why=why,
        happened_at=alert.fired_at,
        now=now,
        evidence=alert.evidence(),
        changes={
            "alerts": incident.alerts + 1,
            "signals_only": incident.signals_only and not measures(alert),
            "reading": alert.reading or incident.reading,
            "heard": hear(incident.heard, alert.correlation_key, alert.reading),
            **changes,
        },
    )
    if step.incident and _is_back(incident, alert):
        known = alert.correlation_key in incident.correlation_keys
        step = step.then(_wake(step.incident, alert, now, known=known))
    return msgspec.structs.replace(step, reason=why)


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
    """A person's after all, who is told what is wrong now; what fires again had not recovered.

    Since when it is wrong is known once it is diagnosed: not since the breach that was cured.
    """
    woken = msgspec.structs.replace(incident, unexplained=True)
    if not known:
        return escalate(woken, _ELSE.format(summary=alert.summary), "", now)
    again = msgspec.structs.replace(woken, recovered_at=None, onset_at=None)
    return escalate(again, _BACK, "", now)


def _is_back(incident: Incident, alert: Alert) -> bool:
    """Whether something fires anew although customers were said to be served well.

    What fired before that is late news of the trouble that was cured. So is what still fires; but a
    signal may have counted nothing that is older than the recovery, and then it is wrong again.
    """
    if incident.state is not State.MITIGATED:
        return False
    recovered, reading = incident.recovered_at, alert.reading
    if alert.correlation_key in incident.firing:
        if reading is None or not reading.window_s or recovered is None:
            return False
        return reading.began_at > recovered
    return recovered is None or alert.fired_at > recovered


def _with(keys: tuple[str, ...], key: str) -> tuple[str, ...]:
    return keys if key in keys else (*keys, key)
