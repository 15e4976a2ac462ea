"""A table in memory: versions, all-or-nothing transactions, ranges, and the adapter's errors."""

from collections.abc import Sequence
from itertools import count
from typing import override

import msgspec

from shared.adapters.tables import LAST, Table
from shared.domain.row import MUST_NOT_EXIST, Put, Remove, Stored, Write
from shared.errors import Conflict, RejectedInput, Unavailable
from tests.fakes.turns import Turns

MOST_WRITES = 100
FORBIDDEN = frozenset("/\\#?")


class _Row(msgspec.Struct, frozen=True):
    body: bytes
    etag: str
    flags: tuple[str, ...]


type _Partition = dict[str, _Row]


class FakeTable(Table):
    """One table. `out` makes it unreachable; `lost_answers` writes take effect unheard."""

    def __init__(self, name: str, turns: Turns) -> None:
        self.out = False
        self.lost_answers = 0
        self._name = name
        self._turns = turns
        self._partitions: dict[str, _Partition] = {}
        self._versions = count(1)

    @override
    async def read[T: msgspec.Struct](
        self, partition: str, row: str, kind: type[T]
    ) -> Stored[T] | None:
        await self._turn("read")
        found = self._partitions.get(partition, {}).get(row)
        return _stored(row, found, kind) if found else None

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
        await self._turn("scan")
        rows = sorted(self._partitions.get(partition, {}).items())
        wanted = [
            _stored(name, row, kind)
            for name, row in rows
            if (name > after if after else name >= prefix)
            and name < prefix + LAST
            and (not flag or flag in row.flags)
        ]
        return wanted[: max(limit, 0)]

    @override
    async def write(self, partition: str, writes: Sequence[Write]) -> None:
        await self._turn("write")
        _check(writes)
        changed = dict(self._partitions.get(partition, {}))
        for write in writes:
            self._apply(changed, write, alone=len(writes) == 1)
        self._partitions[partition] = changed
        await self._turns.take(f"{self._name}.written")
        if self.lost_answers:
            self.lost_answers -= 1
            raise Unavailable("tables", "the answer was lost")

    def rows(self, partition: str, prefix: str = "") -> list[str]:
        """The keys of a partition, for assertions."""
        return sorted(row for row in self._partitions.get(partition, {}) if row.startswith(prefix))

    def peek[T: msgspec.Struct](self, partition: str, row: str, kind: type[T]) -> T:
        """A stored value without a turn, for assertions. Raises KeyError."""
        return msgspec.json.decode(self._partitions[partition][row].body, type=kind)

    def partitions(self) -> list[str]:
        """The partitions that hold a row, for assertions."""
        return sorted(name for name, rows in self._partitions.items() if rows)

    async def _turn(self, what: str) -> None:
        await self._turns.take(f"{self._name}.{what}")
        if self.out:
            raise Unavailable("tables", f"{self._name} does not answer")

    def _apply(self, rows: _Partition, write: Write, *, alone: bool) -> None:
        was = rows.get(write.row)
        if isinstance(write, Remove):
            if was is None and not alone:
                raise Conflict(f"{write.row} is gone")
            rows.pop(write.row, None)
            return
        _compare(write, was)
        body, etag = msgspec.json.encode(write.value), f'W/"{next(self._versions)}"'
        rows[write.row] = _Row(body=body, etag=etag, flags=write.flags)


def _check(writes: Sequence[Write]) -> None:
    """Refuse what the service refuses."""
    names = [write.row for write in writes]
    if not 0 < len(writes) <= MOST_WRITES:
        raise RejectedInput("not-storable", f"{len(writes)} writes in one transaction")
    if len(set(names)) < len(names):
        raise RejectedInput("not-storable", f"a row twice in one transaction: {names}")
    if any(FORBIDDEN & set(name) for name in names):
        raise RejectedInput("not-storable", f"a key that no table takes: {names}")


def _compare(write: Put, was: _Row | None) -> None:
    if write.etag is None:
        return
    there = was.etag if was else MUST_NOT_EXIST
    if write.etag != there:
        raise Conflict(f"{write.row} is not the version that was read")


def _stored[T: msgspec.Struct](name: str, row: _Row, kind: type[T]) -> Stored[T]:
    return Stored(row=name, value=msgspec.json.decode(row.body, type=kind), etag=row.etag)
