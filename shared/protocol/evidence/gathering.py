"""Gathering: the records of a scope, read once from the ledger into the parts of a bundle.

Every partition that may hold an event of the scope is written whole, as hashes; the events in scope
beside it, as they were recorded. What tells of purges is followed to where it lies. Reads a page at
a time, so a ledger of any size fits.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from shared.adapters.bundle_file import BundleFile
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.evidence.order import Order
from shared.domain.evidence.papers import TIMELINE, lines_of
from shared.domain.evidence.trail import Trail
from shared.domain.ledger.chain import Head
from shared.domain.ledger.export import record_lines
from shared.domain.ledger.record import LedgerRow, moment
from shared.domain.ledger.seal import Seal
from shared.errors import Unavailable
from shared.protocol.evidence.ledger import PAGE, read_marks, read_records
from shared.services import Services

LEDGER = "ledger.jsonl"
EVENTS = "events.jsonl"
SHOWN = 500  # lines of the timeline that the readable page has; the rest is in its file

DECISION, DIAGNOSIS = "decision", "diagnosis"  # what is kept beside the event that tells of it
_TOLD = {EventKind.DECIDED: DECISION, EventKind.DIAGNOSED: DIAGNOSIS}

type Report = Callable[[int, int], Awaitable[None]]


class Gathered:
    """What the records come to while they are read; the lines themselves are in the file."""

    def __init__(self) -> None:
        self.trail = Trail()
        self.records = 0
        self.last: dict[str, int] = {}  # by partition, the last record that is in scope
        self.incidents: set[str] = set()
        self.told: dict[str, list[str]] = {DECISION: [], DIAGNOSIS: []}  # ids of events
        self.shown: list[dict[str, Any]] = []

    def take(self, row: LedgerRow, body: bytes, file: BundleFile) -> None:
        """Add one event in scope to everything that is made of it."""
        self.last[row.partition] = row.sequence
        try:
            event = msgspec.json.decode(body, type=ChangeEvent)
        except msgspec.MsgspecError:  # no event of ours: it was touched, and verifying names it
            return
        self.trail.take(event)
        if event.incident:
            self.incidents.add(event.incident)
        if event.kind in _TOLD:
            self.told[_TOLD[event.kind]].append(event.id)
        for name, line in lines_of(event).items():
            file.add(name, line)
            if name == TIMELINE and len(self.shown) < SHOWN:
                self.shown.append(msgspec.json.decode(line))


async def gather(
    services: Services, order: Order, newest: Seal, file: BundleFile, report: Report
) -> Gathered:
    """Read every record that the order needs. Raises Unavailable where one is not sealed yet."""
    found, heads = Gathered(), {head.partition: head for head in newest.heads}
    scope = order.scope
    await _refuse_unsealed(services, order, heads)
    waiting = [name for name in sorted(heads) if scope.takes_partition(name)]
    done: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        done.add(name)
        told_in = await _partition(services, order, heads[name], file, found, report)
        more = {one for one in told_in if one in heads} - done - set(waiting)
        waiting += sorted(more)
    return found


async def _partition(
    services: Services,
    order: Order,
    head: Head,
    file: BundleFile,
    found: Gathered,
    report: Report,
) -> set[str]:
    """Write one partition; answer the partitions that tell of its purges."""
    told_in: set[str] = set()
    sequence = 0
    while page := await read_records(services, head.partition, after=sequence, limit=PAGE):
        rows = [stored.value for stored in page]
        for row, lines in zip(rows, record_lines(rows, head, order.scope), strict=False):
            file.add(LEDGER, lines.ledger)
            told_in |= {lines.told_in} - {""}
            if lines.event:
                file.add(EVENTS, lines.event)
                found.take(row, lines.event.removesuffix(b"\n"), file)
        sequence = rows[-1].sequence
        found.records += len(rows)
        await report(found.trail.events, found.records)
        if sequence > head.sequence:
            _refuse(services, order, [row for row in rows if row.sequence > head.sequence])
    return told_in


async def _refuse_unsealed(services: Services, order: Order, heads: dict[str, Head]) -> None:
    """A partition that began after the last seal may hold what is asked for."""
    for mark in await read_marks(services):
        if mark.row not in heads and order.scope.takes_partition(mark.row):
            page = await read_records(services, mark.row)
            _refuse(services, order, [stored.value for stored in page])


def _refuse(services: Services, order: Order, unsealed: list[LedgerRow]) -> None:
    """What was recorded before the order waits for the next seal; what came later is not in it."""
    by = moment(order.asked_at)
    wanted = (row for row in unsealed if row.recorded_at <= by and order.scope.takes(row))
    if any(row.kind != EventKind.LEDGER_PURGED for row in wanted):
        wait = services.settings.seal_every_s
        raise Unavailable("seal", "the newest records are not sealed yet", wait)
