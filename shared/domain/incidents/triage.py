"""Triage: what becomes of one alert. It opens an incident, joins one, ends one, or is remembered.

Azure promises neither order nor a single delivery, so everything goes by event time. The claim of a
correlation key keeps the latest time at which its trouble began and ended; whether it is on now
depends on the set of alerts that came, never on their order or on how often each came.
"""

from datetime import datetime

import msgspec

from shared.domain.alerts import own
from shared.domain.alerts.alert import Alert, Condition
from shared.domain.alerts.alert_summary import plain
from shared.domain.catalog import CatalogMistake, Service
from shared.domain.event import EventKind
from shared.domain.incidents.incident import (
    Claim,
    DeliveryOutcome,
    Incident,
    Step,
    tell,
    tell_opening,
)
from shared.domain.incidents.joining import find_out_by, join, takes
from shared.domain.incidents.report_duty import ReportDuty
from shared.domain.incidents.severity import classify
from shared.domain.incidents.silence import hear
from shared.domain.incidents.steps import AUTOMATION, BUSY, QUIET_NOW, escalate, resolve
from shared.domain.keys import digest
from shared.domain.noise.grouping import target_of
from shared.domain.signals.reading import Judged

KEPT_DELIVERIES = 32
_UNOWNED = "Nobody owns the alert's targets: no service file names them, so nothing is diagnosed."
_OWN = "Backstop looked after nothing meanwhile. Find out why with the runbook readiness."


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
    if alert.reading is not None and alert.reading.judged is Judged.TOO_FEW:
        return _nothing(None, DeliveryOutcome.REMEMBERED, "counts: too few to tell anything")
    taken = _take(claim, alert)
    if alert.condition is Condition.RESOLVED:
        return _end(alert, incident, taken, now)
    if claim.resolved_at is not None and alert.fired_at <= claim.resolved_at:
        return _nothing(taken, DeliveryOutcome.SUPPRESSED, "event time: its end is known already")
    if incident is None or not takes(incident, alert, service, now):
        opened = _open(alert, service, taken, now, shard)
        return _blame_the_file(opened, mistakes, now) if mistakes and not service else opened
    return _store(join(alert, service, incident, now), taken, DeliveryOutcome.JOINED)


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
        title=_title(alert, service),
        severity=choice.severity,
        severity_reasons=choice.reasons,
        opened_at=now,
        changed_at=now,
        correlation_keys=(alert.correlation_key,),
        firing=(alert.correlation_key,),
        sentence="" if service else _OWN if alert.kind == own.KIND else _UNOWNED,
        duty=ReportDuty(within_s=service.policy.report_major_within_s if service else 0),
        signals_only=alert.reading is not None,
        reading=alert.reading,
        heard=hear({}, alert.correlation_key, alert.reading),
    )
    step = tell_opening(
        incident, alert.summary, happened_at=alert.fired_at, evidence=alert.evidence()
    )
    if service:
        step = msgspec.structs.replace(step, commands=find_out_by(incident))
    return _store(step, claim, DeliveryOutcome.OPENED)


def _title(alert: Alert, service: Service | None) -> str:
    told = alert.title or alert.rule
    if service is None and alert.kind == own.KIND:
        return plain(told, 120)
    return plain(f"{service.title if service else 'Unowned'}: {told}", 120)


def _blame_the_file(opened: Step, mistakes: tuple[CatalogMistake, ...], now: datetime) -> Step:
    """Without a valid file there is no policy: say what is wrong with it, and ask for a person."""
    assert opened.incident is not None
    first = mistakes[0]
    why = (
        f"Nothing is done for {first.service} until its file is in order: {first.file}, line"
        f" {first.line}, {first.field or 'the file'}: {first.problem}."
    )
    return opened.then(escalate(opened.incident, why, "", now))


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
        why=QUIET_NOW if over else _still_on(incident, len(still)),
        happened_at=alert.at,
        now=now,
        evidence=alert.evidence(),
        changes={"firing": still},
    )
    if step.incident and over and incident.state not in BUSY:
        step = step.then(resolve(step.incident, who=AUTOMATION, why=QUIET_NOW, now=now))
    return _store(step, claim, DeliveryOutcome.RESOLVED)


def _still_on(incident: Incident, count: int) -> str:
    more = ", more than are kept by name joined: a person resolves it" if incident.crowded else ""
    return f"{count} other alert(s) still fire{more}"


def _store(step: Step, claim: Claim, outcome: DeliveryOutcome) -> Step:
    assert step.incident is not None
    claimed = msgspec.structs.replace(claim, incident=step.incident.id)
    return msgspec.structs.replace(step, claim=claimed, outcome=outcome)


def _nothing(claim: Claim | None, outcome: DeliveryOutcome, reason: str) -> Step:
    return Step(incident=None, claim=claim, outcome=outcome, reason=reason)
