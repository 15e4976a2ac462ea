"""One world for all stories of this folder that a process plays."""

from collections.abc import Iterator

import msgspec
import pytest

from infra.local.world import World
from tests.world.stage import QUICK, staged_world
from tests.world.together.services import write_services

PACE = msgspec.structs.replace(QUICK, patience_s=0.5)  # no telemetry will ever come


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world with a service for each story; no customers come."""
    folder = tmp_path_factory.mktemp("together")
    catalog = write_services(folder / "catalog")
    with staged_world(folder / "world", pace=PACE, catalog=catalog) as running:
        yield running
