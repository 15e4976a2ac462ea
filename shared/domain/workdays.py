"""Working days: Monday to Friday, without the days that somebody names as holidays.

The end of a month for its accounts, and by when a review is due, are counted in them.
"""

from calendar import monthrange
from collections.abc import Collection
from datetime import date, datetime, timedelta

from shared.domain.stamp import known_zone

_SATURDAY = 5
_DAY = timedelta(days=1)


def is_workday(day: date, holidays: Collection[date] = ()) -> bool:
    """Whether people are at work on that day."""
    return day.weekday() < _SATURDAY and day not in holidays


def last_workday(year: int, month: int, holidays: Collection[date] = ()) -> date | None:
    """The last working day of a month; None where all of its days are holidays."""
    last = date(year, month, monthrange(year, month)[1])
    days = (last - number * _DAY for number in range(last.day))
    return next((day for day in days if is_workday(day, holidays)), None)


def after_workdays(at: datetime, count: int, zone: str) -> datetime:
    """The same time by the clock of the zone, so many working days later, in that zone."""
    local = at.astimezone(known_zone(zone))
    day = local.date()
    while count > 0:
        day += _DAY
        count -= is_workday(day)
    return datetime.combine(day, local.timetz())
