"""Retention: how long the bodies of records are kept, by class, and what a legal hold keeps longer.

The periods are policy (`BACKSTOP_RETAIN_*_DAYS`): the EU AI Act asks for six months at least, so a
shorter one is refused. A kind that no class names is kept longest. Only bodies are purged.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from shared.domain.event import ChangeEvent, EventKind, happened
from shared.domain.keys import digest
from shared.domain.ledger.record import LedgerRow

EVERYTHING = "*"


class RecordClass(StrEnum):
    """Classes of records, by how long somebody may have to answer for them."""

    CHANGES = "changes"  # who changed or decided what: authority, traffic, releases, controls
    INCIDENTS = "incidents"  # what an incident was: found, paged, acknowledged, ended
    INTAKE = "intake"  # what came in


_INTAKE = frozenset(
    {
        EventKind.ALERT_JOINED,
        EventKind.ALERT_RESOLVED,
        EventKind.ALERT_SWEPT,
        EventKind.QUARANTINED,
        EventKind.RESUBMITTED,
        EventKind.DISCARDED,
        EventKind.FLOODED,
        EventKind.FLOODED,
    }
)
_INCIDENTS = frozenset(
    {
        EventKind.DIAGNOSED,
        EventKind.PAGED,
        EventKind.PAGE_REFUSED,
        EventKind.PAGED_DIRECTLY,
        EventKind.QUIETED,
        EventKind.RESUMED,
        EventKind.NOTED,
        EventKind.REMINDED,
        EventKind.VERIFIED,
    }
)


class LegalHold(msgspec.Struct, frozen=True, kw_only=True):
    """What may not be purged. `scope` is an incident, a service, or "*"; it ends by a person."""

    scope: str
    by: str
    reason: str
    at: datetime
    on: bool = True


class _About(msgspec.Struct, frozen=True):
    """What a body is about."""

    service: str
    incident: str = ""


def class_of(kind: str) -> RecordClass:
    """The class of a kind of event."""
    if kind in _INTAKE:
        return RecordClass.INTAKE
    return RecordClass.INCIDENTS if kind in _INCIDENTS else RecordClass.CHANGES


def is_expired(row: LedgerRow, days: Mapping[str, float], now: datetime) -> bool:
    """Whether the body is there and its time is over. What tells of a purge stays for ever."""
    if not row.body or row.kind == EventKind.LEDGER_PURGED:
        return False
    period = timedelta(days=days[class_of(row.kind)])
    return datetime.fromisoformat(row.recorded_at) + period < now


def is_held(row: LedgerRow, holds: Sequence[LegalHold]) -> bool:
    """Whether somebody ordered that the body is kept."""
    about = msgspec.json.decode(row.body, type=_About)
    scopes = {hold.scope for hold in holds if hold.on}
    return bool(scopes & {EVERYTHING, about.service, about.incident or EVERYTHING})


def may_have_expired(partition: str, days: Mapping[str, float], now: datetime) -> bool:
    """Whether a partition is old enough to hold expired records at all, by its month alone."""
    begins = datetime.strptime(partition[-6:], "%Y%m").replace(tzinfo=UTC)
    return begins + timedelta(days=min(days.values())) < now


def tell_hold(was: LegalHold | None, hold: LegalHold) -> ChangeEvent:
    """The event of a legal hold that is placed or lifted."""
    return happened(
        EventKind.LEGAL_HOLD_CHANGED,
        f"legal-hold-{digest(hold.scope, hold.at.isoformat())}",
        hold.scope,
        hold.at,
        actor=hold.by,
        what=f"{'placed' if hold.on else 'lifted'} a legal hold on {hold.scope}",
        why=hold.reason,
        before=msgspec.to_builtins(was) if was else {},
        after=msgspec.to_builtins(hold),
    )
