"""The incident: what is wrong with one service, from the first alert to the end.

Pure state and the steps that change it. Each step answers the new incident and the events that tell
of it; the shell stores both in one transaction (`shared.protocol.commit`).
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How bad it is for customers. Ordered: SEV0 is the worst. Not Azure's Sev0-Sev4."""

    SEV0 = "SEV0"
    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"

    def pages(self) -> bool:
        """Whether a human is woken at once."""
        return self <= Severity.SEV1


class State(StrEnum):
    """Where an incident stands. MITIGATED and ESCALATED still wait for a person to resolve."""

    OPENED = "opened"
    DIAGNOSED = "diagnosed"
    HELD = "held"  # decided, and nothing is to be moved (observe, recommend, waiting approval)
    ACTING = "acting"
    VERIFYING = "verifying"
    MITIGATED = "mitigated"
    ESCALATED = "escalated"
    RESOLVED = "resolved"

    def is_open(self) -> bool:
        """Whether somebody or something still has to do with it."""
        return self is not State.RESOLVED


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page that was sent: to whom, when, why; acknowledged when."""

    contact: str
    at: datetime
    reason: str
    acknowledged_at: datetime | None = None


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wrote down."""

    author: str
    at: datetime
    text: str


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One incident. `sequence` counts the events told of it; traffic is percent by deployment.

    `onset_at` comes from telemetry, never from the alert: RTO runs from it, and is unknown without.
    """

    id: str
    service: str  # "" where no service owns the targets
    target: str  # ARM id of what would be rolled back, else of what the alert named
    title: str
    severity: Severity
    severity_reasons: tuple[str, ...]
    state: State = State.OPENED
    sequence: int = 0
    opened_at: datetime
    changed_at: datetime
    onset_at: datetime | None = None
    recovered_at: datetime | None = None
    resolved_at: datetime | None = None
    correlation_keys: tuple[str, ...] = ()
    firing: tuple[str, ...] = ()  # correlation keys whose alert has not resolved
    alerts: int = 1
    duplicates: int = 0
    raised: bool = False
    sentence: str = ""  # what Backstop did or refused, for people
    commander: str = ""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    plan: str = ""
    automatic_rollbacks: int = 0
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    checks: int = 0  # verifications made since the act
    cards: tuple[str, ...] = ()  # names of the cards that were claimed for posting
    pages: tuple[Page, ...] = ()
    notes: tuple[Note, ...] = ()
