"""The trail: what the events of an incident or a period come to, read once, one event at a time.

The controls (`controls.py`) judge it. Only what they point to is kept, so a year's events cost what
its changes, decisions and people cost. Everything is from the ledger's events alone; whoever has
the bundle can do the same sum.
"""

from collections.abc import Callable
from datetime import datetime

from shared.domain.authority.caller import AppRole
from shared.domain.decisions.decision import Authority, Verdict
from shared.domain.event import ITSELF, ChangeEvent, EventKind
from shared.domain.evidence.story import Asking, Course, Duty, Move, Pointer
from shared.domain.ledger.completeness import complete

AUTOMATION = "backstop"


class Trail:
    """What was read so far. `take` events in the ledger's order, then read the rest."""

    def __init__(self) -> None:
        self.events = 0
        self.first_at: datetime | None = None
        self.last_at: datetime | None = None
        self.incomplete: list[Pointer] = []
        self.nameless: list[Pointer] = []
        self.moves: dict[tuple[str, str], Move] = {}
        self.courses: dict[str, Course] = {}
        self.duties: dict[str, Duty] = {}
        self.unattributed: list[Pointer] = []
        self.declared: list[Pointer] = []
        self.hotfixes: list[Pointer] = []
        self.refused: list[Pointer] = []
        self.controls_turned: list[Pointer] = []

    def take(self, event: ChangeEvent) -> None:
        """Add one event."""
        self.events += 1
        self.first_at = min(self.first_at or event.recorded_at, event.recorded_at)
        self.last_at = max(self.last_at or event.recorded_at, event.recorded_at)
        here = point_to(event)
        if complete(event):
            self.incomplete.append(here)
        if not _names_somebody(event):
            self.nameless.append(here)
        reader = _READERS.get(event.kind)
        if reader is not None:
            reader(self, event, here)

    def move(self, event: ChangeEvent) -> Move:
        """The change of traffic that an event tells of; new where it is the first to tell."""
        key = (event.incident, str(event.evidence.get("plan_hash", "")))
        return self.moves.setdefault(key, Move(incident=key[0], plan_hash=key[1]))

    def course(self, event: ChangeEvent) -> Course | None:
        """The incident of an event; None where its opening lies before the period."""
        return self.courses.get(event.incident)


def point_to(event: ChangeEvent) -> Pointer:
    """The pointer to an event."""
    return Pointer(event=event.id, by=event.actor, role=event.role, at=event.happened_at)


def _names_somebody(event: ChangeEvent) -> bool:
    """Whether the actor is automation, or a person or program by tenant and object with a role."""
    by_name = "/" in event.actor and bool(event.role)
    return event.actor == AUTOMATION or event.service == ITSELF or by_name


def _opened(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    severity = str(event.after.get("severity", ""))
    course = Course(opened=here, severity=severity, reasons=event.why)
    course.report_due = _report_due(event)
    trail.courses[event.incident] = course


def _regraded(trail: Trail, event: ChangeEvent, _: Pointer) -> None:
    if course := trail.course(event):
        course.severity = str(event.after.get("severity", course.severity))
        course.report_due = _report_due(event)


def _report_due(event: ChangeEvent) -> datetime | None:
    """By when the authority is to know, as the event says; None where nothing is owed."""
    due = str(event.evidence.get("report_due_at", ""))
    return datetime.fromisoformat(due) if due else None


def _reported(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    """The first report counts; others may follow."""
    if course := trail.course(event):
        course.reported = course.reported or here


def _diagnosed(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    if course := trail.course(event):
        course.diagnosed = here


def _paged(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    if course := trail.course(event):
        course.pages.append(here)


def _acknowledged(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    if course := trail.course(event):
        course.acknowledged = course.acknowledged or here


def _verified(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    if course := trail.course(event):
        course.verified.append(here)


def _ended(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    if course := trail.course(event):
        course.ended = here


def _decided(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    """Only what lets traffic move begins a move; what is decided later changes nothing of it."""
    said = event.evidence
    if not said.get("plan_hash") or said.get("verdict") != Verdict.ROLL_BACK:
        return
    move = trail.move(event)
    if move.decided is None:
        move.decided, move.policy_hash = here, event.policy_hash
        move.unseconded += [here] if said.get("waived") else []


def _asking(trail: Trail, event: ChangeEvent) -> Asking:
    nonce = str(event.evidence.get("nonce", ""))
    return trail.move(event).askings.setdefault(nonce, Asking())


def _requested(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    _asking(trail, event).requested = here


def _approved(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    asking = _asking(trail, event)
    asking.approvals.append(here)
    if event.evidence.get("settled"):
        asking.settled_at = event.happened_at
    if event.evidence.get("alone"):
        trail.move(event).unseconded.append(here)


def _overridden(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    """What nobody else approved before is looked at by another person afterwards."""
    if event.evidence.get("authority") != Authority.APPROVAL:
        trail.move(event).unseconded.append(here)


def _intended(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    move, said = trail.move(event), event.evidence
    move.intended = here
    move.plan, move.authority = str(said.get("plan", "")), str(said.get("authority", ""))


def _finished(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    move = trail.move(event)
    move.ended, move.confirmed = here, event.kind is EventKind.INTENT_CONFIRMED


def _review_opened(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    due = str(event.after.get("due_at", ""))
    key = str(event.after.get("review", event.id))
    due_at = datetime.fromisoformat(due) if due else event.happened_at
    about = (event.incident, str(event.after.get("about", "")))
    trail.duties[key] = Duty(opened=here, due_at=due_at, about=about)


def _review_closed(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    if duty := trail.duties.get(str(event.after.get("review", ""))):
        duty.closed = here


def _registered(trail: Trail, event: ChangeEvent, here: Pointer) -> None:
    """What a commander let by in a freeze is looked at by another person afterwards."""
    trail.declared.append(here)
    if event.evidence.get("change_freeze") and event.role == AppRole.COMMANDER:
        trail.hotfixes.append(here)


def _listed(name: str) -> Callable[[Trail, ChangeEvent, Pointer], None]:
    def add(trail: Trail, _: ChangeEvent, here: Pointer) -> None:
        getattr(trail, name).append(here)

    return add


_READERS: dict[EventKind, Callable[[Trail, ChangeEvent, Pointer], None]] = {
    EventKind.INCIDENT_OPENED: _opened,
    EventKind.SEVERITY_CHANGED: _regraded,
    EventKind.REPORTED: _reported,
    EventKind.DIAGNOSED: _diagnosed,
    EventKind.PAGED: _paged,
    EventKind.PAGED_DIRECTLY: _paged,
    EventKind.ACKNOWLEDGED: _acknowledged,
    EventKind.COMMANDED: _acknowledged,
    EventKind.VERIFIED: _verified,
    EventKind.MITIGATED: _ended,
    EventKind.ESCALATED: _ended,
    EventKind.RESOLVED: _ended,
    EventKind.DECIDED: _decided,
    EventKind.OVERRIDDEN: _overridden,
    EventKind.APPROVAL_REQUESTED: _requested,
    EventKind.APPROVAL_GIVEN: _approved,
    EventKind.INTENT_OPENED: _intended,
    EventKind.INTENT_CONFIRMED: _finished,
    EventKind.INTENT_ABORTED: _finished,
    EventKind.INTENT_ESCALATED: _finished,
    EventKind.REVIEW_OPENED: _review_opened,
    EventKind.REVIEW_CLOSED: _review_closed,
    EventKind.CHANGE_UNATTRIBUTED: _listed("unattributed"),
    EventKind.RELEASE_REGISTERED: _registered,
    EventKind.PROMOTED: _listed("declared"),
    EventKind.CONFIGURATION_CHANGED: _listed("declared"),
    EventKind.ACCESS_REFUSED: _listed("refused"),
    EventKind.PROMOTION_REFUSED: _listed("refused"),
    EventKind.KILL_SWITCH_CHANGED: _listed("controls_turned"),
    EventKind.FREEZE_CHANGED: _listed("controls_turned"),
    EventKind.LEGAL_HOLD_CHANGED: _listed("controls_turned"),
}
