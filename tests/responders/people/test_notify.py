"""Notify: one card a kind, drawn from what is stored now, and not lost where the channel is out."""

import pytest

from responders.people.notify import notify, post_abandoned_cards
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import State
from shared.domain.message import Message
from shared.errors import NotFound, RejectedInput, Unavailable
from shared.protocol.commit import telling
from shared.protocol.leftovers import find_leftovers
from tests.fakes import FakeServices, Killed, die
from tests.fakes.scene import INCIDENT, NOW, SERVICE, effects_done, new_services, store_case
from tests.fakes.waiting import approval_now, waiting_services


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made)
    return made


def event(kind: EventKind = EventKind.INCIDENT_OPENED, incident: str = INCIDENT.id) -> Message:
    return telling(
        ChangeEvent(
            id=f"{incident}-{kind}",
            kind=kind,
            service=SERVICE.name,
            incident=incident,
            sequence=3,
            actor="backstop",
            what="it happened",
            why="a test",
            happened_at=NOW,
            recorded_at=NOW,
        )
    )


async def tick(services: FakeServices) -> None:
    await post_abandoned_cards(services, await find_leftovers(services))


async def cards(services: FakeServices) -> list[str]:
    """The cards that were done with, by name."""
    return [effect.name for effect in effects_done(services)]


@pytest.mark.parametrize(
    ("kind", "state", "card"),
    [
        (EventKind.INCIDENT_OPENED, State.OPENED, "card-opened"),
        (EventKind.DECIDED, State.HELD, "card-decision"),
        (EventKind.MITIGATED, State.MITIGATED, "card-outcome"),
        (EventKind.INTENT_ABORTED, State.ESCALATED, "card-outcome"),
        (EventKind.INTENT_ESCALATED, State.ESCALATED, "card-escalated"),
        (EventKind.ESCALATED, State.ESCALATED, "card-escalated"),
        (EventKind.RESOLVED, State.RESOLVED, "card-resolved"),
    ],
)
async def test_what_the_channel_should_know_is_a_card(
    services: FakeServices, kind: EventKind, state: State, card: str
) -> None:
    await store_case(services, state=state)

    await notify(services, event(kind))

    assert await cards(services) == [card]
    assert len(services.teams.cards) == 1


@pytest.mark.parametrize("kind", [EventKind.NOTED, EventKind.PAGED, EventKind.VERIFIED])
async def test_most_events_make_no_card(services: FakeServices, kind: EventKind) -> None:
    await notify(services, event(kind))

    assert services.teams.cards == []


async def test_an_event_that_comes_again_posts_nothing_again(services: FakeServices) -> None:
    await notify(services, event())
    await notify(services.another("two"), event())

    assert len(services.teams.cards) == 1


async def test_a_second_escalation_is_no_second_card(services: FakeServices) -> None:
    for kind in (EventKind.INTENT_ESCALATED, EventKind.ESCALATED):
        await notify(services, event(kind))

    assert len(services.teams.cards) == 1


async def test_a_channel_that_is_out_gets_the_card_when_the_event_comes_again(
    services: FakeServices,
) -> None:
    services.teams.trouble = Unavailable("teams", "503")
    with pytest.raises(Unavailable):
        await notify(services, event())
    services.teams.trouble = None

    await notify(services, event())

    assert len(services.teams.cards) == 1


async def test_a_card_whose_poster_died_is_posted_by_the_tick(services: FakeServices) -> None:
    services.outside.turns.once("teams.post", die)
    with pytest.raises(Killed):
        await notify(services, event())
    await tick(services)
    assert services.teams.cards == []  # somebody may still be at it
    services.outside.wait(21)

    await tick(services)

    assert await cards(services) == ["card-opened"]
    assert len(services.teams.cards) == 1


async def test_a_card_that_is_refused_is_not_tried_for_ever(services: FakeServices) -> None:
    services.teams.trouble = RejectedInput("teams-refused", "413")
    await notify(services, event())
    services.teams.trouble = None
    services.outside.wait(21)

    await tick(services)

    (effect,) = effects_done(services)
    assert effect.detail == "refused: teams-refused: 413"
    assert services.teams.cards == []


@pytest.mark.parametrize(
    "kind",
    [
        EventKind.INCIDENT_OPENED,
        EventKind.ESCALATED,
        EventKind.SEVERITY_CHANGED,
        EventKind.INTENT_ABORTED,
        EventKind.INTENT_ESCALATED,
        EventKind.ACKNOWLEDGED,
        EventKind.COMMANDED,
        EventKind.RESOLVED,
    ],
)
async def test_somebody_is_to_wake_or_to_rest(services: FakeServices, kind: EventKind) -> None:
    await notify(services, event(kind))

    (order,) = services.bus.published["work"]
    assert (order.subject, order.body) == ("page", INCIDENT.id)


async def test_a_bus_that_is_out_does_not_keep_a_card_from_being_posted(
    services: FakeServices,
) -> None:
    services.bus.out = True

    await notify(services, event())

    assert len(services.teams.cards) == 1


async def test_that_somebody_may_rest_is_not_lost_by_a_bus_that_is_out(
    services: FakeServices,
) -> None:
    services.bus.out = True

    with pytest.raises(Unavailable, match="bus"):
        await notify(services, event(EventKind.RESOLVED))


async def test_an_event_of_no_incident_is_nobodys_card(services: FakeServices) -> None:
    await notify(services, event(EventKind.KNOWN_GOOD_EARNED, incident=""))

    assert services.teams.cards == []


async def test_what_is_no_event_is_rejected(services: FakeServices) -> None:
    with pytest.raises(RejectedInput):
        await notify(services, Message(subject="x", body="{}", message_id="x"))


async def test_an_event_of_an_unknown_incident_is_not_found(services: FakeServices) -> None:
    with pytest.raises(NotFound):
        await notify(services, event(incident="INC-35-261123-FFFFFFFF"))


async def test_the_card_of_a_plan_that_waits_leads_to_where_it_is_decided() -> None:
    services = await waiting_services()

    await notify(services, event(EventKind.DECIDED))

    asked = (await approval_now(services)).request
    url = f"{services.settings.public_url}/approvals/{asked.id}"
    assert url in str(services.teams.cards[0])
    assert asked.key not in str(services.teams.cards[0])
