"""Alerts: what Azure Monitor posts, read tolerantly into one type.

Second step of the flow: ingest parses, triage decides. A wrong type costs a field, never the alert;
an unknown kind is still an alert. See `parse_alert`.
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class Condition(StrEnum):
    """Whether the trouble began or ended."""

    FIRED = "Fired"
    RESOLVED = "Resolved"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One notification. `severity` is Azure's 0-4, None where the source has none.

    `delivery_key` tells whether the very same notification came again, `correlation_key` whether it
    is the same trouble: rule, targets and dimensions. Targets are ARM ids in lower case.
    """

    delivery_key: str
    correlation_key: str
    alert_id: str
    rule: str
    kind: str
    condition: Condition
    severity: int | None
    targets: tuple[str, ...]
    fired_at: datetime
    resolved_at: datetime | None = None
    monitoring_service: str = ""
    signal_type: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    description: str = ""
    service_hint: str = ""
    summary: str = ""

    @property
    def at(self) -> datetime:
        """When what the notification tells of happened."""
        resolved = self.condition is Condition.RESOLVED
        return self.resolved_at if resolved and self.resolved_at else self.fired_at
