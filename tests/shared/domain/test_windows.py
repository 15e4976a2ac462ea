"""Maintenance: a window is open by the clock on its own wall, whatever summer time does."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.windows import Once, Weekly, Window, occurring

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
START = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
END = START + timedelta(hours=4)
ONCE = Once(start=START, end=END, reason="the index is rebuilt")
SATURDAYS = Weekly(
    days=(5,), at=time(22, 0), lasts_s=4 * 3600, zone="Europe/Amsterdam", reason="patches"
)
SECOND = timedelta(seconds=1)


def is_open(window: Window, now: datetime) -> bool:
    return occurring((window,), now) is not None


def wall(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=AMSTERDAM)


def test_without_windows_there_is_no_maintenance() -> None:
    assert occurring((), START) is None


def test_a_window_is_open_from_its_start_until_just_before_its_end() -> None:
    moments = (START - SECOND, START, END - SECOND, END)
    assert [is_open(ONCE, now) for now in moments] == [False, True, True, False]


def test_an_open_window_says_why_and_until_when() -> None:
    found = occurring((ONCE,), START)
    assert found is not None
    assert (found.start, found.end, found.reason) == (START, END, "the index is rebuilt")


def test_of_two_open_windows_the_longer_one_counts() -> None:
    longer = Once(start=START, end=END + SECOND, reason="longer")
    found = occurring((longer, ONCE), START)
    assert found is not None
    assert found.reason == "longer"


@pytest.mark.parametrize(
    ("now", "opened"),
    [
        (wall(2026, 11, 28, 21, 59), False),  # a Saturday
        (wall(2026, 11, 28, 22), True),
        (wall(2026, 11, 29, 1, 59), True),  # over midnight
        (wall(2026, 11, 29, 2), False),
        (wall(2026, 11, 29, 22), False),  # a Sunday
        (wall(2026, 12, 5, 23), True),  # the week after
    ],
)
def test_a_weekly_window_comes_on_its_days_and_goes_over_midnight(
    now: datetime, opened: bool
) -> None:
    assert is_open(SATURDAYS, now) is opened


@pytest.mark.parametrize("day", [(2026, 7, 4), (2026, 12, 5)])
def test_in_summer_and_in_winter_it_begins_by_the_same_wall_clock(
    day: tuple[int, int, int],
) -> None:
    found = occurring((SATURDAYS,), wall(*day, 23))
    assert found is not None
    assert found.start.astimezone(AMSTERDAM).time() == time(22, 0)


def test_a_night_that_is_an_hour_longer_makes_no_window_longer() -> None:
    long = Weekly(days=(5,), at=time(23, 0), lasts_s=6 * 3600, zone="Europe/Amsterdam", reason="x")
    autumn, spring = (occurring((long,), wall(2026, *day, 23, 30)) for day in ((10, 24), (3, 28)))
    assert autumn is not None
    assert spring is not None
    assert autumn.end.astimezone(AMSTERDAM) == wall(2026, 10, 25, 4)
    assert spring.end.astimezone(AMSTERDAM) == wall(2026, 3, 29, 6)


def test_an_hour_that_the_clock_leaves_out_begins_when_the_clock_has_passed_it() -> None:
    left_out = Weekly(days=(6,), at=time(2, 30), lasts_s=3600, zone="Europe/Amsterdam", reason="x")
    assert not is_open(left_out, wall(2026, 3, 29, 3, 29))
    assert is_open(left_out, wall(2026, 3, 29, 3, 30))


def test_an_hour_that_comes_twice_opens_one_window() -> None:
    twice = Weekly(days=(6,), at=time(2, 30), lasts_s=1800, zone="Europe/Amsterdam", reason="x")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    minutes = [first + timedelta(minutes=number) for number in range(-30, 150)]
    assert sum(is_open(twice, now) for now in minutes) == 30


@given(
    days=st.sets(st.integers(0, 6), min_size=1),
    at=st.times(),
    hours=st.integers(1, 24),
    minute=st.integers(0, 365 * 24 * 60),
    zone=st.sampled_from(["UTC", "Europe/Amsterdam", "Asia/Kolkata", "America/St_Johns"]),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_open_has_begun_on_one_of_its_days_and_ends_in_time(
    days: set[int], at: time, hours: int, minute: int, zone: str
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    window = Weekly(days=tuple(days), at=at, lasts_s=hours * 3600, zone=zone, reason="x")
    found = occurring((window,), now)
    if found is not None:
        assert found.start <= now < found.end == found.start + timedelta(hours=hours)
        day_before = found.start.astimezone(ZoneInfo(zone)) - timedelta(hours=2)
        assert {found.start.astimezone(ZoneInfo(zone)).weekday(), day_before.weekday()} & days
