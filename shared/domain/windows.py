"""Windows: stretches of time that come once or again and again, by the clock on a zone's wall.

Read from reviewed files: the maintenance of a service, in which its owners expect alerts and work
on it themselves, and the change freezes of a service or of the firm. A window that comes again
begins by the wall clock and lasts so many real seconds, so a change to or from summer time moves
neither its beginning nor its length; one of every year is whole days of its zone.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from shared.domain.stamp import known_zone
from shared.domain.workdays import last_workday

DAY = timedelta(days=1)


class Once(msgspec.Struct, frozen=True, kw_only=True, tag="once"):
    """One window; its end is not in it. Both moments carry their zone."""

    start: datetime
    end: datetime
    reason: str


class Weekly(msgspec.Struct, frozen=True, kw_only=True, tag="weekly"):
    """A window of every week. `days` count from 0 for Monday, `at` is the zone's wall clock."""

    days: tuple[int, ...]
    at: time
    lasts_s: int
    zone: str
    reason: str


class Monthly(msgspec.Struct, frozen=True, kw_only=True, tag="monthly"):
    """A window of every month that has one of the `days` (1 to 31); the others have none."""

    days: tuple[int, ...]
    at: time
    lasts_s: int
    zone: str
    reason: str


class MonthEnd(msgspec.Struct, frozen=True, kw_only=True, tag="month-end"):
    """A window on the last working day of every month, which is none of the `holidays`."""

    at: time
    lasts_s: int
    zone: str
    reason: str
    holidays: tuple[date, ...] = ()


class Yearly(msgspec.Struct, frozen=True, kw_only=True, tag="yearly"):
    """Whole days of every year, from `first` to `last` (month, day), over New Year if need be."""

    first: tuple[int, int]
    last: tuple[int, int]
    zone: str
    reason: str


type Window = Once | Weekly | Monthly | MonthEnd | Yearly


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One window as it happens, in UTC."""

    start: datetime
    end: datetime
    reason: str


def occurring(windows: Sequence[Window], now: datetime) -> Occurrence | None:
    """The window that is open now; of several the one that ends last."""
    found = [one for window in windows for one in _around(window, now) if one.start <= now]
    opened = [one for one in found if now < one.end]
    return max(opened, key=lambda one: one.end, default=None)


def _around(window: Window, now: datetime) -> Iterator[Occurrence]:
    """The occurrences of a window that may be open now."""
    match window:
        case Once():
            yield _occurrence(window.start, window.end, window.reason)
        case Yearly():
            yield from _yearly(window, now)
        case _:
            yield from _daily(window, now)


def _daily(window: Weekly | Monthly | MonthEnd, now: datetime) -> Iterator[Occurrence]:
    zone, lasts = known_zone(window.zone), timedelta(seconds=window.lasts_s)
    today = now.astimezone(zone).date()
    for back in range(lasts // DAY + 2):  # one that began so many days ago may be open still
        day = today - back * DAY
        if _begins_on(window, day):
            start = datetime.combine(day, window.at, zone).astimezone(UTC)
            yield _occurrence(start, start + lasts, window.reason)


def _begins_on(window: Weekly | Monthly | MonthEnd, day: date) -> bool:
    match window:
        case Weekly():
            return day.weekday() in window.days
        case Monthly():
            return day.day in window.days
        case MonthEnd():
            return day == last_workday(day.year, day.month, window.holidays)


def _yearly(window: Yearly, now: datetime) -> Iterator[Occurrence]:
    zone = known_zone(window.zone)
    this_year = now.astimezone(zone).year
    for year in (this_year - 1, this_year):
        first = date(year, *window.first)
        last = date(year + (window.last < window.first), *window.last)
        start, end = (datetime.combine(day, time(), zone) for day in (first, last + DAY))
        yield _occurrence(start, end, window.reason)


def _occurrence(start: datetime, end: datetime, reason: str) -> Occurrence:
    return Occurrence(start=start.astimezone(UTC), end=end.astimezone(UTC), reason=reason)
