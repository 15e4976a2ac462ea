"""Maintenance: the windows in which a service's owners expect alerts, and work on it themselves.

Read from the service's file, once or every week. A weekly window begins by the clock on the wall of
its zone and lasts so many real seconds, so a change to or from summer time moves neither its
beginning nor its length.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

import msgspec

from shared.domain.stamp import known_zone

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


type Window = Once | Weekly


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
        case Weekly():
            yield from _weekly(window, now)


def _weekly(window: Weekly, now: datetime) -> Iterator[Occurrence]:
    zone, lasts = known_zone(window.zone), timedelta(seconds=window.lasts_s)
    today = now.astimezone(zone).date()
    for back in range(lasts // DAY + 2):  # one that began so many days ago may be open still
        day = today - back * DAY
        if day.weekday() in window.days:
            start = datetime.combine(day, window.at, zone).astimezone(UTC)
            yield _occurrence(start, start + lasts, window.reason)


def _occurrence(start: datetime, end: datetime, reason: str) -> Occurrence:
    return Occurrence(start=start.astimezone(UTC), end=end.astimezone(UTC), reason=reason)
