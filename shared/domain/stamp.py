"""Moments as a page shows them: in the service's zone, with UTC beside it, to the second.

Cards say times in a sentence (`shared.domain.wording.moment`); a page needs the parts, so that a
reader can compare lines and a program can read them.
"""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import msgspec


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """One moment. `local` is "14:03:12 CET", `utc` "13:03:12 UTC", `day` "Mon 23 Nov" in the zone.

    `utc` is "" where the zone is UTC itself.
    """

    iso: str
    day: str
    local: str
    utc: str


def stamp(at: datetime, zone: str) -> Stamp:
    """The moment in that zone; in UTC where the zone is not known."""
    local = at.astimezone(known_zone(zone))
    utc = at.astimezone(UTC)
    name = local.tzname() or "UTC"
    return Stamp(
        iso=utc.isoformat(timespec="seconds"),
        day=f"{local:%a} {local.day} {local:%b}",
        local=f"{local:%H:%M:%S} {name}",
        utc="" if name == "UTC" else f"{utc:%H:%M:%S} UTC",
    )


@cache
def known_zone(name: str) -> ZoneInfo:
    """The zone of that name, else UTC: a page is worth more than its zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
