"""The ledger's rows: who appends leaves a mark, records are read on page by page."""

from datetime import timedelta

import pytest

from shared.errors import Conflict, Unavailable
from shared.protocol.evidence.ledger import (
    ATTEMPTS,
    MARKS,
    PAGE,
    all_records,
    append_events,
    clear_marks,
    find_recorded,
    read_marks,
    read_records,
)
from tests.fakes import FakeServices
from tests.fakes.scene import NOW, new_services
from tests.responders.evidence.test_record import PART, event


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def write(services: FakeServices, *numbers: int) -> None:
    await append_events(services, PART, [event(number) for number in numbers])


async def test_an_event_is_found_where_it_was_recorded(services: FakeServices) -> None:
    await write(services, 1, 2)

    found = await find_recorded(services, PART, "event-2")

    assert found is not None
    assert found.sequence == 2
    assert await find_recorded(services, PART, "event-3") is None


async def test_records_are_read_behind_a_sequence_number(services: FakeServices) -> None:
    await write(services, *range(1, 6))

    rows = await read_records(services, PART, after=2, limit=2)

    assert [row.value.sequence for row in rows] == [3, 4]


async def test_all_are_read_however_many_pages_they_are(services: FakeServices) -> None:
    count = PAGE + 7
    for first in range(0, count, 40):
        await write(services, *range(first, min(first + 40, count)))

    read = [row.sequence async for row in all_records(services, PART)]

    assert read == list(range(1, count + 1))


async def test_the_mark_is_there_before_the_record(services: FakeServices) -> None:
    services.outside.turns.once("ledger.read", lambda: _out(services))
    with pytest.raises(Unavailable):
        await write(services, 1)
    services.ledger.out = False

    assert [mark.row for mark in await read_marks(services)] == [PART]
    assert services.ledger.rows(PART) == []


async def _out(services: FakeServices) -> None:
    services.ledger.out = True


async def test_a_process_marks_a_partition_once_in_ten_minutes(services: FakeServices) -> None:
    for seconds, marked_at in ((0, 0), (599, 0), (1, 600)):
        services.outside.wait(seconds)
        await write(services, seconds)
        (mark,) = await read_marks(services)
        assert mark.value.at == NOW + timedelta(seconds=marked_at)


async def test_only_old_marks_are_taken_away(services: FakeServices) -> None:
    await write(services, 1)
    services.outside.wait(3_600)
    await clear_marks(services, await read_marks(services))
    assert services.ledger.rows(MARKS) == [PART]

    services.outside.wait(1)
    await clear_marks(services, await read_marks(services))
    assert services.ledger.rows(MARKS) == []


async def test_a_head_that_keeps_changing_is_a_part_that_is_out(services: FakeServices) -> None:
    await write(services, 0)
    for _ in range(ATTEMPTS):
        services.outside.turns.once("ledger.write", _conflict)

    with pytest.raises(Unavailable, match="kept changing"):
        await write(services, 1)


async def _conflict() -> None:
    raise Conflict("somebody else was first")
