"""The chain of one partition: each record holds the hash of the one before it.

`shared.protocol.evidence.ledger` appends in one transaction with the head. The chain alone cannot
show a cut tail or a chain made anew: the heads are put under seals (`seal.py`), which are kept
elsewhere.
"""

from collections.abc import Iterable, Sequence

import msgspec

from shared.domain.event import ChangeEvent
from shared.domain.ledger.record import LedgerRow, body_fits, hash_of, make_record, partition_of
from shared.errors import RejectedInput

GENESIS = "0" * 64
MAX_EVENTS = 48  # two rows an event and the head: within one table transaction of 100


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one partition's chain: how many records it has and the last one's hash."""

    partition: str
    sequence: int
    hash: str


def start_of(partition: str) -> Head:
    """The head of a partition without records."""
    return Head(partition=partition, sequence=0, hash=GENESIS)


def head_at(row: LedgerRow) -> Head:
    """The head of a chain that ends in this record."""
    return Head(partition=row.partition, sequence=row.sequence, hash=row.hash)


def append(
    head: Head | None, events: Sequence[ChangeEvent], partition: str
) -> tuple[Head, tuple[LedgerRow, ...]]:
    """Chain events to a partition, in their order; answer the new head and the rows to store.

    Drops nothing: leave out events that are recorded already. Raises RejectedInput where an event
    belongs to another partition or JSON cannot say it.
    """
    end = head or start_of(partition)
    rows = []
    for event in events:
        if partition_of(event) != partition:
            detail = f"event {event.id} belongs to {partition_of(event)}, not to {partition}"
            raise RejectedInput("wrong-partition", detail)
        row = make_record(
            event, partition=partition, sequence=end.sequence + 1, previous_hash=end.hash
        )
        end = head_at(row)
        rows.append(row)
    return end, tuple(rows)


def follow(head: Head, rows: Iterable[LedgerRow]) -> tuple[LedgerRow, ...]:
    """The records that go on from a head as they should, up to the first that does not."""
    good: list[LedgerRow] = []
    for row in rows:
        placed = (row.partition, row.sequence) == (head.partition, head.sequence + 1)
        linked = row.previous_hash == head.hash and row.hash == hash_of(row)
        if not (placed and linked and (row.purged if not row.body else body_fits(row))):
            break
        good.append(row)
        head = head_at(row)
    return tuple(good)
