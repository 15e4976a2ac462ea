"""What a deployment is made of, as the real SDK reads it: every part that serves, and no secret."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from infra.local.foundry.resources import Document
from infra.local.foundry.seed import SERVICE, seed
from infra.local.foundry.world import World
from shared.adapters.endpoint import Endpoints
from shared.domain.decisions.endpoint import parse_target
from tests.infra.local.foundry.serving import arm_served

# azure-ai-ml notes its own calls with a function that 3.12 deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.*utcnow:DeprecationWarning:azure.ai.ml")

SECRET = "hunter2-hunter2"
PROPERTIES = {
    "model": "/models/fnol/versions/7",
    "environmentId": "/environments/fnol/versions/3",
    "environmentVariables": {"THRESHOLD": "0.7", "API_KEY": SECRET},
    "codeConfiguration": {"codeId": "/codes/1", "scoringScript": "score.py"},
    "requestSettings": {"requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 1},
}


@pytest.fixture
def world() -> World:
    world = World()
    seed(world)
    world.deployment(SERVICE, "v1").properties.update(PROPERTIES)
    return world


@pytest.fixture
def document(world: World) -> Document:
    """The document of v1, which every reading shows."""
    return world.deployment(SERVICE, "v1").document


@pytest.fixture
async def read(world: World) -> AsyncIterator[Callable[[], Any]]:
    """Read what v1 is made of, through the SDK."""
    target = parse_target(world.endpoint(SERVICE).id)
    async with arm_served(world) as url:
        adapter = Endpoints(None, url)

        async def parts() -> dict[str, str]:
            found = (await adapter.read(target)).deployment("v1")
            assert found is not None
            return found.definition

        yield parts
        await adapter.close()


async def test_the_parts_have_names_that_people_know(read: Callable[[], Any]) -> None:
    parts = await read()

    assert parts["model"] == "/models/fnol/versions/7"
    assert parts["environment"] == "/environments/fnol/versions/3"
    assert parts["scoring script"] == "score.py"
    assert {"code", "instance type", "request settings"} < parts.keys()
    assert {"variable THRESHOLD", "variable API_KEY"} < parts.keys()


async def test_no_value_of_a_variable_is_kept(read: Callable[[], Any]) -> None:
    assert SECRET not in str(await read())


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("model", {"model": "/models/fnol/versions/8"}),
        ("environment", {"environmentId": "/environments/fnol/versions/4"}),
        (
            "variable THRESHOLD",
            {"environmentVariables": {"THRESHOLD": "0.9", "API_KEY": SECRET}},
        ),
        ("instance type", {"instanceType": "Standard_DS4_v2"}),
        (
            "request settings",
            {"requestSettings": {"requestTimeout": "PT9S", "maxConcurrentRequestsPerInstance": 1}},
        ),
    ],
)
async def test_each_part_is_seen_to_change_alone(
    document: Document, read: Callable[[], Any], part: str, changes: Document
) -> None:
    before = await read()
    document["properties"].update(changes)
    after = await read()

    assert [name for name in before if before[name] != after[name]] == [part]


async def test_what_scales_or_labels_is_no_part(
    document: Document, read: Callable[[], Any]
) -> None:
    before = await read()
    document["sku"]["capacity"] = 9
    document["tags"]["owner"] = "somebody else"

    assert await read() == before


async def test_a_deployment_that_says_nothing_has_no_parts(
    document: Document, read: Callable[[], Any]
) -> None:
    for name in (*PROPERTIES, "instanceType"):
        del document["properties"][name]

    assert await read() == {}
