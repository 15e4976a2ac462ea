"""Listing: newest first, in pages; the pointers may be wrong, the incidents never are."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.domain.incidents.incident import State
from shared.domain.row import Put
from shared.errors import Unavailable
from shared.protocol.listing import (
    ABANDONED_AFTER,
    EVER,
    OPEN,
    Pointer,
    list_incidents,
    open_incidents,
    point_to,
    pointer_row,
)
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


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """What another version has written where an incident or a pointer is expected."""

    incident: int = 1


async def test_an_incident_that_cannot_be_read_hides_no_other_and_stays_listed(
    services: FakeServices,
) -> None:
    await store(services, 3)
    await services.state.write(SHARD, [Put(row=f"incident|{name(1)}", value=Foreign())])

    services.outside.wait((ABANDONED_AFTER + timedelta(minutes=5)).total_seconds())

    assert [one.id for one in await open_incidents(services)] == [name(2), name(0)]
    assert [one.id for one in (await list_incidents(services))[0]] == [name(2), name(0)]
    assert [len(services.index.rows(part)) for part in (OPEN, EVER)] == [3, 3]


async def test_a_pointer_that_cannot_be_read_hides_no_incident(services: FakeServices) -> None:
    await store(services, 2)
    await services.index.write(OPEN, [Put(row="000000000000|damaged", value=Foreign())])

    assert [one.id for one in await open_incidents(services)] == [name(1), name(0)]


async def test_tables_that_are_out_list_nothing(services: FakeServices) -> None:
    await store(services, 2)
    services.state.out = True

    with pytest.raises(Unavailable):
        await open_incidents(services)


async def test_an_incident_is_listed_before_it_is_stored_and_skipped_until_then(
    services: FakeServices,
) -> None:
    await point_to(services, INCIDENT)

    assert await list_incidents(services) == ([], "")
    assert await open_incidents(services) == []
    assert services.index.rows(OPEN) != []


async def dangle(services: FakeServices, number: int, **changes: Any) -> None:
    """Somebody points to an incident and dies, or loses the race to open it."""
    await point_to(services, msgspec.structs.replace(INCIDENT, id=name(number), **changes))


async def test_a_pointer_to_what_was_never_stored_is_removed_after_a_while(
    services: FakeServices,
) -> None:
    await store(services, 1)
    await dangle(services, 7, opened_at=NOW)

    services.outside.wait((ABANDONED_AFTER + timedelta(seconds=1)).total_seconds())
    assert [incident.id for incident in await open_incidents(services)] == [name(0)]

    for part in (OPEN, EVER):
        (row,) = services.index.rows(part)
        assert row.endswith(name(0))


async def test_a_second_pointer_to_one_incident_lists_it_once_and_goes(
    services: FakeServices,
) -> None:
    await store(services, 1)
    await dangle(services, 0, opened_at=NOW + timedelta(seconds=1))

    services.outside.wait(700)
    assert len((await list_incidents(services))[0]) == 1
    assert len(await open_incidents(services)) == 1
    assert [len(services.index.rows(part)) for part in (OPEN, EVER)] == [1, 1]


async def test_pointers_to_nothing_leave_no_gap_in_a_page(services: FakeServices) -> None:
    await store(services, 3)
    for number in range(10, 20):
        await dangle(services, number, opened_at=NOW + timedelta(minutes=1))

    page, after = await list_incidents(services, limit=2)
    rest, end = await list_incidents(services, after=after, limit=2)

    assert [incident.id for incident in (*page, *rest)] == [name(2), name(1), name(0)]
    assert end == ""


async def test_an_open_incident_behind_a_thousand_newer_pointers_is_found(
    services: FakeServices,
) -> None:
    await store(services, 1)
    newer = NOW + timedelta(seconds=1)
    ghosts = [
        msgspec.structs.replace(INCIDENT, id=name(n), opened_at=newer) for n in range(1, 1002)
    ]
    for some in (ghosts[n : n + 100] for n in range(0, len(ghosts), 100)):
        puts = [
            Put(row=pointer_row(one), value=Pointer(incident=one.id, opened_at=newer))
            for one in some
        ]
        await services.index.write(OPEN, puts)

    assert [incident.id for incident in await open_incidents(services)] == [name(0)]


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
