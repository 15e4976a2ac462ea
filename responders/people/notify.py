"""Notify: cards for the commander's channel, from the change events on topic `changes`.

An event only says *that* a card is due; the card is drawn from the state at that moment, because
the bus promises no order. Each card is claimed before it is posted, so no repeat posts it twice.
"""

from typing import Any

import msgspec

from shared.domain.decisions.decision import Decision
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import Incident, State
from shared.domain.keys import shard_of_incident
from shared.domain.message import WORK, Message
from shared.domain.views.card import CardKind, CardView, card_for, render_card
from shared.domain.views.review_card import render_review_card
from shared.errors import RejectedInput
from shared.protocol.commit import command, publish_quietly, read_incident
from shared.protocol.door.people import name_card
from shared.protocol.effect import Send, abandoned, claimed, deliver
from shared.protocol.leftovers import Effect, Leftovers
from shared.protocol.reviews import read_review
from shared.services import Services

WAKES = {
    EventKind.INCIDENT_OPENED,
    EventKind.ESCALATED,
    EventKind.SEVERITY_CHANGED,
    EventKind.INTENT_ABORTED,
    EventKind.INTENT_ESCALATED,
}
CALMS = {EventKind.ACKNOWLEDGED, EventKind.COMMANDED, EventKind.RESOLVED}
CARD = "card-"
REVIEW_CARD = "card-review."


async def notify(services: Services, message: Message) -> None:
    """Post the card that an event is due, and ask for a page where somebody is to wake or to rest.

    Raises RejectedInput for what is no event, NotFound, Unavailable.
    """
    event = _event(message)
    if not event.incident:
        return
    order = command("page", event.incident, event.id)
    if event.kind in WAKES:  # the tick asks again for every open incident
        await publish_quietly(services, WORK, [order])
    if event.kind in CALMS:  # nobody asks again, so the bus must take it
        await services.bus.publish(WORK, [order])
    was = await read_incident(services, event.incident)
    name = _card_name(event, was.value)
    if not name:
        return
    await claimed(services, event.incident, name)
    await deliver(services, event.incident, name, _poster(services))


async def post_abandoned_cards(services: Services, leftovers: Leftovers) -> None:
    """Post the cards whose poster died between claim and post; the tick runs this."""
    for effect in abandoned(services, leftovers, CARD):
        await deliver(services, effect.incident, effect.name, _poster(services))


def _card_name(event: ChangeEvent, incident: Incident) -> str:
    """The card that an event is due, "" for none: one of each kind, and one for each reminder."""
    if event.kind is EventKind.REVIEW_OVERDUE:
        return f"{REVIEW_CARD}{event.after['review']}.{event.sequence}"
    kind = card_for(event, incident)
    return f"{CARD}{kind.value}" if kind is not None else ""


def _event(message: Message) -> ChangeEvent:
    try:
        return msgspec.json.decode(message.body, type=ChangeEvent)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise RejectedInput("not-an-event", str(error)) from None


def _poster(services: Services) -> Send:
    async def post(effect: Effect) -> str:
        was = await read_incident(services, effect.incident)
        drawn = _draw_reminder if effect.name.startswith(REVIEW_CARD) else _draw
        card = await name_card(services, await drawn(services, was.value, effect.name))
        delivered = await services.teams.post(card)
        return str(delivered)

    return post


async def _draw(services: Services, incident: Incident, name: str) -> dict[str, Any]:
    return render_card(CardKind(name.removeprefix(CARD)), await _view(services, incident))


async def _draw_reminder(services: Services, incident: Incident, name: str) -> dict[str, Any]:
    review_id, _, _ = name.removeprefix(REVIEW_CARD).rpartition(".")
    review = (await read_review(services, review_id)).value
    service = services.catalog.services.get(incident.service)
    console = services.settings.public_url
    return render_review_card(review, incident, service, console, services.now())


async def _view(services: Services, incident: Incident) -> CardView:
    shard = shard_of_incident(incident.id)
    diagnosis = await services.state.read(shard, f"diagnosis|{incident.id}", Diagnosis)
    decision = await services.state.read(shard, f"decision|{incident.id}", Decision)
    page = f"{services.settings.public_url}/incidents/{incident.id}"
    service = services.catalog.services.get(incident.service)
    return CardView(
        incident=incident,
        service=service,
        diagnosis=diagnosis.value if diagnosis else None,
        decision=decision.value if decision else None,
        now=services.now(),
        incident_url=page,
        acknowledge_url=f"{page}#acknowledge",
        approval_url=_approval_url(services, incident),
        runbook_url=service.runbook if service else "",
    )


def _approval_url(services: Services, incident: Incident) -> str:
    """Where people decide about the plan that waits now; "" where none does."""
    if incident.state is not State.WAITING or incident.awaited is None:
        return ""
    return f"{services.settings.public_url}/approvals/{incident.awaited.id}"
