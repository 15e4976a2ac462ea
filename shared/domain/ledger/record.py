"""Records: one change event as the ledger keeps it, and what its hash is made of.

A record's hash covers the SHA-256 of its body, not the body: a body may be purged when its time is
over, and the chain is as whole as before. `shared.evidence.verify` makes the same hash with the
standard library alone; what changes here changes there, under another `version`.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Any

import msgspec

from shared.domain.event import ChangeEvent
from shared.domain.keys import shard_of, shard_of_incident
from shared.errors import RejectedInput

VERSION = 1


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `body` is the event's canonical JSON, `sequence` counts from 1.

    `recorded_at` is UTC with microseconds, so that it sorts as text. Once the body is purged it is
    "", and `purged` names the record ("partition/sequence") that tells of it. Neither is hashed.
    """

    partition: str
    sequence: int
    event_id: str
    kind: str
    recorded_at: str
    body_hash: str
    previous_hash: str
    hash: str
    body: str = ""
    purged: str = ""
    version: int = VERSION

    @property
    def name(self) -> str:
        """How it is named to people."""
        return f"{self.partition}/{self.sequence} {self.event_id}"


class _Columns(msgspec.Struct, frozen=True):
    """What a body says that the record says as well."""

    id: str
    kind: str
    recorded_at: datetime


def canonical(event: ChangeEvent) -> bytes:
    """The event as canonical JSON (RFC 8785). Raises RejectedInput where JSON cannot say it."""
    import rfc8785  # noqa: PLC0415 - 15 ms that only the executor needs

    try:
        return _written(msgspec.to_builtins(event, str_keys=True), rfc8785.dumps).encode()
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise RejectedInput("not-canonical", f"event {event.id}: {error}") from None


def _written(value: Any, other: Callable[[Any], bytes]) -> str:  # noqa: ANN401 - whatever JSON holds
    """A value as canonical JSON. What needs more care, such as numbers, is left to the `other`."""
    match value:
        case str():
            return encode_basestring(value)
        case dict():
            names = sorted(value) if "".join(value).isascii() else sorted(value, key=_in_utf_16)
            inside = [f"{encode_basestring(name)}:{_written(value[name], other)}" for name in names]
            return f"{{{','.join(inside)}}}"
        case list():
            return f"[{','.join([_written(one, other) for one in value])}]"
        case _:
            return other(value).decode()


def _in_utf_16(name: str) -> bytes:
    """By what members are sorted."""
    return name.encode("utf-16be")


def partition_of(event: ChangeEvent) -> str:
    """Shard and month of the event's own recorded time, such as "07-202611"."""
    shard = shard_of_incident(event.incident) or shard_of(event.service)
    return f"{shard}-{event.recorded_at.astimezone(UTC):%Y%m}"


def make_record(
    event: ChangeEvent, *, partition: str, sequence: int, previous_hash: str
) -> LedgerRow:
    """The record of an event behind another. Raises RejectedInput where JSON cannot say it."""
    body = canonical(event)
    row = LedgerRow(
        partition=partition,
        sequence=sequence,
        event_id=event.id,
        kind=event.kind.value,
        recorded_at=moment(event.recorded_at),
        body_hash=hashlib.sha256(body).hexdigest(),
        previous_hash=previous_hash,
        hash="",
        body=body.decode(),
    )
    return msgspec.structs.replace(row, hash=hash_of(row))


def hash_of(row: LedgerRow) -> str:
    """SHA-256 over all but the body and itself; lengths keep columns from running together."""
    columns = (
        str(row.version),
        row.previous_hash,
        row.partition,
        str(row.sequence),
        row.event_id,
        row.kind,
        row.recorded_at,
        row.body_hash,
    )
    encoded = [column.encode("utf-8", "surrogatepass") for column in columns]
    material = b"".join(len(column).to_bytes(8) + column for column in encoded)
    return hashlib.sha256(material).hexdigest()


def body_fits(row: LedgerRow) -> bool:
    """Whether the body is the one that was recorded, and the columns say of it what it says."""
    body = row.body.encode("utf-8", "surrogatepass")
    if hashlib.sha256(body).hexdigest() != row.body_hash:
        return False
    try:
        said = msgspec.json.decode(body, type=_Columns)
    except msgspec.MsgspecError:
        return False
    columns = (row.event_id, row.kind, row.recorded_at)
    return columns == (said.id, said.kind, moment(said.recorded_at))


def moment(at: datetime) -> str:
    """A time as records and seals say it: UTC, always with microseconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
