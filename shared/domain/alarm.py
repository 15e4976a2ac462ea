"""Alarms: grave alerts that triage has not taken, and whom to page for them directly.

An alarm is set when a grave alert comes in and is called off when triage has taken it. Until then
it holds the incident that triage would open: the same function makes it, so severity, contacts and
the pager's name for it are the same, and the incident's own page is no second one at the pager.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.alert import Alert
from shared.domain.catalog import UNOWNED, Catalog, Contact, Service
from shared.domain.escalation import next_page, page_reason, wakes
from shared.domain.event import EventKind
from shared.domain.grouping import find_service, group_of
from shared.domain.incident import Incident, Page, Step, tell
from shared.domain.keys import shard_of
from shared.domain.noise import Surroundings, quiets
from shared.domain.page import PageAction, PageView, render_page
from shared.domain.steps import AUTOMATION
from shared.domain.triage import triage
from shared.domain.wording import moment

PATIENCE = timedelta(seconds=20)  # how long triage may take before somebody is paged without it
KEPT = timedelta(minutes=60)  # an alarm that nobody took by then is the sweep's
MUTE = timedelta(minutes=2)  # nobody is paged directly again so soon for the same target
_SENTENCE = "Backstop cannot work on it: {why}. Nothing is diagnosed or moved until that is over."


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One grave alert. `due_at` is when somebody is paged first, `why` what keeps triage from it.

    `sent` are the pages of this process, the incident's those of all that are known. Until
    `quiet_until` nobody is paged directly for another alert about the same target. `over_at` is set
    when triage has taken the alert.
    """

    alert: Alert
    incident: Incident
    why: str
    set_at: datetime
    due_at: datetime
    quiet_until: datetime
    sent: tuple[Page, ...] = ()
    over_at: datetime | None = None

    def again(self, why: str, now: datetime) -> "Alarm":
        """The alarm of an alert that has only now become durable: triage has its time again.

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

    def is_forgotten(self, now: datetime) -> bool:
        """Whether nothing is to be known of it any more."""
        return now > self.quiet_until if self.over_at else now - self.set_at > KEPT


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
    return Alarm(alert=alert, incident=opened, why=why, set_at=now, due_at=due_at, quiet_until=now)


def service_of(alarm: Alarm, catalog: Catalog) -> Service:
    """Whose contacts are paged."""
    return catalog.services.get(alarm.incident.service, UNOWNED)


def next_direct_page(alarm: Alarm, service: Service, now: datetime) -> Contact | None:
    """Who is to be paged directly now; a maintenance holds it back as it holds any page."""
    if now < alarm.due_at:
        return None
    quiet = quiets(alarm.incident, service, Surroundings(), now)
    return next_page(alarm.incident, service, now, quiet)


def render_direct_page(
    alarm: Alarm, contact: Contact, service: Service, *, key: str, url: str, now: datetime
) -> dict[str, object]:
    """The pager's body; its name at the pager is that of the incident that triage would open."""
    said = _SENTENCE.format(why=alarm.why)
    body = render_page(
        PageAction.TRIGGER,
        PageView(
            incident=msgspec.structs.replace(alarm.incident, sentence=said),
            service=service if service is not UNOWNED else None,
            routing_key=key,
            contact=contact.name,
            reason=f"directly, because {alarm.why}",
            now=now,
            incident_url=f"{url}/incidents/{alarm.incident.id}",
            runbook_url=service.runbook,
        ),
    )
    assert body is not None  # an incident that was never opened is not resolved
    return body


def tell_direct_pages(incident: Incident, alarm: Alarm, now: datetime) -> Step:
    """Tell, in the incident that triage made of it, whom this process paged directly."""
    times = [f"{page.contact} at {moment(page.at, 'UTC', now)}" for page in alarm.sent]
    return tell(
        incident,
        EventKind.PAGED_DIRECTLY,
        actor=AUTOMATION,
        what=f"paged directly: {', '.join(times)}",
        why=alarm.why,
        now=now,
        happened_at=alarm.sent[0].at,
        evidence={"alarm": alarm.incident.id, "contacts": [page.contact for page in alarm.sent]},
    )
