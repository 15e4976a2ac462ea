"""Rows of a table: what the shell asks to be written, and what it gets when it reads.

Here and not beside the SDK, so that responders and protocol can name them without importing it.
"""

import msgspec

MUST_NOT_EXIST = ""


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """Store `value` under `row`.

    `etag` None overwrites, MUST_NOT_EXIST inserts, any other value replaces that very version. A
    scan can ask for rows that have one of the `flags`. `redacted`: all of it went through the
    redactor when it came in, and need not again.
    """

    row: str
    value: msgspec.Struct
    etag: str | None = None
    flags: tuple[str, ...] = ()
    redacted: bool = False


class Remove(msgspec.Struct, frozen=True, kw_only=True):
    """Delete `row`; alone, nothing happens where it is gone already.

    `etag` None deletes whatever version there is, any other value that very version.
    """

    row: str
    etag: str | None = None


type Write = Put | Remove


class Stored[T: msgspec.Struct](msgspec.Struct, frozen=True, kw_only=True):
    """A row as it was read: `etag` names the version."""

    row: str
    value: T
    etag: str


class Found[T: msgspec.Struct](msgspec.Struct, frozen=True, kw_only=True):
    """What a range holds: the rows that can be read, and the names of those that cannot."""

    rows: list[Stored[T]]
    unreadable: list[str] = []

    @property
    def names(self) -> list[str]:
        """The names of all of them, in key order."""
        return sorted([*(stored.row for stored in self.rows), *self.unreadable])
