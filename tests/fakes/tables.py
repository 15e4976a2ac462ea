"""A table in memory: versions, all-or-nothing transactions, ranges, and the adapter's errors."""

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any, override

import msgspec

from shared.adapters.tables import LAST, Table, read_value, row_text, sort_out
from shared.domain.redaction.redactor import Redactor
from shared.domain.row import MUST_NOT_EXIST, Found, Remove, Stored, Write
from shared.errors import Conflict, Refused, RejectedInput, Unavailable
from tests.fakes.turns import Turns

MOST_WRITES = 100
MOST_BYTES = 1024 * 1024  # of an entity, two to a UTF-16 unit; its names and keys aside
FORBIDDEN = frozenset("/\\#?")
WRITING = frozenset({"write", "try_writing"})


type Seen = Callable[[str, Sequence[Write]], None]


class _Row:
    """One stored row; what it was read as is kept, because values are frozen."""

    def __init__(self, body: bytes, etag: str, flags: tuple[str, ...]) -> None:
        self.body = body
        self.etag = etag
        self.flags = flags
        self._read: dict[Any, Any] = {}

    def read_as(self, kind: Any, name: str = "") -> Any:
        if kind not in self._read:
            self._read[kind] = read_value(name, self.body, kind)
        return self._read[kind]


class _Partition:
    """The rows of one partition by their keys, which are kept in order."""

    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}
        self.keys: list[str] = []

    def put(self, key: str, row: _Row) -> None:
        if key not in self.rows:
            insort(self.keys, key)
        self.rows[key] = row

    def remove(self, key: str) -> None:
        if self.rows.pop(key, None) is not None:
            del self.keys[bisect_left(self.keys, key)]

    def between(self, first: str, last: str) -> list[str]:
        return self.keys[bisect_left(self.keys, first) : bisect_left(self.keys, last)]


class FakeTable(Table):
    """One table. `out` makes it unreachable, `refuses` answers 403 to all, `withheld` to some.

    What may be in `withheld` is "read" and "write".

    `lost_answers` writes take effect unheard. `seen` is told of every transaction the moment it
    takes effect.
    """

    def __init__(self, name: str, turns: Turns, redactor: Redactor | None = None) -> None:
        self._redactor = redactor
        self.out = False
        self.refuses = False
        self.withheld: set[str] = set()
        self.lost_answers = 0
        self.seen: Seen | None = None
        self._name = name
        verbs = ("read", "scan", "write", "written", "try_writing")
        self._calls = {verb: f"{name}.{verb}" for verb in verbs}
        self._turns = turns
        self._partitions: dict[str, _Partition] = {}
        self._versions = count(1)

    @override
    async def read[T: msgspec.Struct](
        self, partition: str, row: str, kind: type[T]
    ) -> Stored[T] | None:
        await self._turn("read")
        found = self._partition(partition).rows.get(row)
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
        found = self._between(partition, prefix, after, limit, flag)
        return [_stored(name, row, kind) for name, row in found]

    @override
    async def scan_readable[T: msgspec.Struct](
        self,
        partition: str,
        prefix: str,
        kind: type[T],
        *,
        after: str = "",
        limit: int = 1000,
        flag: str = "",
    ) -> Found[T]:
        await self._turn("scan")
        found = self._between(partition, prefix, after, limit, flag)
        return sort_out(partial(_stored, name, row, kind) for name, row in found)

    def _between(
        self, partition: str, prefix: str, after: str, limit: int, flag: str
    ) -> list[tuple[str, _Row]]:
        found = self._partition(partition)
        wanted = [
            name
            for name in found.between(after or prefix, prefix + LAST)
            if name != after and (not flag or flag in found.rows[name].flags)
        ]
        return [(name, found.rows[name]) for name in wanted[: max(limit, 0)]]

    @override
    async def write(self, partition: str, writes: Sequence[Write]) -> None:
        await self._turn("write")
        _check(writes)
        found = self._partitions.setdefault(partition, _Partition())
        for write in writes:
            _compare(write, found.rows.get(write.row), alone=len(writes) == 1)
        bodies = [_body(write, self._redactor) for write in writes]
        for write, body in zip(writes, bodies, strict=True):
            self._apply(found, write, body)
        if self.seen is not None:
            self.seen(partition, writes)
        await self._turns.take(self._calls["written"])
        if self.lost_answers:
            self.lost_answers -= 1
            raise Unavailable("tables", "the answer was lost")

    @override
    async def try_writing(self, partition: str) -> None:
        await self._turn("try_writing")

    def rows(self, partition: str, prefix: str = "") -> list[str]:
        """The keys of a partition, for assertions."""
        return self._partition(partition).between(prefix, prefix + LAST)

    def peek[T: msgspec.Struct](self, partition: str, row: str, kind: type[T]) -> T:
        """A stored value without a turn, for assertions. Raises KeyError."""
        found: T = self._partition(partition).rows[row].read_as(kind)
        return found

    def everything(self) -> list[tuple[str, _Row]]:
        """All rows by their keys, for searches."""
        return [pair for found in self._partitions.values() for pair in found.rows.items()]

    def partitions(self) -> list[str]:
        """The partitions that hold a row, for assertions."""
        return sorted(name for name, found in self._partitions.items() if found.rows)

    def _partition(self, name: str) -> _Partition:
        return self._partitions.get(name) or _Partition()

    async def _turn(self, what: str) -> None:
        await self._turns.take(self._calls[what])
        if self.out:
            raise Unavailable("tables", f"{self._name} does not answer")
        does = "write" if what in WRITING else "read"
        if self.refuses or does in self.withheld:
            raise Refused("tables", "AuthorizationPermissionMismatch")

    def _apply(self, found: _Partition, write: Write, body: bytes) -> None:
        if isinstance(write, Remove):
            found.remove(write.row)
        else:
            found.put(write.row, _Row(body, f'W/"{next(self._versions)}"', write.flags))


def _body(write: Write, redactor: Redactor | None) -> bytes:
    if isinstance(write, Remove):
        return b""
    text = row_text(write, redactor)
    if 4 * len(text) > MOST_BYTES and len(text.encode("utf-16-le")) > MOST_BYTES:
        raise RejectedInput("not-storable", "EntityTooLarge: the entity is larger than allowed")
    return text.encode()


def _check(writes: Sequence[Write]) -> None:
    """Refuse what the service refuses."""
    names = [write.row for write in writes]
    if not 0 < len(writes) <= MOST_WRITES:
        raise RejectedInput("not-storable", f"{len(writes)} writes in one transaction")
    if len(set(names)) < len(names):
        raise RejectedInput("not-storable", f"a row twice in one transaction: {names}")
    if any(FORBIDDEN & set(name) for name in names):
        raise RejectedInput("not-storable", f"a key that no table takes: {names}")


def _compare(write: Write, was: _Row | None, *, alone: bool) -> None:
    """Raise Conflict where the row is not as the write wants it."""
    if isinstance(write, Remove):
        if was is None and not alone:
            raise Conflict(f"{write.row} is gone")
        if was is not None and write.etag not in (None, was.etag):
            raise Conflict(f"{write.row} is not the version that was read")
        return
    if write.etag is None:
        return
    there = was.etag if was else MUST_NOT_EXIST
    if write.etag != there:
        raise Conflict(f"{write.row} is not the version that was read")


def _stored[T: msgspec.Struct](name: str, row: _Row, kind: type[T]) -> Stored[T]:
    return Stored(row=name, value=row.read_as(kind, name), etag=row.etag)
