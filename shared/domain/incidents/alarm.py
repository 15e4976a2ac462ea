"""Alarms: grave alerts that triage has not taken, and whom to page for them directly.

An alarm is set when a grave alert comes in and is called off when triage has taken it. Until then
it holds the incident that triage would open: the same function makes it, so severity, contacts and
the pager's name for it are the same, and the incident's own page is no second one at the pager.
More alerts about the target join it as they will join that incident: the first gives the name, the
gravest the severity.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.alerts.alert import Alert
from shared.domain.catalog import UNOWNED, Catalog, Contact, Service
from shared.domain.incidents.escalation import next_page, page_reason, wakes
from shared.domain.incidents.incident import Incident, Page
from shared.domain.incidents.triage import triage
from shared.domain.keys import shard_of
from shared.domain.noise.grouping import find_service, group_of
from shared.domain.noise.noise import Surroundings, quiets

PATIENCE = timedelta(seconds=20)  # how long triage may take before somebody is paged without it
KEPT = timedelta(minutes=60)  # once all is durable: what is pending then sets the alarm anew
MOST_ALERTS = 8  # of one alarm; of more the gravest
MUTE = timedelta(minutes=2)  # nobody is paged directly again so soon for the same target


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Grave alerts about one target that triage has not taken, the first that came first.

    `due_at` is when somebody is paged first, `why` what keeps triage from it. `sent` are the pages
    of this process that no incident tells of yet, the incident's those of all that are known. Until
    `quiet_until` nobody is paged directly for another trouble of the same target. `durable_at` is
    set once all its alerts are, `over_at` when triage has taken the last of them, `taken_by` until
    it is told there: the incident that took the first one, "" for none.
    """

    alerts: tuple[Alert, ...]
    incident: Incident
    why: str
    due_at: datetime
    quiet_until: datetime
    sent: tuple[Page, ...] = ()
    durable_at: datetime | None = None
    over_at: datetime | None = None
    taken_by: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether triage has taken all of it, and the incident tells what was done meanwhile."""
        return self.over_at is not None and self.taken_by is None

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be looked after now."""
        return self.taken_by is not None or (self.over_at is None and self.due_at <= now)

    def joined(self, other: "Alarm") -> "Alarm":
        """The alarm with the alert of another one; whom it paged, and under which name, stays."""
        (alert,) = other.alerts
        known = any(alert.delivery_key == one.delivery_key for one in self.alerts)
        alerts = self.alerts if known else _keep((*self.alerts, alert))
        severity = min(self.incident.severity, other.incident.severity)
        sooner = not self.sent and other.due_at < self.due_at
        return msgspec.structs.replace(
            self,
            alerts=alerts,
            incident=msgspec.structs.replace(self.incident, severity=severity),
            why=other.why if sooner else self.why,
            due_at=min(self.due_at, other.due_at),
            durable_at=self.durable_at if alerts == self.alerts else None,
            over_at=None,
        )

    def again(self, why: str, now: datetime) -> "Alarm":
        """The alarm of alerts that have only now become durable: triage has its time again.

        Who was paged before is to read the reason of that time.
        """
        known = self.why if self.sent else why
        return msgspec.structs.replace(self, why=known, due_at=now + PATIENCE)

    def knows(self, pages: tuple[Page, ...]) -> "Alarm":
        """The alarm with the pages that were sent by whomever."""
        known = pages if len(pages) > len(self.incident.pages) else self.incident.pages
        return msgspec.structs.replace(
            self, incident=msgspec.structs.replace(self.incident, pages=known)
        )

    def paged(self, contact: Contact, service: Service, now: datetime, *, refused: bool) -> "Alarm":
        """The alarm after a page; a refused one woke nobody, and the next contact is due."""
        reason = page_reason(self.incident, service)
        page = Page(contact=contact.name, at=now, reason=reason, refused=refused)
        pages = (*self.incident.pages, page)
        if refused:
            return self.knows(pages)
        sent = (*self.sent, page)
        return msgspec.structs.replace(self.knows(pages), sent=sent, quiet_until=now + MUTE)

    def stored(self, alerts: tuple[Alert, ...], now: datetime) -> "Alarm":
        """The alarm when these alerts are durable; what joined it meanwhile may not be."""
        durable_at = self.durable_at or now if alerts == self.alerts else None
        return msgspec.structs.replace(self, durable_at=durable_at)

    def taken(self, alert: Alert, incident: str, now: datetime) -> "Alarm":
        """The alarm without an alert that triage took into an incident, "" for none."""
        named = self.taken_by is None and alert == self.alerts[0]
        left = tuple(one for one in self.alerts if one != alert)
        return msgspec.structs.replace(
            self,
            alerts=left,
            over_at=self.over_at if left else now,
            taken_by=incident if named else self.taken_by,
        )

    def told(self, catalog: Catalog, now: datetime) -> "Alarm":
        """The alarm when the incident tells of its pages; what is left has a name of its own."""
        known = msgspec.structs.replace(self, sent=(), taken_by=None)
        others = [alarm_of(one, catalog, why=self.why, now=now, due_at=now) for one in self.alerts]
        left = [alarm.incident for alarm in others if alarm is not None]
        if not left:
            return known
        severity = min(incident.severity for incident in left)
        pages = self.incident.pages
        incident = msgspec.structs.replace(left[0], severity=severity, pages=pages)
        return msgspec.structs.replace(known, incident=incident)

    def is_forgotten(self, now: datetime) -> bool:
        """Whether nothing is to be known of it any more; never while an alert is not durable."""
        if self.over_at is None:
            return self.durable_at is not None and now - self.durable_at > KEPT
        return now > self.quiet_until and (self.is_settled or now - self.over_at > KEPT)


def _keep(alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
    """The first, which gives the name, and the gravest of the others in the order they came."""
    first, *others = alerts
    grave = sorted(others, key=lambda alert: 4 if alert.severity is None else alert.severity)
    kept = grave[: MOST_ALERTS - 1]
    return (first, *(alert for alert in others if alert in kept))


def name_of(alert: Alert, catalog: Catalog) -> str:
    """What an alarm is known by: alerts of one target make one incident, and one alarm."""
    group = group_of(alert, find_service(alert, catalog))
    return group.row if group else alert.correlation_key


def alarm_of(
    alert: Alert, catalog: Catalog, *, why: str, now: datetime, due_at: datetime
) -> Alarm | None:
    """The alarm that an alert is, None where triage would wake nobody for it."""
    service = find_service(alert, catalog)
    opened = triage(
        alert,
        service=service,
        mistakes=() if service else catalog.mistakes_about(alert.targets),
        claim=None,
        open_incident=None,
        now=now,
        shard=shard_of(service.name if service else next(iter(alert.targets), "")),
    ).incident
    if opened is None or not wakes(opened):
        return None
    return Alarm(alerts=(alert,), incident=opened, why=why, due_at=due_at, quiet_until=now)


def service_of(alarm: Alarm, catalog: Catalog) -> Service:
    """Whose contacts are paged."""
    return catalog.services.get(alarm.incident.service, UNOWNED)


def next_direct_page(alarm: Alarm, service: Service, now: datetime) -> Contact | None:
    """Who is to be paged directly now; a maintenance holds it back as it holds any page."""
    if alarm.over_at is not None or now < alarm.due_at:
        return None
    quiet = quiets(alarm.incident, service, Surroundings(), now)
    return next_page(alarm.incident, service, now, quiet)
