"""The ledger's rows: events are appended exactly once, partitions that moved are marked, read on.

`record` and `purge` append, `seal` and evidence read. A table cannot be asked which partitions
moved, so who appends leaves a mark first, at most one in ten minutes; `seal` takes away those that
are an hour old, once all that they name is sealed. An append is one transaction of the partition's
head, its `seq|` rows and an `id|` row an event: where somebody else was first, read again and leave
out what is there already.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import msgspec

from shared.domain.event import ChangeEvent
from shared.domain.ledger.chain import Head, append
from shared.domain.ledger.record import LedgerRow
from shared.domain.row import MUST_NOT_EXIST, Put, Remove, Stored
from shared.errors import Conflict, Unavailable
from shared.services import Services

ATTEMPTS = 20
MARKS = "moved"  # the partition of the marks; a row each, named by the ledger's partition
MARK_EVERY = timedelta(minutes=10)
MARK_LASTS = timedelta(hours=1)
PAGE = 1000


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """Says that an event is in the ledger, and where."""

    sequence: int


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Says that something is appended to a partition about now."""

    at: datetime


async def append_events(services: Services, partition: str, events: Sequence[ChangeEvent]) -> None:
    """Append what is not recorded yet, at most 48 events. Raises Unavailable."""
    await _mark(services, partition)
    for _ in range(ATTEMPTS):
        head = await services.ledger.read(partition, "head", Head)
        known = await asyncio.gather(
            *(find_recorded(services, partition, event.id) for event in events)
        )
        missing = [event for event, found in zip(events, known, strict=True) if found is None]
        if not missing:
            return
        try:
            await services.ledger.write(partition, _writes(partition, head, missing))
        except Conflict:
            continue
        return
    raise Unavailable("tables", f"the head of ledger partition {partition} kept changing")


async def find_recorded(services: Services, partition: str, event_id: str) -> Recorded | None:
    """Where in a partition an event is recorded; None where it is not. Raises Unavailable."""
    found = await services.ledger.read(partition, f"id|{event_id}", Recorded)
    return found.value if found else None


async def read_records(
    services: Services, partition: str, *, after: int = 0, limit: int = PAGE
) -> list[Stored[LedgerRow]]:
    """The records behind a sequence number, in their order, at most `limit`."""
    behind = record_row(after) if after else ""
    return await services.ledger.scan(partition, "seq|", LedgerRow, after=behind, limit=limit)


async def all_records(services: Services, partition: str) -> AsyncIterator[LedgerRow]:
    """Every record of a partition, page by page, so that no memory holds them all."""
    after = ""
    while page := await services.ledger.scan(partition, "seq|", LedgerRow, after=after, limit=PAGE):
        for stored in page:
            yield stored.value
        after = page[-1].row


def record_row(sequence: int) -> str:
    """The row of a record, which a range read gives in order."""
    return f"seq|{sequence:012d}"


async def read_marks(services: Services) -> list[Stored[Mark]]:
    """The partitions to which something was appended lately, by name. Raises Unavailable."""
    return await services.ledger.scan(MARKS, "", Mark)


async def clear_marks(services: Services, marks: Sequence[Stored[Mark]]) -> None:
    """Take away marks that are old: whoever relied on one has long written.

    One that was renewed since it was read stays.
    """
    now = services.now()
    for mark in marks:
        if now - mark.value.at > MARK_LASTS:
            with contextlib.suppress(Conflict):
                await services.ledger.write(MARKS, [Remove(row=mark.row, etag=mark.etag)])


async def _mark(services: Services, partition: str) -> None:
    now = services.now()
    marked = services.memory.marked.get(partition)
    if marked is None or now - marked >= MARK_EVERY:
        await services.ledger.write(MARKS, [Put(row=partition, value=Mark(at=now))])
        services.memory.marked[partition] = now


def _writes(partition: str, head: Stored[Head] | None, events: Sequence[ChangeEvent]) -> list[Put]:
    new_head, rows = append(head.value if head else None, events, partition)
    etag = head.etag if head else MUST_NOT_EXIST
    return [Put(row="head", value=new_head, etag=etag), *(put for row in rows for put in _row(row))]


def _row(row: LedgerRow) -> tuple[Put, Put]:
    return (
        Put(row=record_row(row.sequence), value=row, etag=MUST_NOT_EXIST),
        Put(row=f"id|{row.event_id}", value=Recorded(sequence=row.sequence), etag=MUST_NOT_EXIST),
    )
