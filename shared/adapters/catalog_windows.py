"""The windows of a catalog file, and the zone in which its times are meant.

Part of reading one service (`shared.adapters.catalog_service`) and the firm's calendar. A window is
one stretch from `start` to `end`, or comes again: `every` weekday, `monthly` on days of the month,
on the `last_business_day`, each `at` a time and `lasts` so long, or every year `from` one day `to`
another. Maintenance keeps a service quiet, so its windows are short; a freeze only asks, so it may
be long.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from shared.adapters.catalog_fields import DAY, MINUTE, Section
from shared.domain.freezes.freeze import FreezeWindow
from shared.domain.stamp import known_zone
from shared.domain.windows import MonthEnd, Monthly, Once, Weekly, Window, Yearly

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_ZONE = "[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,2}"
_MOMENT = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?"
_NO_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)  # of a window that is a mistake
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_DAY_OF_YEAR = "(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_COMMON_YEAR = 2027  # a day that only leap years have is a mistake


class Longest(msgspec.Struct, frozen=True, kw_only=True):
    """How long a window may be, in seconds: one that comes again by the clock, and a range."""

    recurring_s: int
    range_s: int


MAINTENANCE = Longest(recurring_s=DAY, range_s=14 * DAY)  # a wrong year must not keep it quiet
FREEZE = Longest(recurring_s=14 * DAY, range_s=92 * DAY)


def read_time_zone(section: Section, usual: str = "UTC") -> str:
    """Read the zone of a section's times."""
    name = section.text("time_zone", usual, pattern=_ZONE)
    try:
        ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        section.mistake("time_zone", f"{name!r} is unknown", "a name like Europe/Amsterdam")
    return name


def read_maintenance(spec: Section, zone: str) -> tuple[Window, ...]:
    """Read all windows; `zone` is the service's own, for those that name none."""
    windows = []
    for section in spec.sections("maintenance", required=False):
        windows.append(_window(section, read_time_zone(section, zone), MAINTENANCE))
        section.close()
    return tuple(windows)


def read_freezes(spec: Section, zone: str, scope: str) -> tuple[FreezeWindow, ...]:
    """Read all change freezes of a service's file or of the firm's calendar."""
    found = []
    for section in spec.sections("freezes", required=False):
        own = read_time_zone(section, zone)
        name = section.text("name", pattern=".{1,80}")
        window = _window(section, own, FREEZE)
        found.append(FreezeWindow(name=name, scope=scope, window=window, zone=own))
        section.close()
    return tuple(found)


def _window(section: Section, zone: str, longest: Longest) -> Window:
    reason = section.text("reason", pattern=".{1,200}")
    if section.has("from"):
        return _yearly(section, zone, reason, longest)
    if not any(section.has(name) for name in ("every", "monthly", "last_business_day")):
        return _once(section, zone, reason, longest)
    at = time.fromisoformat(section.text("at", pattern=_CLOCK) or "00:00")
    lasts = section.seconds("lasts", MINUTE, longest.recurring_s)
    if section.has("every"):
        days = _weekdays(section)
        return Weekly(days=days, at=at, lasts_s=lasts, zone=zone, reason=reason)
    if section.has("monthly"):
        month_days = section.wholes("monthly", 1, 31)
        return Monthly(days=month_days, at=at, lasts_s=lasts, zone=zone, reason=reason)
    if not section.flag("last_business_day", default=False):
        section.mistake("last_business_day", "is false", "true, or leave it out")
    holidays = _holidays(section)
    return MonthEnd(at=at, lasts_s=lasts, zone=zone, reason=reason, holidays=holidays)


def _weekdays(section: Section) -> tuple[int, ...]:
    days = section.texts("every", pattern="|".join(WEEKDAYS))
    if not days:
        section.mistake("every", "names no day", f"a list of {', '.join(WEEKDAYS)}")
    return tuple(WEEKDAYS.index(day) for day in days if day in WEEKDAYS)


def _holidays(section: Section) -> tuple[date, ...]:
    found = []
    for text in section.texts("holidays", pattern=_DATE):
        try:
            found.append(date.fromisoformat(text))
        except ValueError:
            section.mistake("holidays", f"{text!r:.80} is no date", "days like 2026-12-25")
    return tuple(found)


def _yearly(section: Section, zone: str, reason: str, longest: Longest) -> Yearly:
    first, last = (_day_of_year(section, name) for name in ("from", "to"))
    begins = date(_COMMON_YEAR, *first)
    ends = date(_COMMON_YEAR + (last < first), *last) + timedelta(days=1)
    if (ends - begins).total_seconds() > longest.range_s:
        section.mistake("to", f"is more than {longest.range_s // DAY} days after from", _SHORTER)
    return Yearly(first=first, last=last, zone=zone, reason=reason)


def _day_of_year(section: Section, name: str) -> tuple[int, int]:
    said = section.text(name, pattern=_DAY_OF_YEAR)
    month, _, day = (said or "01-01").partition("-")
    try:
        date(_COMMON_YEAR, int(month), int(day))
    except ValueError:
        section.mistake(name, f"{said!r} is no day of every year", "a month and a day like 12-18")
        return (1, 1)
    return (int(month), int(day))


def _once(section: Section, zone: str, reason: str, longest: Longest) -> Once:
    start, end = _moment(section, "start", zone), _moment(section, "end", zone)
    if start is None or end is None:
        return Once(start=_NO_MOMENT, end=_NO_MOMENT, reason=reason)
    if start >= end:
        section.mistake("end", "is not after start", "a later moment")
    elif (end - start).total_seconds() > longest.range_s:
        section.mistake("end", f"is more than {longest.range_s // DAY} days after start", _SHORTER)
    return Once(start=start, end=end, reason=reason)


def _moment(section: Section, name: str, zone: str) -> datetime | None:
    """Read a moment: with an offset of its own, else by the clock of the zone; None if mistaken."""
    said = section.text(name, pattern=_MOMENT)
    try:
        read = datetime.fromisoformat(said) if said else None
    except ValueError:
        section.mistake(name, f"{said!r} is no date", "a moment like 2026-11-28T22:00")
        return None
    return read if read is None or read.tzinfo else read.replace(tzinfo=known_zone(zone))


_SHORTER = "a shorter window"
