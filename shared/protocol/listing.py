"""Listing: which incidents there are, newest first, without reading their history.

The index holds pointers, written before the incident they point to. Who dies then, or loses the
race to open it, leaves a pointer to nothing: it is skipped, and removed once nobody can be about to
store the incident any more. `open|` pointers go when the incident is resolved; the truth is always
the incident.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec

from shared.domain.incidents.incident import Incident
from shared.domain.keys import shard_of_incident
from shared.domain.row import Put, Remove, Stored
from shared.services import Services

OPEN = "open"
EVER = "all"
FAR = 10**12  # seconds; makes newer keys sort first
PAGE = 1_000  # pointers that are followed at once
ABANDONED_AFTER = timedelta(minutes=10)  # opening an incident takes seconds, with every retry


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """Where an incident is."""

    incident: str
    opened_at: datetime


def pointer_row(incident: Incident) -> str:
    """Sorts newest first."""
    return f"{FAR - int(incident.opened_at.timestamp()):012d}|{incident.id}"


async def point_to(services: Services, incident: Incident) -> None:
    """Make an incident listed; before it is stored, so that none can be stored unlisted."""
    put = Put(
        row=pointer_row(incident),
        value=Pointer(incident=incident.id, opened_at=incident.opened_at),
    )
    await asyncio.gather(*(services.index.write(part, [put]) for part in (OPEN, EVER)))


async def open_pointers(services: Services) -> AsyncIterator[list[Stored[Pointer]]]:
    """The pointers to what may be open, newest first, in pages. Raises Unavailable."""
    rows = await services.index.scan(OPEN, "", Pointer, limit=PAGE)
    yield rows
    while len(rows) == PAGE:
        rows = await services.index.scan(OPEN, "", Pointer, after=rows[-1].row, limit=PAGE)
        yield rows


async def open_incidents(services: Services) -> list[Incident]:
    """All open incidents, newest first; forgets the pointers that lead to none of them."""
    opened: list[Incident] = []
    async for rows in open_pointers(services):
        found = await _follow(services, rows)
        opened += [one for one in found if one is not None and one.state.is_open()]
        pairs = zip(rows, found, strict=True)
        await asyncio.gather(*(_forget(services, row, incident) for row, incident in pairs))
    return opened


async def list_incidents(
    services: Services, *, after: str = "", limit: int = 50
) -> tuple[list[Incident], str]:
    """A page of all incidents, newest first, and the row behind which the next page begins."""
    listed: list[Incident] = []
    while len(listed) < limit:
        wanted = limit - len(listed)
        rows = await services.index.scan(EVER, "", Pointer, after=after, limit=wanted)
        listed += [one for one in await _follow(services, rows) if one is not None]
        after = rows[-1].row if len(rows) == wanted else ""
        if not after:
            break
    return listed, after


async def _follow(services: Services, rows: list[Stored[Pointer]]) -> list[Incident | None]:
    """The incident of each pointer; None where there is none, or another pointer is its own."""
    return await asyncio.gather(*(_read(services, row) for row in rows))


async def _read(services: Services, row: Stored[Pointer]) -> Incident | None:
    shard, name = shard_of_incident(row.value.incident), row.value.incident
    found = await services.state.read(shard, f"incident|{name}", Incident)
    # Who opens it anew, after losing a race, does so a moment later: only one of them is stored.
    return found.value if found and pointer_row(found.value) == row.row else None


async def _forget(services: Services, row: Stored[Pointer], incident: Incident | None) -> None:
    """Remove a pointer that is not needed any more; one that leads nowhere from both lists."""
    if incident is not None:
        if not incident.state.is_open():
            await services.index.write(OPEN, [Remove(row=row.row)])
    elif services.now() - row.value.opened_at > ABANDONED_AFTER:
        for part in (EVER, OPEN):  # found again by way of the second where this process dies
            await services.index.write(part, [Remove(row=row.row)])
