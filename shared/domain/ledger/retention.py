"""Retention: how long the bodies of records are kept, by class. A legal hold keeps some longer.

The periods are policy (`BACKSTOP_RETAIN_*_DAYS`): the EU AI Act asks for six months at least, so a
shorter one is refused. A kind that no class names is kept longest. Only bodies are purged.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from shared.domain.event import EventKind
from shared.domain.ledger.record import LedgerRow


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


def may_have_expired(partition: str, days: Mapping[str, float], now: datetime) -> bool:
    """Whether a partition is old enough to hold expired records at all, by its month alone."""
    begins = datetime.strptime(partition[-6:], "%Y%m").replace(tzinfo=UTC)
    return begins + timedelta(days=min(days.values())) < now
