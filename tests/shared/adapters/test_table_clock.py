"""Whatever this machine's clock says, expiry is judged by the table service's."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from shared.adapters.table_clock import TableClock

HERE = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("minutes", [-10, -1, 1, 10])
def test_learns_how_far_this_clock_is_off(minutes: int) -> None:
    clock = TableClock(here=lambda: HERE)

    clock.learn(format_datetime(HERE + timedelta(minutes=minutes), usegmt=True))

    assert clock.skew == timedelta(minutes=minutes)


def test_less_than_the_headers_resolution_is_no_skew() -> None:
    clock = TableClock(here=lambda: HERE + timedelta(seconds=1.4))

    clock.learn(format_datetime(HERE, usegmt=True))

    assert clock.skew == timedelta(0)


def test_a_clock_that_was_put_right_is_believed_again() -> None:
    clock = TableClock(here=lambda: HERE)
    clock.learn(format_datetime(HERE + timedelta(minutes=3), usegmt=True))

    clock.learn(format_datetime(HERE, usegmt=True))

    assert clock.skew == timedelta(0)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "soon",
        "Mon, 32 Nov 2026 12:00:00 GMT",
        "Mon, 23 Nov 99999999999999999999 12:00:00 GMT",
        "Mon, 23 Nov 2026 12:00:00 -0000",
    ],
)
def test_what_is_no_date_teaches_nothing(header: str) -> None:
    clock = TableClock(here=lambda: HERE)

    clock.learn(header)

    assert clock.skew == timedelta(0)
