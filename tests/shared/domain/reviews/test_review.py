"""The mandatory review as values: opened once, due in working days, closed by another person."""

from datetime import UTC, datetime, timedelta

import msgspec

from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident
from shared.domain.reviews.review import (
    OWN_DEED,
    Opening,
    Review,
    ReviewKind,
    Revised,
    conclude,
    incident_of,
    open_review,
    remind,
)
from shared.domain.row import Put, Remove
from tests.shared.domain.decisions.worked_case import INCIDENT

NOW = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)  # a Thursday
OPENING = Opening(
    kind=ReviewKind.LONE_APPROVAL,
    about="plan-1",
    why="Nobody else was awake.",
    by="t/dana",
    role="Commander",
    days=2,
    zone="Europe/Amsterdam",
)


def opened() -> tuple[Incident, Review]:
    return stored(open_review(INCIDENT, OPENING, NOW))


def stored(revised: Revised) -> tuple[Incident, Review]:
    assert revised.step.incident is not None
    put = revised.writes[-1]
    assert isinstance(put, Put)
    assert isinstance(put.value, Review)
    return revised.step.incident, put.value


def test_it_is_due_so_many_working_days_later_and_tells_so() -> None:
    revised = open_review(INCIDENT, OPENING, NOW)
    incident, review = stored(revised)
    (event,) = revised.step.events
    assert review.due_at == datetime(2026, 11, 30, 15, 0, tzinfo=UTC)  # Monday
    assert incident.reviews == (review.id,)
    assert (event.kind, event.actor, event.role) == (
        EventKind.REVIEW_OPENED,
        "t/dana",
        "Commander",
    )
    assert event.what == "opened a mandatory review (lone-approval), due on 2026-11-30 15:00 UTC"
    assert event.why == OPENING.why


def test_the_same_deed_opens_one_review_and_another_deed_another() -> None:
    incident, review = opened()
    again = open_review(incident, OPENING, NOW)
    assert (again.step.incident, again.step.events, again.writes) == (incident, (), ())
    other, _ = stored(open_review(incident, msgspec.structs.replace(OPENING, about="p2"), NOW))
    assert other.reviews[0] == review.id
    assert len(other.reviews) == 2


def test_its_id_names_its_incident() -> None:
    _, review = opened()
    assert incident_of(review.id) == INCIDENT.id
    assert incident_of(INCIDENT.id) == ""


def test_a_conclusion_moves_it_out_of_what_is_open() -> None:
    incident, review = opened()
    revised = conclude(incident, review, who="t/ada", conclusion="right", now=NOW)
    after, closed = stored(revised)
    assert after.reviews == ()
    assert (closed.closed_by, closed.closed_at, closed.conclusion) == ("t/ada", NOW, "right")
    assert revised.writes[0] == Remove(row=review.row)
    assert closed.row != review.row
    assert revised.step.events[0].after["closed_by"] == "t/ada"


def test_whoever_asked_for_it_cannot_close_it() -> None:
    opening = msgspec.structs.replace(OPENING, asked_by="t/rita")
    incident, review = stored(open_review(INCIDENT, opening, NOW))
    for who, may in (("t/rita", False), ("t/ana", True)):
        closed = conclude(incident, review, who=who, conclusion="fine", now=NOW)
        assert (closed.step.incident is not None) is may


def test_whoever_acted_cannot_close_it() -> None:
    incident, review = opened()
    refused = conclude(incident, review, who="t/dana", conclusion="fine", now=NOW)
    assert (refused.step.incident, refused.step.reason) == (None, OWN_DEED)


def test_a_closed_one_cannot_be_closed_or_told_of_again() -> None:
    incident, review = opened()
    after, _ = stored(conclude(incident, review, who="t/ada", conclusion="right", now=NOW))
    assert conclude(after, review, who="t/ada", conclusion="x", now=NOW).step.incident is None
    assert remind(after, review, "1", review.due_at).step.incident is None


def test_it_is_overdue_from_its_due_moment_on_and_told_once_a_day() -> None:
    incident, review = opened()
    before, due = review.due_at - timedelta(seconds=1), review.due_at
    assert not review.is_overdue(before)
    assert remind(incident, review, "1", before).step.incident is None
    _, told = stored(remind(incident, review, "1", due))
    assert not told.wants_reminder(due + timedelta(hours=23))
    assert told.wants_reminder(due + timedelta(days=1))
