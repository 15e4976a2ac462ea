"""Storm: very many different troubles of one service within minutes are one event, not many.

Counted are distinct correlation keys, so one noisy rule is no storm; each service has a count of
its own, so none freezes another. The count is one small row in the service's shard: only as many
keys are kept as make a storm. A storm has an incident of its own, whose page is the one that says
so, and ends when it has been calm for a while.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.alerts.alert import Alert
from shared.domain.catalog import Service
from shared.domain.incidents.incident import Incident, Severity, State, Step, tell_opening
from shared.domain.incidents.report_duty import ReportDuty
from shared.domain.incidents.steps import AUTOMATION, resolve
from shared.domain.keys import digest
from shared.domain.wording import duration

WINDOW = timedelta(minutes=5)
REPEATED = timedelta(seconds=30)  # a key seen so shortly before is not worth another write


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """When a correlation key was last seen firing, by event time, but never later than now."""

    key: str
    at: datetime


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """The stored row of one service. `seen` are the newest keys, newest first.

    Automation is frozen until `until`; `incident` tells of the storm.
    """

    service: str
    seen: tuple[Sighting, ...] = ()
    until: datetime | None = None
    incident: str = ""

    def rages(self, now: datetime) -> bool:
        """Whether automation is frozen now."""
        return self.until is not None and now < self.until


def count(storm: Storm, alert: Alert, most: int, now: datetime) -> Storm:
    """Take a firing alert into the count; `most` distinct keys within WINDOW are a storm.

    The same storm as before where the alert adds nothing. A clock ahead of ours must neither hide
    a storm behind one alert of tomorrow nor make one that lasts until then.
    """
    at = min(alert.fired_at, now)
    known = {one.key: one for one in storm.seen}
    last = known.get(alert.correlation_key)
    if last is not None and at < last.at + REPEATED:
        return storm
    known[alert.correlation_key] = Sighting(key=alert.correlation_key, at=at)
    newest = sorted(known.values(), key=lambda one: (one.at, one.key), reverse=True)[:most]
    until = _until(newest, most)
    later = max((end for end in (until, storm.until) if end is not None), default=None)
    return msgspec.structs.replace(storm, seen=tuple(newest), until=later)


def _until(newest: list[Sighting], most: int) -> datetime | None:
    """It is below the count when the oldest of them leaves the window; then calm for another."""
    if len(newest) < most or newest[0].at - newest[-1].at >= WINDOW:
        return None
    return newest[-1].at + 2 * WINDOW


def open_storm(service: Service, storm: Storm, shard: str, now: datetime) -> Step:
    """Open the incident of a storm that has just begun; it is a person's from the beginning."""
    many = len(storm.seen)
    unique = digest("storm", service.name, storm.seen[0].at.isoformat())[:8].upper()
    reason = f"{many} different alerts of one service within {duration(WINDOW)}"
    incident = Incident(
        id=f"INC-{shard}-{now:%y%m%d}-{unique}",
        service=service.name,
        target="",
        title=f"{service.title}: a storm of alerts",
        severity=Severity.SEV1,
        severity_reasons=(reason,),
        state=State.ESCALATED,
        opened_at=now,
        changed_at=now,
        alerts=many,
        sentence=f"A storm: {reason}. Nothing of {service.name} is moved automatically until it"
        f" has been calm for {duration(WINDOW)}, and this page stands for all of them.",
        storm=True,
        duty=ReportDuty(within_s=service.policy.report_major_within_s),
    )
    return tell_opening(incident, incident.title, happened_at=storm.seen[0].at)


def calm(incident: Incident, now: datetime) -> Step:
    """End the incident of a storm that is over."""
    why = f"fewer different alerts than make a storm, for {duration(WINDOW)}"
    return resolve(incident, who=AUTOMATION, why=why, now=now)
