"""Probing: synthetic requests that never count as a customer's."""

import pytest

from shared.protocol.probing import probe
from tests.fakes import FakeServices
from tests.fakes.scene import SERVICE, SNAPSHOT, new_services
from tests.shared.domain.decisions.worked_case import alter

REGIONS = ("westeurope", "swedencentral")
EVERYWHERE = alter(SERVICE, regions=REGIONS)


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def test_every_probe_says_that_it_is_one(services: FakeServices) -> None:
    await probe(services, EVERYWHERE, SNAPSHOT, "v1", "", 4)

    assert len(services.scoring.payloads) == 4
    assert all(payload["probe"] for payload in services.scoring.payloads)


async def test_probes_go_to_the_hurt_region_or_to_all_in_turn(services: FakeServices) -> None:
    await probe(services, EVERYWHERE, SNAPSHOT, "v1", "northeurope", 1)
    await probe(services, EVERYWHERE, SNAPSHOT, "v1", "", 3)

    regions = [payload["region"] for payload in services.scoring.payloads]
    assert regions == ["northeurope", "westeurope", "swedencentral", "westeurope"]


async def test_a_service_that_names_no_regions_is_asked_without_one(
    services: FakeServices,
) -> None:
    await probe(services, alter(SERVICE, regions=()), SNAPSHOT, "v1", "", 2)

    assert all("region" not in payload for payload in services.scoring.payloads)


async def test_a_pinned_probe_asks_one_version_and_another_what_customers_get(
    services: FakeServices,
) -> None:
    services.scoring.failing.add("v2")

    pinned = await probe(services, SERVICE, SNAPSHOT, "v1", "", 2)
    unpinned = await probe(services, SERVICE, SNAPSHOT, None, "", 2)

    assert pinned is not None
    assert pinned.ok
    assert unpinned is not None
    assert (unpinned.passed, unpinned.answered_by) == (0, {"v2": 2})


async def test_a_route_that_cannot_be_asked_proves_nothing(services: FakeServices) -> None:
    services.scoring.out = True

    assert await probe(services, SERVICE, SNAPSHOT, "v1", "", 2) is None
