"""What people do with an incident: acknowledge, take command, write a note, report it. Pure.

`who` is the actor's id, never an e-mail address, and `role` the app role that allowed it. As in
`shared.domain.incidents.steps`, a step that does not apply answers no incident and the reason.
"""

from datetime import datetime

import msgspec

from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, Note, Page, Step, tell
from shared.domain.incidents.report_duty import Report
from shared.domain.incidents.steps import refuse_resolved

NOTES_HOLD = 400_000  # bytes as JSON: at most twice that in the entity, which holds 1 MiB in all


def acknowledge(incident: Incident, *, who: str, role: str = "", now: datetime) -> Step:
    """Somebody has seen it: pages that wait are answered. The first one counts."""
    if not incident.state.is_open():
        return refuse_resolved(incident)
    if incident.acknowledged_by:
        return Step(incident=None, reason=f"already acknowledged by {incident.acknowledged_by}")
    changes = {"acknowledged_by": who, "acknowledged_at": now, "pages": _answered(incident, now)}
    return tell(
        incident,
        EventKind.ACKNOWLEDGED,
        actor=who,
        role=role,
        what="acknowledged",
        why="a person has seen it",
        now=now,
        changes=changes,
    )


def take_command(incident: Incident, *, who: str, role: str = "", now: datetime) -> Step:
    """Somebody leads from here on; it acknowledges, too. Command may be taken over."""
    if not incident.state.is_open():
        return refuse_resolved(incident)
    if incident.commander == who:
        return Step(incident=None, reason="you have command already")
    changes = {
        "commander": who,
        "acknowledged_by": incident.acknowledged_by or who,
        "acknowledged_at": incident.acknowledged_at or now,
        "pages": _answered(incident, now),
    }
    why = f"taken over from {incident.commander}" if incident.commander else "nobody had it"
    return tell(
        incident,
        EventKind.COMMANDED,
        actor=who,
        role=role,
        what="took command",
        why=why,
        now=now,
        changes=changes,
    )


def add_note(incident: Incident, text: str, *, who: str, role: str = "", now: datetime) -> Step:
    """Keep what a person wrote, as long as there is room: an incident must stay storable.

    The ledger learns that there is a note, not what it says.
    """
    notes = (*incident.notes, Note(author=who, at=now, text=text))
    if len(msgspec.json.encode(notes)) > NOTES_HOLD:
        return Step(incident=None, reason="this incident's notes are full: write on elsewhere")
    return tell(
        incident,
        EventKind.NOTED,
        actor=who,
        role=role,
        what=f"wrote a note of {len(text)} characters",
        why="for the timeline",
        now=now,
        changes={"notes": notes},
    )


def report(
    incident: Incident, reference: str, *, at: datetime, who: str, role: str = "", now: datetime
) -> Step:
    """Keep that the incident was reported to the authority `at` that time; also once it is over.

    `reference` is the authority's own, or whatever finds the report again.
    """
    duty = incident.duty.reported(Report(reference=reference, at=at, by=who))
    due = incident.duty.due_at
    by_when = f"due by {due:%Y-%m-%d %H:%M} UTC" if due else "no policy asks for it"
    return tell(
        incident,
        EventKind.REPORTED,
        actor=who,
        role=role,
        what=f"reported the incident to the authority as {reference}",
        why=f"a major incident is reported: {by_when}",
        happened_at=at,
        now=now,
        before={"reports": len(incident.duty.reports)},
        after={"reports": len(duty.reports), "reference": reference, "at": at.isoformat()},
        evidence=duty.told,
        changes={"duty": duty},
    )


def _answered(incident: Incident, now: datetime) -> tuple[Page, ...]:
    """The pages that wait are answered; one that the pager refused reached nobody."""
    return tuple(
        page
        if page.refused
        else msgspec.structs.replace(page, acknowledged_at=page.acknowledged_at or now)
        for page in incident.pages
    )
