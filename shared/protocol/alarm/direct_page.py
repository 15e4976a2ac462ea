"""Direct page: wake who is due for an alarm, without an incident and without storage.

Part of `shared.protocol.alarm.keeper`, which says when. A page may come twice, never not at all: it
is sent first, and noted where the tables answer.
"""

import asyncio
import contextlib
import logging

from shared.domain.catalog import Contact, Service
from shared.domain.incidents.alarm import Alarm, next_direct_page, service_of
from shared.domain.incidents.direct_page import render_direct_end, render_direct_page
from shared.errors import BackstopError, Conflict, NotFound, RejectedInput, Unavailable
from shared.protocol.intake import note_pages
from shared.services import Services

log = logging.getLogger("backstop.alarm")

NOTE_WITHIN_S = 5.0


async def page_directly(services: Services, name: str) -> None:
    """Page who is due, one after another; a pager that is out is tried at the next look."""
    service = service_of(services.memory.alarms[name], services.catalog)
    while True:
        alarm, now = services.memory.alarms[name], services.now()
        contact = next_direct_page(alarm, service, now)
        if contact is None:
            return
        try:
            refused = await _send(services, alarm, contact, service)
        except BackstopError as error:
            log.error("nobody could be paged directly: %s", error)  # noqa: TRY400 - it says all
            return
        # Another alert may have joined it meanwhile.
        alarms = services.memory.alarms
        alarms[name] = alarms[name].paged(contact, service, now, refused=refused)
        await _note(services, alarms[name])


async def _send(services: Services, alarm: Alarm, contact: Contact, service: Service) -> bool:
    """Send one page; answer whether the pager refused it. Raises Unavailable."""
    key = services.settings.pager_keys.get(contact.pager, "")
    url, now = services.settings.public_url, services.now()
    body = render_direct_page(alarm, contact, service, key=key, url=url, now=now)
    try:
        await services.pager.send(body)
    except RejectedInput as error:
        log.error("%s could not be paged directly: %s", contact.name, error)  # noqa: TRY400 - it says all
        return True
    log.warning("paged %s directly for %s: %s", contact.name, alarm.incident.id, alarm.why)
    return False


async def end_direct_pages(services: Services, alarm: Alarm) -> None:
    """End the alarm's alert at the pager, for every key that it was sent to. Raises Unavailable."""
    service, now = service_of(alarm, services.catalog), services.now()
    woken = {page.contact for page in alarm.sent}
    names = {contact.pager for contact in service.contacts if contact.name in woken}
    for pager in sorted(names):
        key = services.settings.pager_keys.get(pager, "")
        with contextlib.suppress(RejectedInput):  # it knows no such alert
            await services.pager.send(render_direct_end(alarm, key=key, now=now))


async def _note(services: Services, alarm: Alarm) -> None:
    """Let other processes know, where the tables answer: they then page nobody a second time."""
    with contextlib.suppress(Unavailable, Conflict, NotFound, TimeoutError):
        async with asyncio.timeout(NOTE_WITHIN_S):
            await note_pages(services, alarm.alerts[0], alarm.incident.pages)
