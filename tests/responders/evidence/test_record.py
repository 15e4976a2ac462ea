"""Record: exactly one row an event, in chains that verify, whoever else appends."""

import contextlib
from datetime import timedelta

import msgspec
import pytest

from responders.evidence.record import record
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.ledger.chain import MAX_EVENTS, Head
from shared.domain.ledger.record import LedgerRow
from shared.domain.ledger.verification import Verification, verify
from shared.domain.message import Message
from shared.errors import Unavailable
from shared.protocol.commit import telling
from shared.protocol.evidence.ledger import MARKS
from shared.protocol.kept import list_kept
from tests.fakes import FakeServices, Killed, die
from tests.fakes.scene import NOW, SERVICE, SHARD, new_services

PART = f"{SHARD}-202611"


def event(number: int, **changes: object) -> ChangeEvent:
    made = ChangeEvent(
        id=f"event-{number}",
        kind=EventKind.NOTED,
        service=SERVICE.name,
        actor="Ada",
        what=f"did {number}",
        why="a test",
        happened_at=NOW,
        recorded_at=NOW,
    )
    return msgspec.structs.replace(made, **changes)


def batch(*numbers: int) -> list[Message]:
    return [telling(event(number)) for number in numbers]


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def ledger(services: FakeServices, partition: str = PART) -> list[str]:
    """The ids of the partition's events in order; the chain must verify against its head."""
    rows = await services.ledger.scan(partition, "seq|", LedgerRow)
    head = await services.ledger.read(partition, "head", Head)
    chain = [row.value for row in rows]
    checked = verify(chain, head.value if head else None)
    assert checked == Verification(ok=True, events=len(chain))
    return [row.event_id for row in chain]


async def test_a_batch_is_chained_in_its_order(services: FakeServices) -> None:
    await record(services, batch(1, 2))
    await record(services, batch(3))

    assert await ledger(services) == ["event-1", "event-2", "event-3"]


async def test_an_event_that_comes_again_is_one_row(services: FakeServices) -> None:
    await record(services, batch(1, 1, 2))
    await record(services, batch(2, 1, 3))

    assert await ledger(services) == ["event-1", "event-2", "event-3"]


async def test_more_than_a_transaction_holds_goes_in_several(services: FakeServices) -> None:
    numbers = range(2 * MAX_EVENTS + 3)

    await record(services, batch(*numbers))

    assert await ledger(services) == [f"event-{number}" for number in numbers]


async def test_services_and_months_have_chains_of_their_own(services: FakeServices) -> None:
    other = event(1, service="policy-search")
    later = event(2, recorded_at=NOW + timedelta(days=30))

    await record(services, [telling(event(0)), telling(other), telling(later)])

    assert len(set(services.ledger.partitions()) - {MARKS}) == 3
    assert await ledger(services, f"{SHARD}-202612") == ["event-2"]


async def test_two_that_append_at_once_both_end_up_in_one_chain(services: FakeServices) -> None:
    other = services.another("two")
    services.outside.turns.once("ledger.write", lambda: record(other, batch(3, 2)))

    await record(services, batch(1, 2))

    assert await ledger(services) == ["event-3", "event-2", "event-1"]


async def test_bad_events_are_kept_apart_and_hold_up_no_good_one(services: FakeServices) -> None:
    incomplete = telling(event(1, why=" "))
    nonsense = Message(subject="x", body="{", message_id="x")
    too_large = telling(event(2, evidence={"count": 2**60}))

    await record(services, [nonsense, incomplete, too_large, telling(event(3))])

    assert await ledger(services) == ["event-3"]
    kept, _ = await list_kept(services)
    assert {one.reason for one in kept} == {"not-an-event", "incomplete-event", "not-canonical"}


async def test_tables_that_are_out_make_the_host_try_again(services: FakeServices) -> None:
    services.outside.tables_out(out=True)
    with pytest.raises(Unavailable):
        await record(services, batch(1))
    services.outside.tables_out(out=False)

    await record(services, batch(1))

    assert await ledger(services) == ["event-1"]


async def test_an_append_that_was_not_heard_of_is_not_made_twice(services: FakeServices) -> None:
    services.ledger.lost_answers = 1
    with pytest.raises(Unavailable):
        await record(services, batch(1))

    await record(services, batch(1))

    assert await ledger(services) == ["event-1"]


@pytest.mark.parametrize("number", range(1, 10))
async def test_killed_anywhere_each_event_is_recorded_once(
    services: FakeServices, number: int
) -> None:
    services.outside.turns.at(number, die)
    with contextlib.suppress(Killed):
        await record(services, batch(1, 2))
    services.outside.turns.forget()

    await record(services, batch(1, 2, 3))

    assert await ledger(services) == ["event-1", "event-2", "event-3"]


async def test_nothing_at_all_is_nothing(services: FakeServices) -> None:
    await record(services, [])

    assert services.ledger.partitions() == []
