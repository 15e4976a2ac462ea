"""The customers: they count what they got, and remember when it was good again."""

import asyncio
from random import Random
from typing import Any

import pytest

from infra.local.foundry.behaviour import Behaviour
from infra.local.foundry.load import Load, Observation
from infra.local.foundry.seed import SERVICE, seed
from infra.local.foundry.world import World
from tests.infra.local.foundry.serving import QUICK, scoring_served

REGIONS = {"westeurope": 0.5, "swedencentral": 0.5}


def load_of(url: str = "http://127.0.0.1:9", rate_per_s: float = 200.0) -> Load:
    return Load(f"{url}/endpoints/{SERVICE}/score", rate_per_s, REGIONS, Random(3))  # noqa: S311 - seeded on purpose


def world_with(behaviour: Behaviour) -> World:
    world = World()
    for deployment in seed(world).deployments.values():
        deployment.behaviour = behaviour
    return world


async def until_sent(load: Load, count: int) -> None:
    while load.good + load.bad < count:  # noqa: ASYNC110 - the load has no event for a count
        await asyncio.sleep(0.005)


async def test_every_request_is_answered_and_counted_once() -> None:
    async with scoring_served(world_with(QUICK)) as url:
        load = load_of(url)
        await load.start()
        await until_sent(load, 40)
        await load.stop()
    assert load.sent == load.good == len(load.observations)
    assert (load.bad, load.first_bad_at) == (0, None)
    assert load.by_deployment == {"v1": load.sent}
    assert {seen.region for seen in load.observations} == set(REGIONS)


async def test_every_request_names_one_of_its_regions_customers() -> None:
    world = world_with(QUICK)
    told: list[tuple[str, dict[str, Any]]] = []
    world.sink = lambda table, row: told.append((table, row["Properties"]))
    async with scoring_served(world) as url:
        load = load_of(url)
        await load.start()
        await until_sent(load, 40)
        await load.stop()

    homes: dict[str, set[str]] = {}
    for table, properties in told:
        if table == "AppRequests":
            tenant = properties["backstop.tenant"]
            homes.setdefault(tenant, set()).add(properties["backstop.region"])
    assert len(homes) == 2 * len(REGIONS)
    assert all(len(regions) == 1 for regions in homes.values())


async def test_bad_answers_are_counted_by_the_version_that_gave_them() -> None:
    failing = Behaviour(latency_ms=1.0, error_rate={"*": 1.0})
    async with scoring_served(world_with(failing)) as url:
        load = load_of(url)
        await load.start()
        await until_sent(load, 10)
        await load.stop()
    assert (load.good, load.bad) == (0, load.sent)
    assert load.first_bad_at == load.observations[0].at
    assert {(seen.deployment, seen.ok) for seen in load.observations} == {("v1", False)}


async def test_an_endpoint_that_is_gone_is_bad_and_nobody_is_named() -> None:
    load = load_of()
    await load.start()
    await until_sent(load, 3)
    await load.stop()
    assert load.good == 0
    assert set(load.by_deployment) == {""}


async def test_a_slow_answer_does_not_hold_up_the_next_request() -> None:
    world = world_with(Behaviour(latency_ms=400.0, error_rate={}))
    async with scoring_served(world) as url:
        load = load_of(url)
        await load.start()
        while load.sent < 5:  # noqa: ASYNC110 - the load has no event for a count
            await asyncio.sleep(0.001)
        answered_before = load.good
        await load.stop()
    assert answered_before == 0
    assert load.good == load.sent


async def test_stopping_what_never_started_does_nothing() -> None:
    await load_of().stop()


def remembered(*story: tuple[float, str, str, bool]) -> Load:
    load = load_of()
    for at, deployment, region, ok in story:
        load.observations.append(Observation(at=at, deployment=deployment, region=region, ok=ok))
    return load


class TestGoodAgain:
    STORY = (
        (1.0, "v2", "north", True),
        (2.0, "v2", "south", False),
        (3.0, "v2", "north", True),
        (4.0, "v1", "south", True),
        (5.0, "v1", "north", True),
        (6.0, "v1", "south", True),
    )

    @pytest.mark.parametrize(
        ("after", "n", "expected"),
        [(0.0, 1, 1.0), (0.0, 2, 4.0), (2.0, 4, 6.0), (3.0, 1, 4.0), (0.0, 5, None)],
    )
    def test_is_the_nth_good_answer_in_a_row(
        self, after: float, n: int, expected: float | None
    ) -> None:
        assert remembered(*self.STORY).nth_good_unpinned_after(after, n) == expected

    def test_may_ask_for_one_version_or_one_region(self) -> None:
        load = remembered(*self.STORY)
        assert load.nth_good_unpinned_after(0.0, 2, deployment="v1") == 5.0
        assert load.nth_good_unpinned_after(0.0, 2, region="south") == 6.0

    def test_the_first_bad_answer_after_a_time_is_found(self) -> None:
        load = remembered(*self.STORY)
        assert load.first_bad_after(0.0) == 2.0
        assert load.first_bad_after(0.0, deployment="v1") is None
        assert load.first_bad_after(2.0) is None
