"""Listing: newest first, in pages; the pointers may be wrong, the incidents never are."""

from datetime import timedelta

import pytest

from shared.domain.incident import State
from shared.protocol.listing import EVER, OPEN, list_incidents, open_incidents, point_to
from tests.fakes import FakeServices
from tests.fakes.scene import INCIDENT, NOW, SHARD, new_services, store_incident


@pytest.fixture
def services() -> FakeServices:
    return new_services()


def name(number: int) -> str:
    return f"INC-{SHARD}-261123-{number:08X}"


async def store(services: FakeServices, count: int, state: State = State.HELD) -> None:
    for number in range(count):
        await store_incident(
            services, id=name(number), opened_at=NOW + timedelta(minutes=number), state=state
        )


async def test_the_newest_incident_comes_first(services: FakeServices) -> None:
    await store(services, 3)

    incidents, following = await list_incidents(services)

    assert [incident.id for incident in incidents] == [name(2), name(1), name(0)]
    assert following == ""


async def test_pages_follow_one_another_without_gap_or_repeat(services: FakeServices) -> None:
    await store(services, 5)
    seen: list[str] = []
    after = ""

    for _ in range(3):
        page, after = await list_incidents(services, after=after, limit=2)
        seen += [incident.id for incident in page]

    assert seen == [name(number) for number in (4, 3, 2, 1, 0)]
    assert after == ""


async def test_an_incident_is_listed_before_it_is_stored_and_skipped_until_then(
    services: FakeServices,
) -> None:
    await point_to(services, INCIDENT)

    assert await list_incidents(services) == ([], "")
    assert await open_incidents(services) == []
    assert services.index.rows(OPEN) != []


async def test_a_resolved_incident_is_open_no_more_and_stays_listed(
    services: FakeServices,
) -> None:
    await store_incident(services, state=State.RESOLVED)

    assert await open_incidents(services) == []
    assert services.index.rows(OPEN) == []
    assert [incident.id for incident in (await list_incidents(services))[0]] == [INCIDENT.id]
    assert len(services.index.rows(EVER)) == 1


@pytest.mark.parametrize("state", [state for state in State if state is not State.RESOLVED])
async def test_every_other_state_is_open(services: FakeServices, state: State) -> None:
    await store_incident(services, state=state)

    assert [incident.id for incident in await open_incidents(services)] == [INCIDENT.id]


async def test_listing_twice_lists_once(services: FakeServices) -> None:
    await store_incident(services)
    await store_incident(services)

    assert len((await list_incidents(services))[0]) == 1
