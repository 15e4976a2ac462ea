"""Working days: a due date is so many of them later, at the same time by the clock on the wall."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.workdays import after_workdays, is_workday, last_workday

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MONDAY = date(2026, 11, 23)
START = datetime(2025, 1, 1, tzinfo=UTC)


def test_people_are_at_work_from_monday_to_friday_but_for_holidays() -> None:
    week = [MONDAY + timedelta(days=number) for number in range(7)]
    assert [is_workday(day) for day in week] == [True] * 5 + [False] * 2
    assert not is_workday(MONDAY, holidays={MONDAY})


def test_a_month_of_holidays_has_no_last_working_day() -> None:
    november = [date(2026, 11, number) for number in range(1, 31)]
    assert last_workday(2026, 11, november) is None


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        ((2026, 11, 23), (2026, 11, 30)),  # Monday to Monday
        ((2026, 11, 27), (2026, 12, 4)),  # Friday to Friday
        ((2026, 11, 28), (2026, 12, 4)),  # a Saturday's first working day is Monday
    ],
)
def test_five_working_days_are_a_week(
    opened: tuple[int, int, int], due: tuple[int, int, int]
) -> None:
    at = datetime(*opened, 9, 30, tzinfo=AMSTERDAM)
    assert after_workdays(at, 5, "Europe/Amsterdam") == datetime(*due, 9, 30, tzinfo=AMSTERDAM)


def test_summer_time_moves_no_due_date() -> None:
    at = datetime(2026, 3, 27, 12, tzinfo=AMSTERDAM)  # the Friday before
    assert after_workdays(at, 1, "Europe/Amsterdam").hour == 12


@given(
    at=st.integers(0, 3 * 365 * 24).map(lambda hours: START + timedelta(hours=hours)),
    count=st.integers(1, 30),
)
@settings(max_examples=60, deadline=None)
def test_between_opening_and_due_lie_just_so_many_working_days(at: datetime, count: int) -> None:
    due = after_workdays(at, count, "UTC")
    days = [at.date() + timedelta(days=n + 1) for n in range((due.date() - at.date()).days)]
    assert sum(day.isoweekday() <= 5 for day in days) == count
    assert due.isoweekday() <= 5
