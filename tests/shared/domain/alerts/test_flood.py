"""A flood of noise: so much of it is kept an hour, the rest is counted, and that is told."""

from datetime import UTC, datetime, timedelta

from shared.domain.alerts.flood import MOST, WINDOW, Flood, flood_of, rise
from shared.domain.event import ChangeEvent
from shared.domain.ledger.completeness import complete

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


def pour(flood: Flood, count: int, at: datetime = NOW) -> tuple[Flood, list[ChangeEvent]]:
    """The flood after so many inputs at one moment, and what was told of them."""
    told: list[ChangeEvent] = []
    for _ in range(count):
        flood, events = rise(flood, at)
        told += events
    return flood, told


def test_what_has_a_place_is_kept_and_worth_no_word() -> None:
    flood, told = pour(flood_of("api/alerts", NOW), MOST)

    assert (flood.takes, flood.kept, told) == (True, MOST, [])


def test_what_has_none_is_counted_and_told_once() -> None:
    flood, told = pour(flood_of("api/alerts", NOW), MOST + 50)

    assert (flood.takes, flood.kept, flood.unkept) == (False, MOST, 50)
    (event,) = told
    assert complete(event) == ()
    assert event.what == "keeps no more of what is posted to api/alerts and is no alert"
    assert event.why == "100 were kept within an hour; until 15:05 UTC the others are counted"


def test_an_hour_later_there_are_places_again_and_it_is_told_how_many_had_none() -> None:
    full, _ = pour(flood_of("api/alerts", NOW), MOST + 50)

    flood, told = pour(full, 1, NOW + WINDOW)

    assert (flood.takes, flood.kept, flood.began_at) == (True, 1, NOW + WINDOW)
    assert [event.what for event in told] == [
        "did not keep 50 inputs of api/alerts that were no alerts"
    ]


def test_a_moment_before_there_are_none_yet() -> None:
    full, _ = pour(flood_of("api/alerts", NOW), MOST)

    flood, _ = pour(full, 1, NOW + WINDOW - timedelta(seconds=1))

    assert not flood.takes


def test_an_hour_with_places_left_is_not_told() -> None:
    some, _ = pour(flood_of("api/alerts", NOW), MOST)

    assert pour(some, 1, NOW + WINDOW)[1] == []


def test_each_source_has_places_of_its_own() -> None:
    assert flood_of("api/alerts", NOW).row != flood_of("api/releases", NOW).row
