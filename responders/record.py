"""Record: change events from topic `changes` into the ledger, in batches, exactly one row an event.

The executor's, because nobody who can be reached from outside may write the ledger. An append is
one transaction of the partition's head, its `seq|` rows and an `id|` row an event: where somebody
else was first, read again and leave out what is there already.
"""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from shared.domain.event import ChangeEvent
from shared.domain.ledger import Head, LedgerRow, append, partition_of
from shared.domain.message import Message
from shared.domain.row import MUST_NOT_EXIST, Put, Stored
from shared.errors import Conflict, RejectedInput, Unavailable
from shared.protocol.settle import quarantine
from shared.services import Services

BATCH = 48  # head, two rows an event: under the 100 of a transaction
ATTEMPTS = 20


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """Says that an event is in the ledger, and where."""

    sequence: int


async def record(services: Services, messages: Sequence[Message]) -> None:
    """Append the events of a batch of messages. Raises Unavailable: the host tries again."""
    by_partition: dict[str, dict[str, ChangeEvent]] = defaultdict(dict)
    for message in messages:
        try:
            event = msgspec.json.decode(message.body, type=ChangeEvent)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            wrong = RejectedInput("not-an-event", str(error))
            await quarantine(services, "changes/record", message.body, wrong)
        else:
            by_partition[partition_of(event)][event.id] = event
    for partition, events in by_partition.items():
        waiting = list(events.values())
        for start in range(0, len(waiting), BATCH):
            await _append(services, partition, waiting[start : start + BATCH])


async def _append(services: Services, partition: str, events: list[ChangeEvent]) -> None:
    for _ in range(ATTEMPTS):
        head = await services.ledger.read(partition, "head", Head)
        missing = [event for event in events if not await _is_recorded(services, partition, event)]
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
