"""Alerts: what Azure Monitor posts, read tolerantly into one type.

Second step of the flow: ingest parses, triage decides. A wrong type costs a field, never the alert;
an unknown kind is still an alert. See `parse_alert`.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from shared.domain.alerts.alert_context import (
    Envelope,
    dimensions_of,
    has_ended,
    instance_of,
    kind_of,
    open_envelope,
    rule_of,
    service_hint_of,
    severity_of,
    targets_of,
    title_of,
)
from shared.domain.alerts.alert_summary import plain, summarise
from shared.domain.alerts.kept_fields import keep_fields
from shared.domain.alerts.payload import Fields, canonical, moment, read_object
from shared.domain.keys import digest
from shared.domain.redaction.redactor import BARE, Redactor
from shared.domain.signals.reading import Reading

MAX_DESCRIPTION = 1_000
MAX_TITLE = 100
MAX_CLOCK_AHEAD = timedelta(days=1)
_FIRST_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_HALF = 16  # hex digits
_DELIVERY = ("alertId", "originAlertId", "monitorCondition", "firedDateTime", "resolvedDateTime")


class Condition(StrEnum):
    """Whether the trouble began or ended."""

    FIRED = "Fired"
    RESOLVED = "Resolved"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One notification. `severity` is Azure's 0-4, None where the source has none.

    `delivery_key` tells whether the very same notification came again, `correlation_key` whether it
    is the same trouble: rule, targets and dimensions. Targets are ARM ids in lower case. `title` is
    what people call it, "" where the rule does not say. `reading` is what was counted, where a
    signal told of it and not Azure Monitor.
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
    reading: Reading | None = None
    title: str = ""

    @property
    def identity(self) -> str:
        """What the delivery keys of this alert's beginning, or of its end, all begin with.

        Two tellings of one alert may differ by seconds in their times; in this they are the same.
        """
        return self.delivery_key[:_HALF]

    @property
    def at(self) -> datetime:
        """When what the notification tells of happened."""
        resolved = self.condition is Condition.RESOLVED
        return self.resolved_at if resolved and self.resolved_at else self.fired_at

    def evidence(self) -> dict[str, object]:
        """What the ledger keeps: no dimensions and no description, they may be personal."""
        return {
            "delivery": self.delivery_key,
            "rule": self.rule,
            "kind": self.kind,
            "severity": self.severity,
            "targets": list(self.targets),
            **({"counted": self.reading.counts()} if self.reading is not None else {}),
        }


def parse_alert(body: bytes, received_at: datetime, redactor: Redactor = BARE) -> Alert:
    """Read what Azure Monitor posted; `received_at` (UTC) stands in for a missing fired time.

    The keys are made of what came, all else of what the redactor leaves of it. Raises RejectedInput
    and nothing else, whatever the bytes are, for the reasons of `read_object` and `open_envelope`.
    """
    document = read_object(body)
    envelope = open_envelope(document)
    came = keep_fields(envelope)
    kept = redactor.struct(came)  # the very same where there is nothing in it
    told = _tell(came)
    said = told if kept is came else _tell(kept)
    kind = kind_of(envelope)
    title = plain(title_of(kept, kind), MAX_TITLE)
    fired_at = _believable(envelope, "firedDateTime", received_at) or received_at
    return Alert(
        delivery_key=_delivery_key(envelope, document),
        correlation_key=_correlation_key(told),
        alert_id=kept.essential("alertId"),
        rule=said.rule,
        kind=kind,
        condition=Condition.RESOLVED if has_ended(envelope, kind) else Condition.FIRED,
        severity=severity_of(envelope),
        targets=said.targets,
        fired_at=fired_at,
        resolved_at=_believable(envelope, "resolvedDateTime", received_at),
        monitoring_service=kept.essential("monitoringService"),
        signal_type=kept.essential("signalType"),
        dimensions=said.dimensions,
        description=plain(kept.essential("description"), MAX_DESCRIPTION),
        service_hint=service_hint_of(kept, kind),
        summary=summarise(kept, kind, title or said.rule, said.targets),
        title=title,
    )


def _delivery_key(envelope: Envelope, document: Fields) -> str:
    """Tell this notification from all others; alertId alone is the rule's id for some kinds."""
    parts = [envelope.essential(name) for name in _DELIVERY]
    key = digest(*parts) if any(parts) else digest(canonical(document))
    named = instance_of(envelope)
    condition = envelope.essential("monitorCondition").lower()
    return digest(named, condition)[:_HALF] + key[_HALF:] if named else key


class _Told(msgspec.Struct, frozen=True):
    """What the alert is about."""

    rule: str
    targets: tuple[str, ...]
    dimensions: tuple[tuple[str, str], ...]


def _tell(envelope: Envelope) -> _Told:
    return _Told(rule_of(envelope), targets_of(envelope), dimensions_of(envelope))


def _correlation_key(told: _Told) -> str:
    """Tell this trouble from all others. The lists are counted so that none runs into the next."""
    pairs = [part for pair in told.dimensions for part in pair]
    return digest(told.rule.lower(), str(len(told.targets)), *told.targets, *pairs)


def _believable(envelope: Envelope, name: str, received_at: datetime) -> datetime | None:
    """Read a time, unless it lies where no alert can come from: a day ahead, or before Azure."""
    read = moment(envelope.essentials.get(name))
    if read is None or not _FIRST_TIME <= read <= received_at + MAX_CLOCK_AHEAD:
        return None
    return read
