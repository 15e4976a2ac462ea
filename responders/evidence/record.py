"""Record: change events from topic `changes` into the ledger, in batches, exactly one row an event.

The executor's, because nobody who can be reached from outside may write the ledger. What says not
who, what, when or why, or tells of a change without what was before and after, is quarantined.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import batched

import msgspec

from shared.domain.event import ChangeEvent
from shared.domain.ledger.chain import MAX_EVENTS
from shared.domain.ledger.completeness import complete
from shared.domain.ledger.record import canonical, partition_of
from shared.domain.message import CHANGES, Message
from shared.errors import RejectedInput
from shared.protocol.evidence.echo import echo
from shared.protocol.evidence.ledger import append_events
from shared.protocol.quarantine import keep_message
from shared.services import Services


async def record(services: Services, messages: Sequence[Message]) -> None:
    """Append the events of a batch of messages. Raises Unavailable: the host tries again."""
    by_partition: dict[str, dict[str, ChangeEvent]] = defaultdict(dict)
    for message in messages:
        try:
            event = _event(services, message)
        except RejectedInput as error:
            await keep_message(services, "changes/record", CHANGES, message, error)
        else:
            by_partition[partition_of(event)][event.id] = event
    for partition, events in by_partition.items():
        for batch in batched(events.values(), MAX_EVENTS, strict=False):
            await append_events(services, partition, batch)
            echo(services, batch)


def _event(services: Services, message: Message) -> ChangeEvent:
    """The event of a message, fit for the ledger, which never forgets. Raises RejectedInput."""
    try:
        event = services.redactor.struct(msgspec.json.decode(message.body, type=ChangeEvent))
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise RejectedInput("not-an-event", str(error)) from None
    canonical(event)
    missing = complete(event)
    if missing:
        raise RejectedInput("incomplete-event", f"event {event.id} lacks {', '.join(missing)}")
    return event
