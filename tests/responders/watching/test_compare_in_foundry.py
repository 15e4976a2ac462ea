"""Compare, over the real SDK and the local Foundry: what somebody does to it is seen there."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import cached_property
from typing import override

import msgspec
import pytest

from infra.local.foundry.seed import SERVICE as ENDPOINT
from infra.local.foundry.seed import seed
from infra.local.foundry.world import World
from infra.local.foundry.writes import shift_traffic
from responders.watching.compare import compare
from shared.adapters.endpoint import Endpoints
from shared.domain.catalog import Target, TargetKind
from shared.domain.decisions.endpoint import parse_target
from shared.domain.decisions.release import Release
from shared.domain.lineage.explanation import GRACE
from shared.protocol.leftovers import Leftovers
from shared.protocol.lineage import release_puts
from tests.fakes import FakeServices, catalog_of, make_settings
from tests.fakes.scene import NOW, SERVICE, SHARD, kinds, new_services, told
from tests.infra.local.foundry.serving import arm_served

# azure-ai-ml notes its own calls with a function that 3.12 deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.*utcnow:DeprecationWarning:azure.ai.ml")

NOTHING = Leftovers(messages={}, effects=[], intents=[])


class Served(FakeServices):
    """Fakes, but for the endpoint: that is read from an ARM server."""

    arm: str

    @cached_property
    @override
    def endpoints(self) -> Endpoints:  # type: ignore[override] # the real one
        return Endpoints(None, self.arm)


def release(version: str, deployment: str, prompt: str) -> Release:
    return Release(
        service=SERVICE.name,
        version=version,
        deployment=deployment,
        who="pipeline",
        why="as planned",
        prompt_revision=prompt,
        registered_at=NOW - timedelta(days=3),
    )


@pytest.fixture
def world() -> World:
    world = World(operation_s=0.0)
    seed(world)
    variables = {"CONFIDENCE_THRESHOLD": "0.7"}
    world.deployment(ENDPOINT, "v1").properties["environmentVariables"] = variables
    return world


@pytest.fixture
async def services(world: World) -> AsyncIterator[Served]:
    """Both versions are registered, v1 serves, and it was looked at once."""
    target = Target(
        kind=TargetKind.ONLINE_ENDPOINT, id=parse_target(world.endpoint(ENDPOINT).id).id
    )
    async with arm_served(world) as url:
        made = Served(new_services().outside, make_settings())
        made.arm = url
        made.outside.catalog = catalog_of(msgspec.structs.replace(SERVICE, targets=(target,)))
        for one in (release("1.0", "v1", "p12"), release("2.0", "v2", "p13")):
            await made.state.write(SHARD, release_puts(one))
        await compare(made, NOTHING)
        yield made
        await made.endpoints.close()


async def unattributed(services: Served) -> list[str]:
    """The sentences that were told, once whoever did it had their time to explain it."""
    for seconds in (300.0, GRACE.total_seconds()):
        services.outside.wait(seconds)
        await compare(services, NOTHING)
    return [event.why for event in told(services) if event.kind == "change.unattributed"]


async def test_a_world_as_it_is_declared_is_quiet(services: Served) -> None:
    assert await unattributed(services) == []
    assert kinds(services) == []


async def test_a_threshold_that_somebody_puts_back_is_told(world: World, services: Served) -> None:
    variables = {"CONFIDENCE_THRESHOLD": "0.4"}
    world.deployment(ENDPOINT, "v1").properties["environmentVariables"] = variables

    assert await unattributed(services) == [
        "v1 was changed after release 1.0: variable CONFIDENCE_THRESHOLD."
    ]


async def test_a_prompt_that_somebody_edits_in_place_is_told(
    world: World, services: Served
) -> None:
    world.deployment(ENDPOINT, "v1").document["tags"]["backstop.prompt_version"] = "p12-edited"

    assert await unattributed(services) == [
        "v1 serves prompt p12-edited, and release 1.0 declares p12."
    ]


async def test_traffic_that_somebody_moves_is_told(world: World, services: Served) -> None:
    shift_traffic(world, ENDPOINT, {"v1": 50, "v2": 50}, "somebody")
    world.settle()

    assert await unattributed(services) == [
        "The traffic went from v1 100 % to v1 50 %, v2 50 %: no release or rollback explains it."
    ]


async def test_a_version_that_nobody_registered_is_told(world: World, services: Served) -> None:
    world.add_deployment(world.endpoint(ENDPOINT), "v3")
    shift_traffic(world, ENDPOINT, {"v1": 90, "v3": 10}, "somebody")
    world.settle()

    assert "v3 takes live traffic, and no release of it is registered." in await unattributed(
        services
    )
