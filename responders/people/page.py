"""Page: wake the next person, and the next after that, until somebody acknowledges.

Who is due now is decided by `shared.domain.incidents.escalation`, what holds a page back by
`shared.domain.noise.noise`. A page is stored in the incident, with its claim, before it is sent;
the tick asks again for every open incident, takes up what was left, and lets go on what was held
back. What the pager refuses woke nobody: it is told, and the next contact is due at once. Who was
woken is calmed again: acknowledged and resolved incidents are so at the pager, too.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable
from functools import partial

from shared.domain.catalog import UNOWNED, Contact, Service
from shared.domain.incidents.escalation import next_page
from shared.domain.incidents.incident import Incident
from shared.domain.incidents.steps import page_refused
from shared.domain.message import Message
from shared.domain.noise.quieting import proceed
from shared.domain.row import Put, Write
from shared.domain.views.page import PageAction, PageView, render_page
from shared.errors import Conflict, NotFound, RejectedInput, Unavailable
from shared.protocol.commit import read_incident
from shared.protocol.effect import Send, abandoned, claim, claimed, deliver
from shared.protocol.leftovers import Effect, Leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.revise import Revision, revise
from shared.protocol.surroundings import Around, look_around
from shared.services import Services

PAGE = "page-"
CALM = "calm-"
LANES = 16  # incidents that a tick looks at side by side

log = logging.getLogger("backstop.page")


async def page(services: Services, message: Message) -> None:
    """Page whoever is due for the incident that the message names, or calm who was paged.

    Raises NotFound, Conflict and Unavailable.
    """
    await _wake(services, message.body)
    await _calm(services, message.body)


async def page_all_due(services: Services, leftovers: Leftovers) -> None:
    """Ask for every open incident who is due now, and send what somebody left unsent."""
    senders = {PAGE: _waker(services), CALM: _calmer(services)}
    for prefix, send in senders.items():
        for effect in abandoned(services, leftovers, prefix):
            await _quietly(deliver(services, effect.incident, effect.name, send))
    lanes = asyncio.Semaphore(LANES)

    async def look_at(incident: str) -> None:
        async with lanes:
            await _quietly(_wake(services, incident))

    await asyncio.gather(*(look_at(one.id) for one in await open_incidents(services)))


async def _quietly(doing: Awaitable[None]) -> None:
    """A page that cannot be sent now keeps no other from being sent; the next tick tries again."""
    with contextlib.suppress(Conflict, NotFound):  # somebody else is at it
        try:
            await doing
        except Unavailable as error:
            log.warning("a page waits: %s", error)
        except RejectedInput as error:
            log.error("nobody can be paged for an incident: %s", error)  # noqa: TRY400 - all there is


async def _wake(services: Services, incident_id: str) -> None:
    """Page who is due, one after another; keep quiet, or go on, where a rule says so."""
    while True:
        was = (await read_incident(services, incident_id)).value
        if not _concerns(services, was):
            return
        around = await look_around(services, was)
        step = await revise(services, incident_id, partial(_next, services, around))
        if step.incident is None:
            return
        if len(step.incident.pages) > len(was.pages):
            name = f"{PAGE}{len(step.incident.pages) - 1}"
            await deliver(services, incident_id, name, _waker(services))


def _concerns(services: Services, incident: Incident) -> bool:
    """Whether there may be something to do: most open incidents wait for a person."""
    due = next_page(incident, _service(services, incident), services.now())
    held = bool(incident.quiet) or incident.deferred or incident.storm
    return due is not None or (incident.state.is_open() and held)


def _next(services: Services, around: Around, incident: Incident) -> Revision:
    """What is to be done now; a page with its claim, and a first one with its group."""
    now = services.now()
    step = proceed(incident, _service(services, incident), around.surroundings, now)
    if step.incident is None or len(step.incident.pages) == len(incident.pages):
        return Revision(step=step)
    writes: list[Write] = [claim(services, incident.id, f"{PAGE}{len(incident.pages)}")]
    group = around.group
    if not incident.pages and group is not None and group.value.incident == incident.id:
        writes.append(Put(row=group.row, value=group.value.woke(now), etag=group.etag))
    return Revision(step=step, writes=writes)


def _waker(services: Services) -> Send:
    async def send(effect: Effect) -> str:
        incident = (await read_incident(services, effect.incident)).value
        number = _number(effect)
        body = render_page(PageAction.TRIGGER, _view(services, incident, number))
        if body is None or incident.acknowledged_at is not None:
            return "nobody is to be woken any more"
        try:
            return str(await services.pager.send(body))
        except RejectedInput as error:
            await _tell_refusal(services, incident.id, number, error.detail)
            raise

    return send


async def _tell_refusal(services: Services, incident_id: str, number: int, detail: str) -> None:
    def take(incident: Incident) -> Revision:
        return Revision(step=page_refused(incident, number, detail, services.now()))

    await revise(services, incident_id, take)


async def _calm(services: Services, incident_id: str) -> None:
    """Acknowledge or resolve the pager's alerts of an incident that a person has seen or ended."""
    incident = (await read_incident(services, incident_id)).value
    action = _calming(incident)
    if action is None:
        return
    for number in _alerts(services, incident):
        name = f"{CALM}{action.value}-{number}"
        await claimed(services, incident_id, name)
        await deliver(services, incident_id, name, _calmer(services))


def _calming(incident: Incident) -> PageAction | None:
    if not incident.state.is_open():
        return PageAction.RESOLVE
    return PageAction.ACKNOWLEDGE if incident.acknowledged_at else None


def _alerts(services: Services, incident: Incident) -> list[int]:
    """The first page to each routing key: pages of one incident to one key are one alert there."""
    first: dict[str, int] = {}
    for number, sent in enumerate(incident.pages):
        if not sent.refused:
            first.setdefault(_contact(_service(services, incident), sent.contact).pager, number)
    return list(first.values())


def _calmer(services: Services) -> Send:
    async def send(effect: Effect) -> str:
        incident = (await read_incident(services, effect.incident)).value
        action = PageAction(effect.name.split("-")[1])
        body = render_page(action, _view(services, incident, _number(effect)))
        return str(await services.pager.send(body)) if body else "nothing to say"

    return send


def _number(effect: Effect) -> int:
    return int(effect.name.rsplit("-", 1)[-1])


def _view(services: Services, incident: Incident, number: int) -> PageView:
    service, sent = _service(services, incident), incident.pages[number]
    contact = _contact(service, sent.contact)
    return PageView(
        incident=incident,
        service=service if service is not UNOWNED else None,
        routing_key=services.settings.pager_keys.get(contact.pager, ""),
        contact=contact.name,
        reason=sent.reason,
        now=services.now(),
        incident_url=f"{services.settings.public_url}/incidents/{incident.id}",
        runbook_url=service.runbook,
    )


def _service(services: Services, incident: Incident) -> Service:
    return services.catalog.services.get(incident.service, UNOWNED)


def _contact(service: Service, name: str) -> Contact:
    """The contact of that name; the first where the service's file names it no more."""
    return next((one for one in service.contacts if one.name == name), service.contacts[0])
