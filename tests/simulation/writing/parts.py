"""The outside of the stage: a table that costs little, and a process that uses all of it.

Values are frozen, so rows are kept as they are and nothing is encoded; that they can be is for the
other tests. What a fault does to a call happens here, where the real part would do it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, override

import msgspec

from shared.adapters.tables import LAST, Table
from shared.domain.catalog import Catalog
from shared.domain.decisions.endpoint import EndpointSnapshot
from shared.domain.row import MUST_NOT_EXIST, Put, Remove, Stored, Write
from shared.errors import Conflict
from shared.services import Services
from shared.settings import Settings
from tests.fakes.bus import FakeBus
from tests.simulation.writing.endpoints import StageEndpoints
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
