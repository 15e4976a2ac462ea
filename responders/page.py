"""Page: wake the next person, and the next after that, until somebody acknowledges.

Who is due now is decided by `shared.domain.escalation`. A page is stored in the incident, with its
claim, before it is sent; the tick asks again for every open incident and takes up what was left.
"""

import asyncio
import contextlib

from shared.domain.escalation import next_page, page_reason
from shared.domain.incident import Incident, Step
from shared.domain.message import Message
from shared.domain.page import PageAction, PageView, render_page
from shared.domain.steps import page_sent
from shared.errors import Conflict, NotFound
from shared.protocol.commit import read_incident
from shared.protocol.effect import Send, abandoned, claim, deliver
from shared.protocol.leftovers import Effect, Leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.revise import Revision, revise
from shared.services import Services

PAGE = "page-"


async def page(services: Services, message: Message) -> None:
    """Page whoever is due for the incident that the message names.

    Raises NotFound, Conflict and Unavailable.
    """
    while True:
        step = await revise(services, message.body, lambda i: _next(services, i))
        if step.incident is None:
            return
        name = _name(len(step.incident.pages) - 1)
        await deliver(services, step.incident.id, name, _sender(services))


async def page_all_due(services: Services, leftovers: Leftovers) -> None:
    """Ask for every open incident who is due now, and send what somebody left unsent."""
    for effect in abandoned(services, leftovers, PAGE):
        await deliver(services, effect.incident, effect.name, _sender(services))
    incidents = await open_incidents(services)
    await asyncio.gather(*(_page_quietly(services, incident.id) for incident in incidents))


async def _page_quietly(services: Services, incident: str) -> None:
    with contextlib.suppress(Conflict, NotFound):  # somebody else is at it: the next tick tells
        await page(services, Message(subject="page", body=incident, message_id=""))


def _next(services: Services, incident: Incident) -> Revision:
    """Store the page that is due now, with its claim; nothing where none is."""
    service = services.catalog.services.get(incident.service)
    contact = next_page(incident, service, services.now()) if service else None
    if service is None or contact is None:
        return Revision(step=Step(incident=None, reason="nobody is to be paged now"))
    step = page_sent(incident, contact.name, page_reason(incident, service), services.now())
    return Revision(step=step, writes=[claim(services, incident.id, _name(len(incident.pages)))])


def _name(number: int) -> str:
    return f"{PAGE}{number}"


def _sender(services: Services) -> Send:
    async def send(effect: Effect) -> str:
        incident = (await read_incident(services, effect.incident)).value
        service = services.catalog.services[incident.service]
        sent = incident.pages[int(effect.name.removeprefix(PAGE))]
        contact = next(c for c in service.contacts if c.name == sent.contact)
        view = PageView(
            incident=incident,
            service=service,
            routing_key=services.settings.pager_keys.get(contact.pager, ""),
            contact=contact.name,
            reason=sent.reason,
            now=services.now(),
            incident_url=f"{services.settings.public_url}/incidents/{incident.id}",
            runbook_url=service.runbook,
        )
        body = render_page(PageAction.TRIGGER, view)
        return str(await services.pager.send(body)) if body else "not open any more"

    return send
