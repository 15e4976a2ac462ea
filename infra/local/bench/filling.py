"""Fills tables with incidents and ledger records as Backstop itself stores them, many at a time.

All but the oldest twenty incidents are resolved: how many are open does not grow with the years.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched

import msgspec

from infra.local.bench.cast import service_name, target_of
from shared.domain.catalog import Mode
from shared.domain.decisions.decision import Decision, Verdict
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.keys import shards
from shared.domain.ledger.chain import Head, append
from shared.domain.ledger.record import partition_of
from shared.domain.row import Put
from shared.protocol.commit import event_row, incident_row
from shared.protocol.listing import EVER, OPEN, Pointer, pointer_row
from shared.services import Services

OPEN_ONES = 20
EVENTS = 8  # an incident's timeline
BATCH = 100
LANES = 8


class Filling:
    """Grows; `fill_to` adds what is missing."""

    def __init__(self, services: Services) -> None:
        self.service = service_name(0)
        self.some_incident = ""
        self._services = services
        self._start = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        self._stored = 0
        self._head: Head | None = None

    async def fill_to(self, count: int) -> None:
        """Have so many incidents, and as many records in the service's ledger."""
        new = [self._incident(number) for number in range(self._stored, count)]
        self._stored = count
        self.some_incident = new[0].id
        await self._write("state", _by_shard(new))
        await self._write("index", _pointers(new))
        await self._fill_ledger([_change(incident) for incident in new])

    async def _fill_ledger(self, changes: Sequence[ChangeEvent]) -> None:
        partition = partition_of(changes[0])
        self._head, rows = append(self._head, changes, partition)
        puts = [Put(row=f"seq|{row.sequence:012d}", value=row) for row in rows]
        await self._write("ledger", {partition: [*puts, Put(row="head", value=self._head)]})

    async def _write(self, table: str, puts: dict[str, list[Put]]) -> None:
        lanes = asyncio.Semaphore(LANES)
        target = getattr(self._services, table)

        async def write(partition: str, batch: Sequence[Put]) -> None:
            async with lanes:
                await target.write(partition, batch)

        batches = [
            (partition, batch)
            for partition, rows in puts.items()
            for batch in batched(rows, BATCH, strict=False)
        ]
        await asyncio.gather(*(write(partition, batch) for partition, batch in batches))

    def _incident(self, number: int) -> Incident:
        shard = shards()[number % len(shards())]
        opened_at = self._start + timedelta(seconds=30 * number)
        return Incident(
            id=f"INC-{shard}-{opened_at:%y%m%d}-{number:08X}",
            service=self.service,
            target=target_of(self.service),
            title=f"Summaries of first notices of loss: incident {number}",
            severity=Severity.SEV2,
            severity_reasons=("a bench has stored it",),
            state=State.HELD if number < OPEN_ONES else State.RESOLVED,
            sequence=EVENTS,
            opened_at=opened_at,
            changed_at=opened_at + timedelta(minutes=9),
        )


def _by_shard(incidents: Sequence[Incident]) -> dict[str, list[Put]]:
    rows: dict[str, list[Put]] = defaultdict(list)
    for incident in incidents:
        shard = incident.id.split("-")[1]
        rows[shard].append(Put(row=incident_row(incident.id), value=incident))
    first = incidents[0]
    rows[first.id.split("-")[1]] += _history(first)
    return rows


def _history(incident: Incident) -> list[Put]:
    """What one incident has beside its row: a decision and its timeline."""
    decision = Decision(
        incident=incident.id,
        verdict=Verdict.HOLD,
        would_be=Verdict.HOLD,
        mode=Mode.OBSERVE,
        reason="a bench has stored it",
        rules=(),
        plan=None,
        policy="",
        policy_hash="",
        decided_at=incident.changed_at,
        hash="",
    )
    events = [_event(incident, number + 1) for number in range(EVENTS)]
    timeline = [Put(row=event_row(incident.id, one.sequence), value=one) for one in events]
    return [Put(row=f"decision|{incident.id}", value=decision), *timeline]


def _pointers(incidents: Sequence[Incident]) -> dict[str, list[Put]]:
    rows: dict[str, list[Put]] = {EVER: [], OPEN: []}
    for incident in incidents:
        pointer = Pointer(incident=incident.id, opened_at=incident.opened_at)
        put = Put(row=pointer_row(incident), value=pointer)
        rows[EVER].append(put)
        if incident.state.is_open():
            rows[OPEN].append(put)
    return {part: puts for part, puts in rows.items() if puts}


def _change(incident: Incident) -> ChangeEvent:
    """A change of the service, which lies in the service's own ledger whatever its incident."""
    told = _event(incident, 1)
    return msgspec.structs.replace(told, incident="", recorded_at=datetime.now(UTC))


def _event(incident: Incident, sequence: int) -> ChangeEvent:
    return ChangeEvent(
        id=f"{incident.id}-{sequence:04d}",
        kind=EventKind.NOTED,
        service=incident.service,
        incident=incident.id,
        sequence=sequence,
        actor="bench",
        what="stored it",
        why="to be read",
        happened_at=incident.opened_at,
        recorded_at=incident.opened_at,
    )
