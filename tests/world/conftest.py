"""One running world a module, and a stage in front of it for each test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from infra.local.world import World
from tests.world.stage import QUICK, Stage, open_stage, staged_world


@pytest.fixture(scope="module")
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A world with the module's PLAN, at its PACE; its tables are kept in a folder.

    With SPARES it has so many targets with nothing behind them, for as many troubles at once.
    """
    folder = tmp_path_factory.mktemp("world")
    pace = getattr(request.module, "PACE", QUICK)
    plan = getattr(request.module, "PLAN", {})
    spares = getattr(request.module, "SPARES", 0)
    with staged_world(folder, pace=pace, spares=spares, **plan) as running:
        yield running


@pytest.fixture
async def stage(world: World) -> AsyncIterator[Stage]:
    """The module's world, to be driven."""
    async with open_stage(world) as opened:
        yield opened
