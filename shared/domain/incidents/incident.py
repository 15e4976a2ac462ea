"""The incident: what is wrong with one service, from the first alert to the end.

Pure state. Every step (`shared.domain.incidents.triage`, `shared.domain.incidents.steps`) answers a
`Step`: the new incident and the events that tell of it, which the shell stores in one transaction
(`shared.protocol.commit`). `tell` is how all of them are made.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, Unpack

import msgspec

from shared.domain.event import ChangeEvent, EventKind, Telling, happened
from shared.domain.incidents.report_duty import ReportDuty
from shared.domain.incidents.requests import Awaited, RollbackRequest
from shared.domain.noise.quiet import Quiet
from shared.domain.signals.reading import Reading

# What before and after of an event say; the rest is in the incident, or is personal.
_TOLD = ("state", "severity", "commander", "firing", "plan", "before", "after")


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
    HELD = "held"  # decided, and nothing is to be moved (observe, recommend)
    WAITING = "waiting"  # decided, and the plan waits for people to approve it
    ACTING = "acting"
    VERIFYING = "verifying"
    MITIGATED = "mitigated"
    ESCALATED = "escalated"
    RESOLVED = "resolved"

    def is_open(self) -> bool:
        """Whether somebody or something still has to do with it."""
        return self is not State.RESOLVED


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page that was sent: to whom, when, why; acknowledged when. A refused one woke nobody."""

    contact: str
    at: datetime
    reason: str
    acknowledged_at: datetime | None = None
    refused: bool = False


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wrote down."""

    author: str
    at: datetime
    text: str


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One incident. `sequence` counts the events told of it; traffic is percent by deployment.

    `onset_at` comes from telemetry, never from the alert: RTO runs from it, and is unknown without.
    Both it and `recovered_at` are those of the last breach.
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
    graded_by: str = ""  # the person by whose word alone it is a SEV0 or SEV1
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
    progressed_at: datetime | None = None  # when state or checks changed last; None since opened
    reminders: int = 0  # how often the step that is due was asked for again since then
    bad_share_after: float | None = None  # of the affected requests since the act
    pages: tuple[Page, ...] = ()
    quiet: tuple[Quiet, ...] = ()  # what holds it back, as it was told; () once it went on
    crowded: bool = False  # more troubles joined than are kept: only a person knows when all end
    deferred: bool = False  # automation was held back: it is asked anew when the incident goes on
    storm: bool = False  # it tells of a storm of alerts
    reviews: tuple[str, ...] = ()  # the mandatory ones that are open
    unexplained: bool = False  # what is wrong now began after the diagnosis: a person has it
    notes: tuple[Note, ...] = ()
    duty: ReportDuty = ReportDuty()  # to tell the authority, if policy sets one
    awaited: Awaited | None = None  # the approval that its plan waits for, or waited for last
    request: RollbackRequest | None = None  # a person asks for a rollback, and it is not done yet
    signals_only: bool = False  # no alert that measured it has come, only signals
    reading: Reading | None = None  # what the last signal counted that showed a breach
    heard: dict[str, datetime] = {}  # until when a signal's breach counts that is not told again


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The stored row of one correlation key: which incident has it, and when it last changed.

    `fired_at` and `resolved_at` are the latest event times seen, in whatever order the alerts came:
    the trouble is on while `fired_at` is later. `deliveries` are the last delivery keys taken, so
    that a command which runs twice counts once.
    """

    correlation_key: str
    incident: str | None = None
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
    deliveries: tuple[str, ...] = ()

    @property
    def is_firing(self) -> bool:
        """Whether the trouble is on, by event time; a tie is resolved."""
        if self.fired_at is None:
            return False
        return self.resolved_at is None or self.resolved_at < self.fired_at


class DeliveryOutcome(StrEnum):
    """What became of one alert."""

    OPENED = "opened"
    JOINED = "joined"
    RESOLVED = "resolved"
    REMEMBERED = "remembered"  # it ended before we knew that it began, or something newer fires
    SUPPRESSED = "suppressed"  # its end is known already
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class SeverityChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A severity and, in plain sentences, why."""

    severity: Severity
    reasons: tuple[str, ...]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What to store and to send together. `commands` are subjects for topic `work`.

    `incident` is None where there is nothing to store; `reason` says why, for people.
    """

    incident: Incident | None
    events: tuple[ChangeEvent, ...] = ()
    commands: tuple[str, ...] = ()
    claim: Claim | None = None
    outcome: DeliveryOutcome | None = None
    reason: str = ""

    def then(self, later: "Step") -> Self:
        """Both steps as one; `later` was taken from this step's incident."""
        return msgspec.structs.replace(
            self,
            incident=later.incident,
            events=self.events + later.events,
            commands=self.commands + later.commands,
        )


def tell(
    incident: Incident,
    kind: EventKind,
    *,
    now: datetime,
    changes: Mapping[str, Any] | None = None,
    **telling: Unpack[Telling],
) -> Step:
    """Change the incident and make the one event that tells of it; its id is unique for ever.

    `changes` are new values of the incident's fields; before and after are taken from them where
    they are not given.
    """
    changes = changes or {}
    sequence = incident.sequence + 1
    told = [name for name in _TOLD if name in changes]
    changed = msgspec.structs.replace(incident, **changes)
    changed = msgspec.structs.replace(changed, sequence=sequence, changed_at=now)
    if (changed.state, changed.checks) != (incident.state, incident.checks):
        changed = msgspec.structs.replace(changed, progressed_at=now, reminders=0)
    said: Telling = {
        "before": _picked(incident, told),
        "after": _picked(changed, told),
        **telling,
    }
    event = happened(kind, f"{incident.id}-{sequence:04d}", incident.service, now, **said)
    event = msgspec.structs.replace(event, incident=incident.id, sequence=sequence)
    return Step(incident=changed, events=(event,))


def tell_opening(
    incident: Incident,
    summary: str,
    *,
    happened_at: datetime,
    evidence: Mapping[str, Any] = {},
) -> Step:
    """The first event of an incident: what is wrong since when, and why it is so severe."""
    duty = incident.duty.classified(incident.severity, incident.opened_at)
    return tell(
        incident,
        EventKind.INCIDENT_OPENED,
        actor="backstop",
        what=f"opened as {incident.severity}: {summary}",
        why="; ".join(incident.severity_reasons),
        now=incident.opened_at,
        happened_at=happened_at,
        after=_picked(incident, ("state", "severity")),
        evidence={**evidence, **duty.told},
        changes={"duty": duty},
    )


def _picked(incident: Incident, names: Iterable[str]) -> dict[str, Any]:
    """Some of the incident's fields as plain values, as the ledger keeps them."""
    picked = dict(msgspec.to_builtins({name: getattr(incident, name) for name in names}))
    if "firing" in picked:  # how many: the bus takes no event that names hundreds, twice
        picked["firing"] = len(incident.firing)
    return picked
