"""Record: change events from topic `changes` into the ledger, in batches, exactly one row an event.

The executor's, because nobody who can be reached from outside may write the ledger. An append is
one transaction of the partition's head, its `seq|` rows and an `id|` row an event: where somebody
else was first, read again and leave out what is there already.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from itertools import batched

import msgspec

from shared.domain.event import ChangeEvent
from shared.domain.ledger.chain import MAX_EVENTS, Head, append
from shared.domain.ledger.completeness import complete
from shared.domain.ledger.record import LedgerRow, canonical, partition_of
from shared.domain.message import CHANGES, Message
from shared.domain.row import MUST_NOT_EXIST, Put, Stored
from shared.errors import Conflict, RejectedInput, Unavailable
from shared.protocol.quarantine import keep_message
from shared.services import Services

ATTEMPTS = 20


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """Says that an event is in the ledger, and where."""

    sequence: int


async def record(services: Services, messages: Sequence[Message]) -> None:
    """Append the events of a batch of messages. Raises Unavailable: the host tries again."""
    by_partition: dict[str, dict[str, ChangeEvent]] = defaultdict(dict)
    for message in messages:
        try:
            event = _event(message)
        except RejectedInput as error:
            await keep_message(services, "changes/record", CHANGES, message, error)
        else:
            by_partition[partition_of(event)][event.id] = event
    for partition, events in by_partition.items():
        for batch in batched(events.values(), MAX_EVENTS, strict=False):
            await _append(services, partition, batch)


def _event(message: Message) -> ChangeEvent:
    """The event of a message, fit for the ledger. Raises RejectedInput."""
    try:
        event = msgspec.json.decode(message.body, type=ChangeEvent)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise RejectedInput("not-an-event", str(error)) from None
    canonical(event)
    missing = complete(event)
    if missing:
        raise RejectedInput("incomplete-event", f"event {event.id} lacks {', '.join(missing)}")
    return event


async def _append(services: Services, partition: str, events: Sequence[ChangeEvent]) -> None:
    for _ in range(ATTEMPTS):
        head = await services.ledger.read(partition, "head", Head)
        known = await asyncio.gather(*(_is_recorded(services, partition, e) for e in events))
        missing = [event for event, is_known in zip(events, known, strict=True) if not is_known]
        if not missing:
            return
        try:
            await services.ledger.write(partition, _writes(partition, head, missing))
        except Conflict:
            continue
        return
    raise Unavailable("tables", f"the head of ledger partition {partition} kept changing")


async def _is_recorded(services: Services, partition: str, event: ChangeEvent) -> bool:
    return await services.ledger.read(partition, f"id|{event.id}", Recorded) is not None


def _writes(partition: str, head: Stored[Head] | None, events: Sequence[ChangeEvent]) -> list[Put]:
    new_head, rows = append(head.value if head else None, events, partition)
    etag = head.etag if head else MUST_NOT_EXIST
    return [Put(row="head", value=new_head, etag=etag), *(put for row in rows for put in _row(row))]


def _row(row: LedgerRow) -> tuple[Put, Put]:
    return (
        Put(row=f"seq|{row.sequence:012d}", value=row, etag=MUST_NOT_EXIST),
        Put(row=f"id|{row.event_id}", value=Recorded(sequence=row.sequence), etag=MUST_NOT_EXIST),
    )
