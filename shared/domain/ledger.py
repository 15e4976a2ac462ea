"""The ledger: change events in a chain of hashes that shows every later touch.

`record` appends what comes from topic `changes`; auditors verify. Pure: the shell stores rows and
head in one transaction. The chain alone cannot show a cut tail or a chain made anew from the start,
so the head against which it is verified must be kept, signed, elsewhere.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC
from itertools import pairwise

import msgspec

from shared.domain.event import ChangeEvent
from shared.domain.keys import shard_of, shard_of_incident
from shared.errors import RejectedInput

GENESIS = "0" * 64
MAX_EVENTS = 48  # two rows an event and the head: within one table transaction of 100

_OUT_OF_ORDER = "the record is out of order"
_NO_LINK = "the record does not follow the one before it"


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `body` is the event's canonical JSON, `sequence` counts from 1."""

    partition: str
    sequence: int
    event_id: str
    body: str
    previous_hash: str
    hash: str


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one partition's chain: how many records it has and the last one's hash."""

    partition: str
    sequence: int
    hash: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a chain is whole, and how many records before the first bad one are.

    `first_bad` is "partition/sequence event-id", without the id where the record is missing.
    """

    ok: bool
    events: int
    first_bad: str = ""
    problem: str = ""


def canonical(event: ChangeEvent) -> bytes:
    """The event as canonical JSON (RFC 8785). Raises RejectedInput where JSON cannot say it."""
    import rfc8785  # noqa: PLC0415 - 15 ms that only the executor needs

    try:
        return rfc8785.dumps(msgspec.to_builtins(event, str_keys=True))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise RejectedInput("not-canonical", f"event {event.id}: {error}") from None


def partition_of(event: ChangeEvent) -> str:
    """Shard and month of the event's own recorded time, such as "07-202611"."""
    shard = shard_of_incident(event.incident) or shard_of(event.service)
    return f"{shard}-{event.recorded_at.astimezone(UTC):%Y%m}"


def complete(event: ChangeEvent) -> tuple[str, ...]:
    """Name what is missing of who, what, why and when; a time without its zone is missing."""
    zoned = event.happened_at.tzinfo is not None and event.recorded_at.tzinfo is not None
    present = {
        "who": bool(event.actor.strip()),
        "what": bool(event.what.strip()),
        "why": bool(event.why.strip()),
        "when": zoned,
    }
    return tuple(name for name, there in present.items() if not there)


def append(
    head: Head | None, events: Sequence[ChangeEvent], partition: str
) -> tuple[Head, tuple[LedgerRow, ...]]:
    """Chain events to a partition, in their order; answer the new head and the rows to store.

    Drops nothing: leave out events that are recorded already. Raises RejectedInput where an event
    belongs to another partition or JSON cannot say it.
    """
    end = head or Head(partition=partition, sequence=0, hash=GENESIS)
    rows = []
    for event in events:
        row = _next_row(end, event)
        end = Head(partition=partition, sequence=row.sequence, hash=row.hash)
        rows.append(row)
    return end, tuple(rows)


def verify(rows: Sequence[LedgerRow], head: Head | None) -> Verification:
    """Check the rows of one partition, in stored order, against the head that was kept apart.

    Finds edited, inserted, deleted, reordered and cut-off records and names the first bad one.
    """
    # A partition without a head has had no record, so any row in it is one too many.
    kept = head or Head(partition="", sequence=0, hash=GENESIS)
    end = Head(partition=kept.partition, sequence=0, hash=GENESIS)
    for index, row in enumerate(rows):
        problem = _problem(row, end, kept)
        if problem:
            return _blame(rows, index, kept, problem)
        end = Head(partition=row.partition, sequence=row.sequence, hash=row.hash)
    missing = kept.sequence - end.sequence
    if missing:
        return _bad(
            end.sequence,
            _missing(kept, end.sequence + 1),
            f"cut off: {missing} records are missing",
        )
    return Verification(ok=True, events=end.sequence)


def _next_row(end: Head, event: ChangeEvent) -> LedgerRow:
    if partition_of(event) != end.partition:
        detail = f"event {event.id} belongs to {partition_of(event)}, not to {end.partition}"
        raise RejectedInput("wrong-partition", detail)
    row = LedgerRow(
        partition=end.partition,
        sequence=end.sequence + 1,
        event_id=event.id,
        body=canonical(event).decode(),
        previous_hash=end.hash,
        hash="",
    )
    return msgspec.structs.replace(row, hash=_hash(row))


def _hash(row: LedgerRow) -> str:
    """SHA-256 over every column but itself; lengths keep the columns from running together."""
    columns = (row.previous_hash, row.partition, str(row.sequence), row.event_id, row.body)
    encoded = [column.encode("utf-8", "surrogatepass") for column in columns]
    material = b"".join(len(column).to_bytes(8) + column for column in encoded)
    return hashlib.sha256(material).hexdigest()


def _problem(row: LedgerRow, end: Head, kept: Head) -> str:
    """What is wrong with the row that follows `end`; "" where nothing is. First match wins."""
    is_last = row.sequence == kept.sequence
    checks = (
        (row.sequence > kept.sequence, "the record lies beyond the head"),
        (row.partition != kept.partition, "the record is of another partition"),
        (row.sequence != end.sequence + 1, _OUT_OF_ORDER),
        (row.previous_hash != end.hash, _NO_LINK),
        (row.hash != _hash(row), "the record was edited"),
        (is_last and row.hash != kept.hash, "the chain does not end in the head: it was made anew"),
    )
    return next((problem for wrong, problem in checks if wrong), "")


def _blame(rows: Sequence[LedgerRow], index: int, kept: Head, problem: str) -> Verification:
    """Name the bad record where row `index` is the first that does not fit."""
    gone = all(row.sequence != index + 1 for row in rows)
    if problem == _OUT_OF_ORDER and gone:
        return _bad(index, _missing(kept, index + 1), "the record is missing")
    # A link that leads on to the head is right: what it does not fit was replaced, hash and all.
    if problem == _NO_LINK and index and _leads_to(kept, rows[index:]):
        return _bad(index - 1, _name(rows[index - 1]), "the record was replaced")
    return _bad(index, _name(rows[index]), problem)


def _leads_to(kept: Head, rows: Sequence[LedgerRow]) -> bool:
    linked = all(later.previous_hash == row.hash for row, later in pairwise(rows))
    return linked and rows[-1].hash == kept.hash and all(row.hash == _hash(row) for row in rows)


def _bad(good_before: int, name: str, problem: str) -> Verification:
    return Verification(ok=False, events=good_before, first_bad=name, problem=problem)


def _name(row: LedgerRow) -> str:
    return f"{row.partition}/{row.sequence} {row.event_id}"


def _missing(kept: Head, sequence: int) -> str:
    return f"{kept.partition}/{sequence}"
