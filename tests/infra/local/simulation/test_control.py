"""The control route: any service that is played can ship a version, and nothing else."""

from collections.abc import AsyncIterator
from random import Random
from typing import Any, cast

import aiohttp
import pytest

from infra.local.foundry.load import Load
from infra.local.foundry.seed import SERVICE, seed, seed_further
from infra.local.foundry.world import World
from infra.local.simulation.control import Simulation, create_control
from infra.local.simulation.plan import Plan, Ports
from tests.infra.local.foundry.quotes import QUOTES
from tests.infra.local.inbox.serving import serving

PORTS = Ports(bus=1, logs=1, arm=1, scoring=1, inbox=1, control=1, issuer=1)


@pytest.fixture
def world() -> World:
    world = World(operation_s=0.0)
    seed(world)
    seed_further(world, QUOTES)
    return world


def played(world: World, *, hopeless: bool = False) -> Simulation:
    draw = Random(1)  # noqa: S311
    loads = {name: Load("", 1.0, {"westeurope": 1.0}, draw) for name in (SERVICE, "quotes")}
    nobody = cast("Any", None)  # the parts that shipping has nothing to do with
    return Simulation(
        plan=Plan(ports=PORTS, alert_url="", data="", equally_bad=hopeless, block_writes=hopeless),
        world=world,
        loads=loads,
        store=nobody,
        bus=nobody,
        inbox=nobody,
        rules=nobody,
        alerts=nobody,
        issuer=nobody,
        logs=nobody,
        history_rows=0,
    )


@pytest.fixture
async def control(world: World) -> AsyncIterator[aiohttp.ClientSession]:
    async with serving(create_control(played(world))) as url, aiohttp.ClientSession(url) as session:
        yield session


async def post(control: aiohttp.ClientSession, drill: str) -> int:
    async with control.post(f"/drills/{drill}") as answer:
        return answer.status


def served(world: World, service: str) -> dict[str, int]:
    world.settle()
    return dict(world.endpoint_of(service).properties["traffic"])


async def test_a_further_service_ships_and_leaves_the_first_alone(
    control: aiohttp.ClientSession, world: World
) -> None:
    assert await post(control, "ship-v2?service=quotes") == 200
    assert served(world, "quotes") == {"v1": 0, "v2": 100}
    assert served(world, SERVICE) == {"v1": 100, "v2": 0}
    assert await post(control, "ship-v1?service=quotes") == 200
    assert served(world, "quotes") == {"v1": 100, "v2": 0}


async def test_the_first_service_ships_where_none_is_named(
    control: aiohttp.ClientSession, world: World
) -> None:
    assert await post(control, "ship-v2") == 200
    assert served(world, SERVICE) == {"v1": 0, "v2": 100}


@pytest.mark.parametrize("drill", ["region-out?service=quotes", "ship-v2?service=offers", "none"])
async def test_what_cannot_be_played_is_not_found(
    control: aiohttp.ClientSession, world: World, drill: str
) -> None:
    assert await post(control, drill) == 404
    assert served(world, "quotes") == {"v1": 100, "v2": 0}
    assert world.troubles.regions_out == set()


def test_where_the_plan_says_so_v1_is_as_bad_as_v2_and_arm_refuses_to_go_back(world: World) -> None:
    played(world, hopeless=True).ship()
    versions = world.endpoint_of(SERVICE).deployments
    assert versions["v2"].later is not None
    assert versions["v1"].behaviour == versions["v2"].later
    assert [fault.status for fault in world.faults] == [403]
