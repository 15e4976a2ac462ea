"""Flood: of what does not even look like an alert only so much is kept in quarantine.

What a scanner posts to the webhook must not fill the tables. Each source has so many places an
hour; what comes beyond them is refused like the rest and counted. One event tells that the places
are full, another, with the first noise of a later hour, how much was not kept. What may be an alert
has no bound: see `shared.domain.alerts.quarantine`.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.event import ITSELF, ChangeEvent, EventKind, happened
from shared.domain.keys import digest
from shared.domain.wording import moment

MOST = 100
WINDOW = timedelta(hours=1)


class Flood(msgspec.Struct, frozen=True, kw_only=True):
    """The stored row of one source: what came since `began_at`; `unkept` of it was only counted."""

    source: str
    began_at: datetime
    kept: int = 0
    unkept: int = 0

    @property
    def row(self) -> str:
        """Its row in the shard of the quarantine."""
        return f"flood|{digest(self.source)}"

    @property
    def takes(self) -> bool:
        """Whether the last input was kept."""
        return not self.unkept

    @property
    def ends_at(self) -> datetime:
        """When there are places again."""
        return self.began_at + WINDOW


def flood_of(source: str, now: datetime) -> Flood:
    """A source of which nothing came yet."""
    return Flood(source=source, began_at=now)


def rise(flood: Flood, now: datetime) -> tuple[Flood, tuple[ChangeEvent, ...]]:
    """Count one input more; the events are those that it is worth."""
    if now >= flood.ends_at:
        told = (_tell_total(flood, now),) if flood.unkept else ()
        return Flood(source=flood.source, began_at=now, kept=1), told
    if flood.kept < MOST:
        return msgspec.structs.replace(flood, kept=flood.kept + 1), ()
    risen = msgspec.structs.replace(flood, unkept=flood.unkept + 1)
    return risen, () if flood.unkept else (_tell_full(risen, now),)


def _tell_full(flood: Flood, now: datetime) -> ChangeEvent:
    return _tell(
        flood,
        "full",
        now,
        f"keeps no more of what is posted to {flood.source} and is no alert",
        f"{flood.kept} were kept within an hour; until {moment(flood.ends_at, 'UTC', now)} the"
        " others are counted",
    )


def _tell_total(flood: Flood, now: datetime) -> ChangeEvent:
    return _tell(
        flood,
        "total",
        now,
        f"did not keep {flood.unkept:,} inputs of {flood.source} that were no alerts",
        f"more than {flood.kept} came within an hour",
    )


def _tell(flood: Flood, which: str, now: datetime, what: str, why: str) -> ChangeEvent:
    unique = digest(flood.source, flood.began_at.isoformat())
    return happened(
        EventKind.FLOODED,
        f"flood-{unique}-{which}",
        ITSELF,
        now,
        actor=ITSELF,
        what=what,
        why=why,
        evidence={"source": flood.source, "kept": flood.kept, "unkept": flood.unkept},
    )
