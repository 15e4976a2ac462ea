"""The outside of the stage: a table and an endpoint that cost little, and a process that uses them.

Values are frozen, so rows are kept as they are and nothing is encoded; that they can be is for the
other tests. What a fault does to a call happens here, where the real part would do it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, override

import msgspec

from shared.adapters.endpoint import Endpoints
from shared.adapters.tables import LAST, Table
from shared.domain.catalog import Catalog
from shared.domain.endpoint import EndpointSnapshot, TargetRef, WriteAnswer, WriteVerdict
from shared.domain.row import MUST_NOT_EXIST, Put, Remove, Stored, Write
from shared.errors import Conflict, Unavailable
from shared.services import Services
from shared.settings import Settings
from tests.fakes.bus import FakeBus
from tests.simulation.writing.schedule import Kind
from tests.simulation.writing.stage import Call, Stage, StageTurns, Worker
from tests.simulation.writing.witness import Witness

type Rows = dict[str, Stored[Any]]


class StageTable(Table):
    """One table. `marks` are hashes of the rows, kept where schedules are compared."""

    def __init__(self, stage: Stage, witness: Witness, partitions: dict[str, Rows]) -> None:
        self.partitions = partitions
        self.marks: dict[str, int] = {}
        self.mark = 0  # of all rows together
        self.marking = False
        self._stage = stage
        self._witness = witness
        self._versions = 0

    @override
    async def read[T: msgspec.Struct](
        self, partition: str, row: str, kind: type[T]
    ) -> Stored[T] | None:
        await Call("state.read", (row,))
        found = self.partitions.get(partition, {}).get(row)
        self._stage.heard(self.marks.get(row))
        return found

    @override
    async def scan[T: msgspec.Struct](
        self,
        partition: str,
        prefix: str,
        kind: type[T],
        *,
        after: str = "",
        limit: int = 1000,
        flag: str = "",
    ) -> list[Stored[T]]:
        await Call("state.scan", (prefix,))
        rows = self.partitions.get(partition, {})
        names = [name for name in sorted(rows) if max(prefix, after) <= name < prefix + LAST]
        self._stage.heard(*(self.marks.get(name) for name in names))
        self._witness.scanned(self._stage.current, partition, [rows[name].value for name in names])
        return [rows[name] for name in names]

    @override
    async def write(self, partition: str, writes: Sequence[Write]) -> None:
        await Call("state.write", tuple(write.row for write in writes))
        was = self.partitions.get(partition, {})
        rows = dict(was)
        try:
            for write in writes:
                self._apply(rows, write, alone=len(writes) == 1)
        except Conflict:
            self._stage.heard("conflict")
            raise
        self._witness.stored(self._stage.current, was, rows, writes)
        self.partitions[partition] = rows
        self._mark(writes)
        answer = Call("state.written")
        await answer
        self._stage.heard("stored")
        if answer.fault is Kind.ECHO:
            raise Conflict("the SDK sent it again, and met its own first try")

    def _apply(self, rows: Rows, write: Write, *, alone: bool) -> None:
        was = rows.get(write.row)
        if isinstance(write, Remove):
            if was is None and not alone:
                raise Conflict(f"{write.row} is gone")
            rows.pop(write.row, None)
            return
        if write.etag is not None and write.etag != (was.etag if was else MUST_NOT_EXIST):
            raise Conflict(f"{write.row} is not the version that was read")
        self._versions += 1
        rows[write.row] = Stored(row=write.row, value=write.value, etag=str(self._versions))

    def _mark(self, writes: Sequence[Write]) -> None:
        if not self.marking:
            return
        for write in writes:
            value = msgspec.json.encode(write.value) if isinstance(write, Put) else b""
            before = self.marks.get(write.row, 0)
            self.marks[write.row] = after = hash((write.row, before, value))
            self.mark ^= before ^ after


class StageEndpoints(Endpoints):
    """One endpoint. A write looks at the endpoint first, as the adapter does, and then sends."""

    def __init__(self, stage: Stage, witness: Witness, snapshot: EndpointSnapshot) -> None:
        self.live = self.before = snapshot
        self.busy = 0  # readings that still show an operation in flight
        self.mover = ""  # whose plan the last one to move the traffic carried out
        self._stage = stage
        self._witness = witness
        self._changes = 0

    def change(self, mover: str, traffic: dict[str, int] | None, state: str = "Succeeded") -> None:
        """Somebody's write goes through; every write moves `last_modified`."""
        self.before = self.live
        self._changes += 1
        if traffic is not None:
            self.mover = mover
        self.live = msgspec.structs.replace(
            self.live,
            traffic=self.live.traffic if traffic is None else traffic,
            state=state,
            last_modified=f"change {self._changes}",
        )

    @property
    def snapshot(self) -> EndpointSnapshot:
        """What a reading shows that is not stale."""
        return msgspec.structs.replace(self.live, state="Updating") if self.busy else self.live

    @property
    def mark(self) -> int:
        """A hash of all that is true of it."""
        # No two changes have one `last_modified`, but which is which depends on their order.
        known = (_content(self.live), _content(self.before), self.busy, self.mover)
        return hash((known, self._changes))

    @override
    async def read(self, target: TargetRef) -> EndpointSnapshot:
        call = Call("endpoint.read")
        await call
        stale = call.fault is Kind.STALE
        seen = self.before if stale else self.snapshot
        self.busy = max(0, self.busy - 1)
        self._stage.heard(_content(seen), _content(self.live))
        self._witness.read(self._stage.current, seen, self.live)
        return seen

    @override
    async def write_traffic(
        self,
        target: TargetRef,
        traffic: dict[str, int],
        *,
        deadline_s: float,
        expected: str | None = None,
    ) -> WriteAnswer:
        try:
            return await self._send(traffic, deadline_s, expected)
        except Unavailable as error:
            return WriteAnswer(
                verdict=WriteVerdict.UNKNOWN, detail=error.detail, retry_after_s=error.retry_after_s
            )

    async def _send(
        self, traffic: dict[str, int], deadline_s: float, expected: str | None
    ) -> WriteAnswer:
        await Call("endpoint.write")
        worker, ends_at = self._stage.current, self._stage.clock + deadline_s
        looked_at = self.snapshot.fingerprint
        self._stage.heard(looked_at)
        if expected not in (None, looked_at):
            return WriteAnswer(verdict=WriteVerdict.CHANGED, detail="changed since")
        call = Call("endpoint.put")
        await call
        if self._stage.clock >= ends_at:
            return WriteAnswer(verdict=WriteVerdict.UNKNOWN, detail="past the deadline, not sent")
        self._witness.sent(worker, traffic)
        if call.fault is Kind.REFUSED:
            return WriteAnswer(verdict=WriteVerdict.REFUSED, detail="400 no such deployment")
        if call.fault is Kind.LATE:
            raise Unavailable("endpoint", "no answer", 0.0)
        self._apply(worker, traffic, looked_at, call.fault)
        await Call("endpoint.written")
        return WriteAnswer(verdict=WriteVerdict.ACCEPTED)

    def _apply(
        self, worker: Worker, traffic: dict[str, int], looked_at: str, fault: object
    ) -> None:
        if fault is Kind.IGNORED:
            return
        in_its_window = looked_at != self.snapshot.fingerprint
        if fault is Kind.FAILED:
            self.change("", None, "Failed")
            if in_its_window:
                self.mover = self._witness.covered(self.mover)
            return
        plan = self._witness.plan_of(worker)
        self._witness.applied(plan, self.mover, in_its_window=in_its_window)
        self.change(plan, dict(traffic))
        self.busy = 1

    @override
    async def wait_idle(self, target: TargetRef, *, timeout_s: float) -> EndpointSnapshot:
        await Call("endpoint.wait")
        self.busy = 0
        self._stage.heard(self.live.fingerprint)
        return self.live

    @override
    async def close(self) -> None:
        return None


def _content(snapshot: EndpointSnapshot) -> tuple[object, ...]:
    return (tuple(sorted(snapshot.traffic.items())), snapshot.state, snapshot.last_modified)


class Outside:
    """All that the workers of one run share."""

    def __init__(
        self, stage: Stage, witness: Witness, rows: dict[str, Rows], snapshot: EndpointSnapshot
    ) -> None:
        self.stage = stage
        self.state = StageTable(stage, witness, {name: dict(some) for name, some in rows.items()})
        self.endpoints = StageEndpoints(stage, witness, snapshot)
        self.bus = FakeBus(StageTurns())


class StageServices(Services):
    """One worker process; its clock is off by the worker's skew."""

    def __init__(
        self,
        outside: Outside,
        worker: Worker,
        settings: Settings,
        catalog: Catalog,
        began: datetime,
    ) -> None:
        self.outside = outside
        self._worker = worker
        self._catalog = catalog
        self._began = began
        super().__init__(settings)

    @override
    def now(self) -> datetime:
        passed = self.outside.stage.clock + self._worker.skew
        return self._began + timedelta(seconds=passed)

    @cached_property
    def state(self) -> StageTable:
        return self.outside.state

    @cached_property
    def endpoints(self) -> StageEndpoints:
        return self.outside.endpoints

    @cached_property
    def bus(self) -> FakeBus:
        return self.outside.bus

    @property
    @override
    def catalog(self) -> Catalog:
        return self._catalog
