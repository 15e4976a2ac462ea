"""Orders: whether the trouble is on depends on the set of alerts that came, on nothing else."""

from itertools import product

import pytest

from responders.alert.triage import triage
from shared.protocol.intake import accept
from tests.batteries.orders import EVENTS, Ending, Race, ending, expected
from tests.batteries.playing import Broken, play
from tests.batteries.soak import SOAK
from tests.fakes import FakeServices
from tests.fakes.scene import message, new_services

LENGTH = 6
RACES = 400 * SOAK
BLOCK = 100


async def take_all(names: tuple[str, ...]) -> FakeServices:
    """One worker takes these events in this order; each command comes once more."""
    services = new_services()
    for name in names:
        key, _ = await accept(services, EVENTS[name])
        for _ in range(2):
            await triage(services, message("triage", key))
    return services


@pytest.mark.parametrize("first", sorted(EVENTS))
async def test_every_order_of_six_alerts_ends_as_their_set_says(first: str) -> None:
    for rest in product(EVENTS, repeat=LENGTH - 1):
        names = (first, *rest)
        services = await take_all(names)
        found = ending(services.outside)
        assert found == expected(names), f"{' '.join(names)} ended as {found}"


def raced(seed: int) -> tuple[str, Ending | None]:
    """What broke in a race, and where it ended."""
    race = Race(seed)
    try:
        found = play(race.scheduler, race.run)
    except Broken as error:
        return f"seed {seed}, {' '.join(race.names)}: {error}", None
    if found != expected(race.names):
        return f"seed {seed}, {' '.join(race.names)}: ended as {found}", found
    return "", found


@pytest.mark.parametrize("first", range(0, RACES, BLOCK))
def test_three_workers_that_race_end_where_one_would(first: int) -> None:
    broken = [line for line, _ in map(raced, range(first, first + BLOCK)) if line]

    assert broken == []


def test_the_same_race_is_run_again_by_its_seed() -> None:
    one, other = Race(5), Race(5)

    assert play(one.scheduler, one.run) == play(other.scheduler, other.run)
    assert one.scheduler.trace == other.scheduler.trace


def test_the_model_tells_the_four_endings_apart() -> None:
    assert expected(["Fired1"]).fires
    assert not expected(["Fired1", "Resolved1"]).fires
    assert expected(["Fired2", "Resolved1"]).fires
    assert not expected(["Fired1", "Resolved2"]).fires
