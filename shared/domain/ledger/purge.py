"""Purges: bodies whose time is over are removed, and a record of its own tells which.

The record is appended first, then the bodies go. So a body that is missing is either named by an
event `ledger.purged`, or was taken away by somebody who had no right to.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from shared.domain.event import ITSELF, ChangeEvent, EventKind, happened
from shared.domain.keys import digest
from shared.domain.ledger.record import LedgerRow


class Told(msgspec.Struct, frozen=True):
    """Which records of a partition a purge took the bodies of."""

    partition: str
    sequences: frozenset[int]


class _Purged(msgspec.Struct, frozen=True):
    """What is read of the body of such an event."""

    evidence: Told


def tell_purged(rows: Sequence[LedgerRow], why: str, now: datetime) -> ChangeEvent:
    """The event that goes before the bodies of these records, all of one partition, do."""
    partition, sequences = rows[0].partition, [row.sequence for row in rows]
    return happened(
        EventKind.LEDGER_PURGED,
        f"ledger-purged-{digest(partition, *map(str, sequences))}",
        ITSELF,
        now,
        actor="backstop",
        what=f"removed the bodies of {len(rows)} records of {partition}",
        why=why,
        before={"bodies": len(rows)},
        after={"bodies": 0},
        evidence={"partition": partition, "sequences": sequences},
    )


def without_body(row: LedgerRow, told_by: str) -> LedgerRow:
    """The record as it stays; `told_by` ("partition/sequence") is the record of the purge."""
    return msgspec.structs.replace(row, body="", purged=told_by)


def told_in(row: LedgerRow) -> Told | None:
    """What a record tells of a purge; None where it is about something else."""
    if row.kind != EventKind.LEDGER_PURGED or not row.body:
        return None
    return msgspec.json.decode(row.body, type=_Purged).evidence
