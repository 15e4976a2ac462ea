"""Purge: remove the bodies of records whose time is over, and leave every chain verifiable.

The executor's tick looks at one page of one partition, each partition once a day, and only at what
is sealed. An event of its own is appended first; then the bodies go. Hash, id, kind, time, sequence
and the body's digest stay.
"""

import logging

from shared.domain.ledger.chain import Head
from shared.domain.ledger.hold import is_held
from shared.domain.ledger.purge import tell_purged, without_body
from shared.domain.ledger.record import LedgerRow, partition_of
from shared.domain.ledger.retention import is_expired, may_have_expired
from shared.domain.row import Put, Stored
from shared.errors import Conflict, Unavailable
from shared.protocol.evidence.holds import read_holds
from shared.protocol.evidence.ledger import PAGE, append_events, find_recorded
from shared.protocol.leftovers import Leftovers
from shared.services import Services

log = logging.getLogger("backstop.purge")

MOST = 90  # bodies a tick: within one table transaction of 100
EVERY_S = 86_400.0


async def purge(services: Services, _: Leftovers) -> None:
    """Purge what is due of the partition whose turn it is. A part that is out: another time."""
    head = _whose_turn(services)
    if head is None:
        return
    try:
        await _look(services, head)
    except (Unavailable, Conflict) as error:
        log.warning("nothing is purged of %s now: %s", head.partition, error)


def _whose_turn(services: Services) -> Head | None:
    now, days = services.now(), services.settings.retention_days
    heads = services.memory.last_seal.heads if services.memory.last_seal else ()
    for head in heads:
        is_due = services.memory.turns.is_due("purge", EVERY_S, now, head.partition)
        if is_due and may_have_expired(head.partition, days, now):
            return head
    return None


async def _look(services: Services, head: Head) -> None:
    """Take the next page, and of that what one transaction holds."""
    name, days, now = head.partition, services.settings.retention_days, services.now()
    after = services.memory.purging_after.get(name, "")
    page = await services.ledger.scan(name, "seq|", LedgerRow, after=after, limit=PAGE)
    expired = [
        row
        for row in page
        if row.value.sequence <= head.sequence and is_expired(row.value, days, now)
    ]
    holds = await read_holds(services) if expired else []
    due = [row for row in expired if not is_held(row.value, holds)]
    if due:
        await _purge(services, due[:MOST])
    if len(due) > MOST:
        return  # the rest of this page comes next
    services.memory.purging_after[name] = page[-1].row if page else ""
    if len(page) < PAGE:
        services.memory.purging_after.pop(name, None)
        services.memory.turns.take("purge", now, name)


async def _purge(services: Services, rows: list[Stored[LedgerRow]]) -> None:
    """Tell first, then remove: a body that is gone is always accounted for."""
    why = "the retention period of their class is over"
    event = tell_purged([row.value for row in rows], why, services.now())
    partition = partition_of(event)
    await append_events(services, partition, [event])
    recorded = await find_recorded(services, partition, event.id)
    assert recorded is not None, "it was just appended"
    told_by = f"{partition}/{recorded.sequence}"
    puts = [Put(row=row.row, value=without_body(row.value, told_by), etag=row.etag) for row in rows]
    await services.ledger.write(rows[0].value.partition, puts)
    log.info("%s: %s", event.what, event.why)
