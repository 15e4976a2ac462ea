"""What is durable about one endpoint: its lease, its known good, and the intents to change it.

An intent is written before the effect and ended after it: confirmed, aborted or escalated. The
lease carries a fencing number that grows with every claim.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.domain.decision import Plan
from shared.domain.release import KnownGood


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """Who may write to the endpoint until when. `fence` grows with every claim."""

    holder: str
    fence: int
    expires_at: datetime
    plan: str


class Rollback(msgspec.Struct, frozen=True, kw_only=True):
    """A rollback that was intended, for cooldown and rate limit."""

    incident: str
    plan: str
    at: datetime
    away_from: str
    back_to: str


class EndpointRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that must change together about one target. `rollbacks` keeps the last day's."""

    target: str
    service: str
    fence: int = 0
    lease: Lease | None = None
    known_good: KnownGood | None = None
    rollbacks: tuple[Rollback, ...] = ()
    serving: str = ""  # the deployment that the soak watch saw serving last
    serving_since: datetime | None = None


class IntentState(StrEnum):
    """Where an intent stands; every intent leaves OPEN within lease + 2 min."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    ABORTED = "aborted"
    ESCALATED = "escalated"


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """One intended change. `writes` counts the requests sent for it, identical each time."""

    plan: Plan
    fence: int
    opened_at: datetime
    state: IntentState = IntentState.OPEN
    writes: int = 0
    ended_at: datetime | None = None
    detail: str = ""
