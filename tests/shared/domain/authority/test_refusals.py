"""Counting what is refused: bounded, by source and by kind."""

from datetime import timedelta

from shared.domain.authority import refusals as room
from shared.domain.authority.refusals import NAMED, PATIENCE, Refusals, tell_refused
from shared.domain.authority.refused import Reason
from shared.domain.ledger.completeness import complete
from tests.fakes.scene import NOW

SECOND = timedelta(seconds=1)


def test_a_source_waits_only_after_many_refusals_and_only_for_the_rest_of_a_minute() -> None:
    refusals = Refusals()
    waits = [refusals.count("here", NOW) for _ in range(PATIENCE + 1)]
    assert waits == [0.0] * PATIENCE + [60.0]
    assert refusals.count("here", NOW + 20 * SECOND) == 40.0
    assert refusals.count("there", NOW) == 0.0
    assert refusals.count("here", NOW + 60 * SECOND) == 0.0


def test_no_more_sources_are_remembered_than_fit() -> None:
    refusals = Refusals()
    for number in range(room.SOURCES + 10):
        refusals.count(str(number), NOW)
    assert len(refusals._sources) == room.SOURCES


def test_a_kind_is_told_once_a_minute_with_all_that_came_since() -> None:
    refusals = Refusals()
    refusals.note("handle", Reason.EXPIRED, "", NOW)
    assert [one.count for one in refusals.take_due(NOW)] == [1]
    for _ in range(3):
        refusals.note("handle", Reason.EXPIRED, "", NOW + SECOND)
        refusals.note("handle", Reason.NOT_ALLOWED, "ada", NOW + SECOND)
    assert [(one.reason, one.count) for one in refusals.take_due(NOW + SECOND)] == [
        (Reason.NOT_ALLOWED, 3)
    ]
    assert refusals.are_untold
    assert [one.count for one in refusals.take_due(NOW + 60 * SECOND)] == [3]
    assert not refusals.are_untold


def test_an_event_names_some_callers_and_counts_all() -> None:
    refusals = Refusals()
    for number in range(NAMED + 5):
        refusals.note("handle", Reason.NOT_ALLOWED, f"person {number}", NOW)
    (refused,) = refusals.take_due(NOW + SECOND)
    event = tell_refused(refused, "one", NOW + SECOND)
    assert (event.actor, event.happened_at, event.recorded_at) == ("person 0", NOW, NOW + SECOND)
    assert event.what == f"refused {NAMED + 5} calls of handle"
    assert len(event.evidence["callers"]) == NAMED
    assert complete(event) == ()


def test_events_of_two_processes_at_once_are_two() -> None:
    refusals = Refusals()
    refusals.note("handle", Reason.EXPIRED, "", NOW)
    (refused,) = refusals.take_due(NOW)
    assert len({tell_refused(refused, instance, NOW).id for instance in ("one", "two")}) == 2
