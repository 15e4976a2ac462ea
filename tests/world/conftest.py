"""One running world a module, and a stage in front of it for each test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from infra.local.world import World
from tests.world.stage import QUICK, Stage, open_stage, staged_world


@pytest.fixture(scope="module")
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A world at the module's PACE; its tables are kept in a folder."""
    pace = getattr(request.module, "PACE", QUICK)
    with staged_world(tmp_path_factory.mktemp("world"), pace=pace) as running:
        yield running


@pytest.fixture
async def stage(world: World) -> AsyncIterator[Stage]:
    """The module's world, to be driven."""
    async with open_stage(world) as opened:
        yield opened
