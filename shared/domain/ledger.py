"""The ledger: change events in a chain of hashes that shows every later touch.

`record` appends what comes from topic `changes`; auditors verify. Pure: the shell stores rows and
head in one transaction. The chain alone cannot show a cut tail or a chain made anew from the start,
so the head against which it is verified must be kept, signed, elsewhere.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC

import msgspec

from shared.domain.event import ChangeEvent
from shared.domain.keys import shard_of, shard_of_incident
from shared.errors import RejectedInput

GENESIS = "0" * 64
MAX_EVENTS = 48  # two rows an event and the head: within one table transaction of 100


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
    """Whether a chain is whole. `first_bad` is "partition/sequence event-id", "" where it is."""

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


def verify(rows: Iterable[LedgerRow], head: Head | None) -> Verification:
    """Check the rows of one partition, in stored order, against the head that was kept apart.

    Finds edited, inserted, deleted, reordered and cut-off records and names the first bad one.
    """
    # A partition without a head has had no record, so any row in it is one too many.
    kept = head or Head(partition="", sequence=0, hash=GENESIS)
    end = Head(partition=kept.partition, sequence=0, hash=GENESIS)
    for row in rows:
        problem = _problem(row, end, kept)
        if problem:
            bad = f"{row.partition}/{row.sequence} {row.event_id}"
            return Verification(ok=False, events=end.sequence, first_bad=bad, problem=problem)
        end = Head(partition=row.partition, sequence=row.sequence, hash=row.hash)
    return _at_the_end(end, kept)


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
    wanted = end.sequence + 1
    is_last = row.sequence == kept.sequence
    checks = (
        (row.sequence > kept.sequence, "the record lies beyond the head"),
        (row.partition != kept.partition, "the record is of another partition"),
        (row.sequence > wanted, f"record {wanted} is missing before it"),
        (row.sequence < wanted, f"the record stands where {wanted} belongs"),
        (row.previous_hash != end.hash, "the record does not follow the one before it"),
        (row.hash != _hash(row), "the record was edited"),
        (is_last and row.hash != kept.hash, "the chain does not end in the head: it was made anew"),
    )
    return next((problem for wrong, problem in checks if wrong), "")


def _at_the_end(end: Head, kept: Head) -> Verification:
    """All rows are right: whether they reach the head."""
    missing = kept.sequence - end.sequence
    if missing == 0:
        return Verification(ok=True, events=end.sequence)
    return Verification(
        ok=False,
        events=end.sequence,
        first_bad=f"{kept.partition}/{end.sequence + 1}",
        problem=f"cut off: {missing} records are missing at the end",
    )
