"""Export: records, events and seals as the lines of an evidence bundle, byte for byte the same.

The formats are told in `shared.evidence.verify`, which lies in every bundle and reads them. What is
here is a stream: a line at a time, so that a hundred thousand events need no memory.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from shared.domain.event import EventKind
from shared.domain.keys import shard_of_incident
from shared.domain.ledger.chain import Head
from shared.domain.ledger.record import LedgerRow
from shared.domain.ledger.seal import Seal

FORMAT = "backstop-evidence/1"


class Scope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a bundle is about: an incident, or what was recorded in a time, or everything.

    `since` and `until` are as `record.moment` says them; until is not in it.
    """

    incident: str = ""
    since: str = ""
    until: str = ""

    def takes(self, row: LedgerRow) -> bool:
        """Whether the event of a record is in it; purges always are."""
        if row.kind == EventKind.LEDGER_PURGED:
            return True
        if self.incident:
            return row.event_id.startswith(f"{self.incident}-")
        return self.takes_moment(row.recorded_at)

    def takes_moment(self, at: str) -> bool:
        """Whether a moment lies in the period; without one all do."""
        return self.since <= at and (not self.until or at < self.until)

    def takes_partition(self, partition: str) -> bool:
        """Whether the records of a partition must be in it, by its name."""
        if self.incident:
            return partition.startswith(f"{shard_of_incident(self.incident)}-")
        since, until = (at[:7].replace("-", "") for at in (self.since, self.until or "~"))
        return since <= partition[-6:] <= until


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of one record: in ledger.jsonl, and in events.jsonl where it has one there."""

    ledger: bytes
    event: bytes = b""
    told_in: str = ""  # the partition of the purge that tells of it, which must be exported, too


def record_lines(rows: Iterable[LedgerRow], head: Head, scope: Scope) -> Iterator[Lines]:
    """The lines of one partition's records, in their order, up to a head that is sealed."""
    for row in rows:
        if row.sequence > head.sequence:
            return
        yield Lines(
            ledger=msgspec.json.encode(msgspec.structs.replace(row, body="")) + b"\n",
            event=row.body.encode() + b"\n" if row.body and scope.takes(row) else b"",
            told_in=row.purged.partition("/")[0],
        )


def seal_line(seal: Seal) -> bytes:
    """A seal as a line of seals.jsonl."""
    return msgspec.json.encode(seal) + b"\n"


def manifest(
    scope: Scope, *, seal: Seal, events: int, files: Mapping[str, str], key: bytes
) -> bytes:
    """The manifest of a bundle, to be signed: `files` are the SHA-256 of all others by name.

    `key` is the DER of who signs it: that of the seal, unless the key was changed since.
    """
    said = {
        "format": FORMAT,
        "scope": scope,
        "seal": seal.statement.number,
        "events": events,
        "public_key": base64.b64encode(key).decode(),
        "files": dict(sorted(files.items())),
    }
    return msgspec.json.format(msgspec.json.encode(said), indent=2) + b"\n"
