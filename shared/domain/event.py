"""Change events: the facts that go to topic `changes` and into the ledger.

One event tells of one thing that happened: who, what, when, why, before and after. It is written in
the same transaction as the state that it tells of, so neither can exist without the other.
`happened` is how all of them are made: those of an incident by
`shared.domain.incidents.incident.tell`, the others beside the state that they tell of.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Required, TypedDict, Unpack

import msgspec

ITSELF = "backstop"  # the service that events and incidents of Backstop's own trouble name


class EventKind(StrEnum):
    """What happened. The names are stable: the ledger keeps them for years."""

    INCIDENT_OPENED = "incident.opened"
    ALERT_JOINED = "alert.joined"
    ALERT_RESOLVED = "alert.resolved"
    ALERT_SWEPT = "alert.swept"
    DIAGNOSED = "incident.diagnosed"
    SEVERITY_CHANGED = "incident.severity-changed"
    DECIDED = "incident.decided"
    INTENT_OPENED = "rollback.intended"
    INTENT_CONFIRMED = "rollback.confirmed"
    INTENT_ABORTED = "rollback.aborted"
    INTENT_ESCALATED = "rollback.escalated"
    VERIFIED = "incident.verified"
    MITIGATED = "incident.mitigated"
    ESCALATED = "incident.escalated"
    PAGED = "incident.paged"
    PAGE_REFUSED = "incident.page-refused"
    PAGED_DIRECTLY = "incident.paged-directly"
    QUIETED = "incident.quieted"
    RESUMED = "incident.resumed"
    ACKNOWLEDGED = "incident.acknowledged"
    COMMANDED = "incident.commanded"
    NOTED = "incident.noted"
    REPORTED = "incident.reported"
    RESOLVED = "incident.resolved"
    RELEASE_REGISTERED = "release.registered"
    PROMOTED = "release.promoted"
    PROMOTION_REFUSED = "promotion.refused"
    CONFIGURATION_CHANGED = "configuration.changed"
    KNOWN_GOOD_EARNED = "known-good.earned"
    KNOWN_GOOD_LOST = "known-good.lost"
    CHANGE_UNATTRIBUTED = "change.unattributed"
    KILL_SWITCH_CHANGED = "kill-switch.changed"
    FREEZE_CHANGED = "freeze.changed"
    BUDGET_CROSSED = "budget.crossed"
    BUDGET_RECOVERED = "budget.recovered"
    REVIEW_OPENED = "review.opened"
    REVIEW_OVERDUE = "review.overdue"
    REVIEW_CLOSED = "review.closed"
    QUARANTINED = "input.quarantined"
    RESUBMITTED = "input.resubmitted"
    DISCARDED = "input.discarded"
    FLOODED = "input.flooded"
    REMINDED = "incident.reminded"
    ACCESS_REFUSED = "access.refused"
    LEDGER_PURGED = "ledger.purged"
    LEGAL_HOLD_CHANGED = "legal-hold.changed"
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_GIVEN = "approval.given"
    APPROVAL_REFUSED = "approval.refused"
    APPROVAL_EXPIRED = "approval.expired"
    APPROVAL_OUTDATED = "approval.outdated"
    ROLLBACK_REQUESTED = "rollback.requested"
    OVERRIDDEN = "decision.overridden"
    EVIDENCE_ORDERED = "evidence.ordered"
    EVIDENCE_EXPORTED = "evidence.exported"


class ChangeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One fact. `actor` is who did it ("backstop" for automation), `id` is unique for ever.

    `role` is the app role that allowed it; "" for automation, which policy allows.
    `sequence` orders the events of one incident; the bus promises no order.
    """

    id: str
    kind: EventKind
    service: str
    incident: str = ""
    sequence: int = 0
    actor: str
    what: str
    why: str
    happened_at: datetime
    recorded_at: datetime
    policy: str = ""
    policy_hash: str = ""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    evidence: dict[str, Any] = {}
    configuration_digest: str = ""
    role: str = ""


class Telling(TypedDict, total=False):
    """What an event says beside its id and kind; see `ChangeEvent`."""

    actor: Required[str]
    what: Required[str]
    why: Required[str]
    happened_at: datetime
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    evidence: Mapping[str, Any]
    policy: str
    policy_hash: str
    configuration_digest: str
    role: str


def happened(
    kind: EventKind, event_id: str, service: str, now: datetime, **telling: Unpack[Telling]
) -> ChangeEvent:
    """Make the event of what happens now, unless `happened_at` says that it was earlier."""
    said: dict[str, Any] = {"happened_at": now, **telling}
    return ChangeEvent(id=event_id, kind=kind, service=service, recorded_at=now, **said)
