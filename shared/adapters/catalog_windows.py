"""The maintenance windows of a service's file, and the zone in which its times are meant.

Part of reading one service (`shared.adapters.catalog_service`). A window is either one stretch from
`start` to `end`, or comes every week: `every` weekday `at` a time, and `lasts` so long.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.adapters.catalog_fields import DAY, MINUTE, Section
from shared.domain.stamp import known_zone
from shared.domain.windows import Once, Weekly, Window

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST = timedelta(days=14)  # a wrong year must not keep a service quiet for ever

_ZONE = "[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,2}"
_MOMENT = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?"
_NO_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)  # of a window that is a mistake
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"


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
    return tuple(_read(one, zone) for one in spec.sections("maintenance", required=False))


def _read(section: Section, usual: str) -> Window:
    zone, reason = read_time_zone(section, usual), section.text("reason", pattern=".{1,200}")
    read = _weekly if section.has("every") else _once
    window = read(section, zone, reason)
    section.close()
    return window


def _weekly(section: Section, zone: str, reason: str) -> Window:
    days = section.texts("every", pattern="|".join(WEEKDAYS))
    if not days:
        section.mistake("every", "names no day", f"a list of {', '.join(WEEKDAYS)}")
    at = section.text("at", pattern=_CLOCK)
    return Weekly(
        days=tuple(WEEKDAYS.index(day) for day in days if day in WEEKDAYS),
        at=time.fromisoformat(at or "00:00"),
        lasts_s=section.seconds("lasts", MINUTE, DAY),
        zone=zone,
        reason=reason,
    )


def _once(section: Section, zone: str, reason: str) -> Window:
    start, end = _moment(section, "start", zone), _moment(section, "end", zone)
    if start is None or end is None:
        return Once(start=_NO_MOMENT, end=_NO_MOMENT, reason=reason)
    if start >= end:
        section.mistake("end", "is not after start", "a later moment")
    elif end - start > LONGEST:
        section.mistake("end", f"is more than {LONGEST.days} days after start", "a shorter window")
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
