"""Direct pages as they are said: to the pager, and in the incident once there is one.

Whom to page, and when, is decided by `shared.domain.incidents.alarm`.
"""

from collections import Counter
from datetime import datetime

import msgspec

from shared.domain.catalog import UNOWNED, Contact, Service
from shared.domain.event import EventKind
from shared.domain.incidents.alarm import Alarm
from shared.domain.incidents.incident import Incident, Page, Step, tell
from shared.domain.incidents.steps import AUTOMATION
from shared.domain.views.page import PageAction, PageView, render_page
from shared.domain.wording import moment

_SENTENCE = "Backstop cannot work on it: {why}. Nothing is diagnosed or moved until that is over."


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


def render_direct_end(alarm: Alarm, *, key: str, now: datetime) -> dict[str, object]:
    """The pager's body that ends an alarm's alert there: no incident will ever have that name."""
    view = PageView(
        incident=alarm.incident, service=None, routing_key=key, now=now, incident_url=""
    )
    body = render_page(PageAction.RESOLVE, view)
    assert body is not None  # only a trigger can be late
    return body


def tell_direct_pages(incident: Incident, alarm: Alarm, now: datetime) -> Step:
    """Tell, in the incident that triage made of it, whom this process paged directly.

    Pages under the incident's own name are its own from now on: the next contact follows them, and
    they end with it. What is seen or over already is so at the pager, too.
    """
    times = [f"{page.contact} at {moment(page.at, 'UTC', now)}" for page in alarm.sent]
    added = _missing(incident, alarm.sent) if incident.id == alarm.incident.id else ()
    step = tell(
        incident,
        EventKind.PAGED_DIRECTLY,
        actor=AUTOMATION,
        what=f"paged directly: {', '.join(times)}",
        why=alarm.why,
        now=now,
        happened_at=alarm.sent[0].at,
        evidence={
            "alarm": alarm.incident.id,
            "contacts": [page.contact for page in alarm.sent],
            "added": [page.contact for page in added],
        },
        changes={"pages": (*incident.pages, *added)} if added else {},
    )
    calm = incident.acknowledged_at is not None or not incident.state.is_open()
    commands = ("page",) if added and calm else ()
    return msgspec.structs.replace(step, commands=commands)


def _missing(incident: Incident, sent: tuple[Page, ...]) -> tuple[Page, ...]:
    """The pages that the incident's own do not repeat: the pager folded those."""
    repeated = Counter(page.contact for page in incident.pages if not page.refused)
    missing = []
    for page in sent:
        if repeated[page.contact]:
            repeated[page.contact] -= 1
        else:
            missing.append(page)
    return tuple(missing)
