"""What the first page says of freezes and of reviews that are due."""

from datetime import timedelta

import msgspec
import pytest

from shared.domain.catalog import Catalog
from shared.domain.decisions.control import Controls
from shared.domain.freezes.freeze import Calendar, Freeze, FreezeWindow
from shared.domain.reviews.review import Review, ReviewKind
from shared.domain.views.freezes import FreezeLine, present_freezes
from shared.domain.views.reviews import ReviewLine, present_reviews
from shared.domain.windows import Once
from tests.shared.domain.incidents.situations import INCIDENT, NOW, SERVICE

HOUR = timedelta(hours=1)
TOGGLE = Freeze(
    scope=SERVICE.name, on=True, by="t/dana", reason="# a *move*", at=NOW, expires_at=NOW + HOUR
)
YEAR_END = FreezeWindow(
    name="Year end",
    scope="*",
    window=Once(start=NOW - HOUR, end=NOW + HOUR, reason="accounts"),
)
CATALOG = Catalog(services={SERVICE.name: SERVICE}, calendar=Calendar(windows=(YEAR_END,)))
REVIEW = Review(
    id=f"{INCIDENT.id}-R0A1B2C3D",
    incident=INCIDENT.id,
    service=SERVICE.name,
    kind=ReviewKind.EMERGENCY_WAIVER,
    about="plan-1",
    why="Rolled back without approval.",
    opened_at=NOW - timedelta(days=8),
    due_at=NOW,
    opened_by="backstop",
)


def freezes(*toggles: Freeze, known: bool = True) -> tuple[FreezeLine, ...]:
    return present_freezes(CATALOG, Controls(freezes=toggles, known=known), NOW)


def review(**changes: object) -> ReviewLine:
    shown = msgspec.structs.replace(REVIEW, **changes)
    return present_reviews([shown], {SERVICE.name: SERVICE}, NOW)[0]


def test_a_calendars_freeze_is_shown_and_not_to_be_lifted_here() -> None:
    (line,) = freezes()
    assert (line.covers, line.lifts) == ("all services", False)
    assert "Year end" in line.sentence


def test_what_a_commander_froze_says_who_and_can_be_lifted() -> None:
    _, line = freezes(TOGGLE)
    assert (line.scope, line.covers) == (SERVICE.name, SERVICE.title)
    assert (line.by, line.lifts) == ("t/dana", True)


def test_a_freeze_of_the_past_is_not_shown() -> None:
    assert len(freezes(msgspec.structs.replace(TOGGLE, expires_at=NOW))) == 1
    assert len(freezes(msgspec.structs.replace(TOGGLE, on=False))) == 1


def test_freezes_that_cannot_be_read_are_a_freeze() -> None:
    first, _ = freezes(known=False)
    assert "cannot be read" in first.sentence
    assert not first.lifts


def test_a_review_says_what_was_done_by_whom_and_that_it_is_overdue() -> None:
    line = review()
    assert line.title == "Moved without approval in an emergency"
    assert (line.service, line.by, line.overdue) == (SERVICE.title, "", True)
    assert review(opened_by="t/dana").by == "t/dana"
    assert not review(due_at=NOW + HOUR).overdue


@pytest.mark.parametrize("kind", ReviewKind)
def test_every_kind_of_review_has_words(kind: ReviewKind) -> None:
    assert review(kind=kind).title
