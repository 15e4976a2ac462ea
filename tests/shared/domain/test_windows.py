"""Windows: one is open by the clock on its own wall, whatever summer time does."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.windows import MonthEnd, Monthly, Once, Weekly, Window, Yearly, occurring

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


ZONES = st.sampled_from(["UTC", "Europe/Amsterdam", "Asia/Kolkata", "America/St_Johns"])
DAY_OF_YEAR = st.dates(date(2027, 1, 1), date(2027, 12, 31)).map(lambda day: (day.month, day.day))
LASTS = st.integers(1, 14 * 24)
MONTHLY = st.builds(
    Monthly,
    days=st.lists(st.integers(1, 31), min_size=1, max_size=3).map(tuple),
    at=st.times(),
    lasts_s=LASTS.map(lambda hours: hours * 3600),
    zone=ZONES,
    reason=st.just("premiums"),
)
MONTH_END = st.builds(
    MonthEnd,
    at=st.times(),
    lasts_s=LASTS.map(lambda hours: hours * 3600),
    zone=ZONES,
    reason=st.just("accounts"),
    holidays=st.sampled_from([(), (date(2026, 12, 31), date(2026, 11, 30))]),
)
YEARLY = st.builds(Yearly, first=DAY_OF_YEAR, last=DAY_OF_YEAR, zone=ZONES, reason=st.just("year"))


def every_day(window: Window) -> list[date]:
    """All days of a few years on which a window begins, by looking at the calendar day by day."""
    days = [date(2024, 11, 1) + timedelta(days=number) for number in range(365 * 4)]
    match window:
        case Monthly():
            return [day for day in days if day.day in window.days]
        case MonthEnd():
            at_work = [
                day for day in days if day.isoweekday() not in (6, 7) and day not in window.holidays
            ]
            return [
                day
                for day, after in pairwise(at_work)
                if (day.year, day.month) != (after.year, after.month)
            ]
        case Yearly():
            return [day for day in days if (day.month, day.day) == window.first]
        case _:
            raise AssertionError(window)


def was_open(window: Window, now: datetime) -> bool:
    """Whether the window is open, by comparing clocks on the wall of the zone, begin by begin."""
    assert not isinstance(window, Once)
    zone = ZoneInfo(window.zone)
    if isinstance(window, Yearly):
        today, first, last = now.astimezone(zone), window.first, window.last
        day = (today.month, today.day)
        return first <= day <= last if first <= last else day >= first or day <= last
    starts = [datetime.combine(day, window.at, zone).timestamp() for day in every_day(window)]
    return any(start <= now.timestamp() < start + window.lasts_s for start in starts)


@given(
    window=MONTHLY | MONTH_END | YEARLY,
    minute=st.integers(0, 2 * 365 * 24 * 60),
    near=st.booleans(),
)
@settings(max_examples=250, deadline=None)
def test_a_window_is_open_just_when_a_look_at_every_day_says_so(
    window: Window, minute: int, near: bool
) -> None:
    now = datetime(2025, 6, 1, tzinfo=UTC) + timedelta(minutes=minute)
    found = occurring((window,), now)
    assert (found is not None) is was_open(window, now)
    if found is not None and near:  # and at its edges
        moments = (found.start - SECOND, found.start, found.end - SECOND, found.end)
        assert [is_open(window, at) for at in moments] == [was_open(window, at) for at in moments]


@pytest.mark.parametrize(
    ("month", "last"),
    [((2026, 5), 29), ((2026, 8), 31), ((2026, 10), 30), ((2027, 1), 29), ((2028, 2), 29)],
)
def test_the_end_of_a_month_is_its_last_day_from_monday_to_friday(
    month: tuple[int, int], last: int
) -> None:
    closing = MonthEnd(at=time(17), lasts_s=3600, zone="Europe/Amsterdam", reason="accounts")
    assert is_open(closing, wall(*month, last, 17))
    assert not is_open(closing, wall(*month, last, 18))
    assert not is_open(closing, wall(*month, last - 1, 17))


def test_a_holiday_moves_the_end_of_a_month_to_the_day_before_it() -> None:
    eve = date(2026, 12, 31)
    closing = MonthEnd(at=time(17), lasts_s=60, zone="UTC", reason="x", holidays=(eve,))
    assert not is_open(closing, datetime(2026, 12, 31, 17, tzinfo=UTC))
    assert is_open(closing, datetime(2026, 12, 30, 17, tzinfo=UTC))


def test_a_month_without_the_day_has_no_window() -> None:
    thirty_first = Monthly(days=(31,), at=time(0), lasts_s=3600, zone="UTC", reason="x")
    moments = [datetime(2026, month, 1, tzinfo=UTC) - timedelta(days=1) for month in range(2, 13)]
    assert [at.month for at in moments if is_open(thirty_first, at)] == [1, 3, 5, 7, 8, 10]


def test_a_window_over_new_year_is_whole_days_by_the_wall_clock() -> None:
    closing = Yearly(first=(12, 18), last=(1, 4), zone="Europe/Amsterdam", reason="accounts")
    edges = (wall(2026, 12, 18, 0), wall(2027, 1, 5, 0))
    found = occurring((closing,), wall(2027, 1, 1, 12))
    assert found is not None
    assert (found.start, found.end) == edges
    assert [is_open(closing, at - SECOND) for at in edges] == [False, True]
    assert [is_open(closing, at) for at in edges] == [True, False]


def test_a_yearly_window_loses_no_hour_to_summer_time() -> None:
    spring = Yearly(first=(3, 29), last=(3, 29), zone="Europe/Amsterdam", reason="x")
    found = occurring((spring,), wall(2026, 3, 29, 12))
    assert found is not None
    assert found.end - found.start == timedelta(hours=23)
