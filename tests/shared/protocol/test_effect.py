"""Effects: a card or a page is claimed once, sent, and taken up again where its sender died."""

import pytest

from shared.adapters import webhook
from shared.errors import Conflict, RejectedInput, Unavailable
from shared.protocol.effect import (
    ABANDONED_AFTER,
    abandoned,
    claim,
    claimed,
    deliver,
)
from shared.protocol.leftovers import Effect, find_leftovers
from tests.fakes import FakeServices, Killed
from tests.fakes.scene import INCIDENT, SHARD, effects_done, new_services

CARD = "card-opened"


class Channel:
    """Takes what is sent, or raises its trouble."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.trouble: Exception | None = None

    async def send(self, effect: Effect) -> str:
        if self.trouble is not None:
            raise self.trouble
        self.got.append(effect.name)
        return "taken"


@pytest.fixture
def services() -> FakeServices:
    return new_services()


@pytest.fixture
def channel() -> Channel:
    return Channel()


async def left(services: FakeServices, prefix: str = "card-") -> list[str]:
    found = await find_leftovers(services)
    return [effect.name for effect in abandoned(services, found, prefix)]


async def test_one_of_two_gets_the_claim(services: FakeServices) -> None:
    assert await claimed(services, INCIDENT.id, CARD)
    assert not await claimed(services.another("two"), INCIDENT.id, CARD)


async def test_two_that_claim_at_the_same_time_do_not_both_get_it(services: FakeServices) -> None:
    async def other() -> None:
        assert await claimed(services.another("two"), INCIDENT.id, CARD)

    services.outside.turns.once("state.write", other)

    assert not await claimed(services, INCIDENT.id, CARD)


async def test_who_looked_before_the_other_was_done_does_not_send_again(
    services: FakeServices, channel: Channel
) -> None:
    async def other() -> None:
        second = services.another("two")
        assert await claimed(second, INCIDENT.id, CARD)
        await deliver(second, INCIDENT.id, CARD, channel.send)

    services.outside.turns.once("state.write", other)
    assert not await claimed(services, INCIDENT.id, CARD)
    await deliver(services, INCIDENT.id, CARD, channel.send)

    assert channel.got == [CARD]


async def test_what_is_done_is_not_claimed_again(services: FakeServices, channel: Channel) -> None:
    await claimed(services, INCIDENT.id, CARD)
    await deliver(services, INCIDENT.id, CARD, channel.send)

    assert not await claimed(services, INCIDENT.id, CARD)
    await deliver(services, INCIDENT.id, CARD, channel.send)
    assert channel.got == [CARD]


async def test_an_effect_that_is_done_says_when_and_how(
    services: FakeServices, channel: Channel
) -> None:
    await claimed(services, INCIDENT.id, CARD)
    services.outside.wait(2)
    await deliver(services, INCIDENT.id, CARD, channel.send)

    (effect,) = effects_done(services)
    assert (effect.name, effect.detail, effect.done_at) == (CARD, "taken", services.now())
    assert services.state.rows(SHARD, "~") == []


async def test_a_provider_that_is_out_leaves_the_claim_to_be_taken_up(
    services: FakeServices, channel: Channel
) -> None:
    await claimed(services, INCIDENT.id, CARD)
    channel.trouble = Unavailable("teams", "out")
    with pytest.raises(Unavailable):
        await deliver(services, INCIDENT.id, CARD, channel.send)
    assert await left(services) == []
    services.outside.wait(21)

    assert await left(services) == [CARD]


async def test_what_a_provider_refuses_for_good_is_not_sent_again(
    services: FakeServices, channel: Channel
) -> None:
    await claimed(services, INCIDENT.id, CARD)
    channel.trouble = RejectedInput("teams-refused", "400 too large")
    await deliver(services, INCIDENT.id, CARD, channel.send)
    services.outside.wait(21)

    assert await left(services) == []
    (effect,) = effects_done(services)
    assert effect.detail == "refused: teams-refused: 400 too large"


async def test_a_claim_can_go_with_other_writes_and_then_conflicts(
    services: FakeServices,
) -> None:
    await services.state.write(SHARD, [claim(services, INCIDENT.id, "page-0")])

    with pytest.raises(Conflict):
        await services.state.write(SHARD, [claim(services, INCIDENT.id, "page-0")])


async def test_only_effects_of_the_kind_are_taken_up(services: FakeServices) -> None:
    for name in (CARD, "page-0"):
        await claimed(services, INCIDENT.id, name)
    services.outside.wait(21)

    assert await left(services, "page-") == ["page-0"]


@pytest.mark.parametrize("turn", range(1, 8))
async def test_two_that_deliver_at_the_same_time_send_once(
    services: FakeServices, channel: Channel, turn: int
) -> None:
    await claimed(services, INCIDENT.id, CARD)
    other = services.another("two")
    services.outside.turns.at(turn, lambda: deliver(other, INCIDENT.id, CARD, channel.send))

    await deliver(services, INCIDENT.id, CARD, channel.send)

    assert channel.got == [CARD]
    assert len(effects_done(services)) == 1
    assert services.state.rows(SHARD, "~") == []


async def test_a_sender_that_died_is_followed_by_another_after_a_while(
    services: FakeServices, channel: Channel
) -> None:
    async def perish(_: Effect) -> str:
        raise Killed

    await claimed(services, INCIDENT.id, CARD)
    with pytest.raises(Killed):
        await deliver(services, INCIDENT.id, CARD, perish)

    await deliver(services, INCIDENT.id, CARD, channel.send)
    assert channel.got == []
    services.outside.wait(ABANDONED_AFTER.total_seconds() + 1)
    await deliver(services, INCIDENT.id, CARD, channel.send)
    assert channel.got == [CARD]


async def test_a_slow_sender_puts_nothing_back_that_another_has_sent(
    services: FakeServices, channel: Channel
) -> None:
    async def answer_late(_: Effect) -> str:
        services.outside.wait(ABANDONED_AFTER.total_seconds() + 1)
        await deliver(services.another("two"), INCIDENT.id, CARD, channel.send)
        raise Unavailable("teams", "no answer")

    await claimed(services, INCIDENT.id, CARD)
    with pytest.raises(Unavailable):
        await deliver(services, INCIDENT.id, CARD, answer_late)

    assert channel.got == [CARD]
    assert services.state.rows(SHARD, "~") == []


def test_a_pager_and_its_fallback_have_answered_before_another_worker_sends() -> None:
    tables_s = 5.0
    assert 2 * webhook._TIMEOUT_S + tables_s <= ABANDONED_AFTER.total_seconds()
