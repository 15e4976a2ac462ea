"""Whoever is due has its turn, however many they are and whatever befalls one of them."""

import asyncio

import pytest

from shared.protocol import rounds
from shared.protocol.rounds import LANES, find_due, go_round
from tests.fakes.scene import new_services
from tests.fakes.services import FakeServices

EVERY_S = 300.0
MANY = {f"e{number:02d}": EVERY_S for number in range(60)}


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def play(services: FakeServices, *, takes_s: float = 0.0) -> list[str]:
    visited: list[str] = []

    async def visit(name: str) -> None:
        visited.append(name)
        await asyncio.sleep(takes_s)

    await go_round(services, "look", find_due(services, "look", MANY), visit)
    return visited


async def test_everybody_is_gone_to_once_until_it_is_time_again(services: FakeServices) -> None:
    assert sorted(await play(services)) == sorted(MANY)
    assert await play(services) == []

    services.outside.wait(EVERY_S)

    assert sorted(await play(services)) == sorted(MANY)


async def test_another_job_has_its_own_turns(services: FakeServices) -> None:
    await play(services)

    assert find_due(services, "other", MANY) == list(MANY)


async def test_a_round_that_is_too_long_goes_on_in_the_next_tick(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "ROUND_S", 0.05)
    first = await play(services, takes_s=0.06)
    assert len(first) <= LANES

    seen = list(first)
    while len(seen) < len(MANY):
        seen += await play(services, takes_s=0.06)

    assert sorted(seen) == sorted(MANY)  # nobody twice before everybody once


async def test_who_waits_longest_is_first(services: FakeServices) -> None:
    await play(services)
    services.outside.wait(EVERY_S)
    await go_round(services, "look", ["e05", "e07"], _nothing)
    services.outside.wait(EVERY_S)

    assert find_due(services, "look", MANY)[-2:] == ["e05", "e07"]


async def _nothing(name: str) -> None:
    assert name


async def test_a_mistake_with_one_keeps_no_other_from_its_turn(services: FakeServices) -> None:
    visited: list[str] = []

    async def visit(name: str) -> None:
        visited.append(name)
        if name == "e03":
            raise ValueError(name)

    with pytest.raises(ExceptionGroup) as raised:
        await go_round(services, "look", list(MANY), visit)

    assert visited == list(MANY)
    assert [str(error) for error in raised.value.exceptions] == ["e03"]
