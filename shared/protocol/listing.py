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
from shared.domain.row import Found, Put, Remove, Stored
from shared.errors import Unreadable
from shared.protocol.unreadable import note_unreadable, only_readable
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
    found = await _point(services, OPEN, "", PAGE)
    yield found.rows
    while len(found.names) == PAGE:
        found = await _point(services, OPEN, found.names[-1], PAGE)
        yield found.rows


async def _point(services: Services, part: str, after: str, limit: int) -> Found[Pointer]:
    found = await services.index.scan_readable(part, "", Pointer, after=after, limit=limit)
    only_readable(services, "index", part, found)
    return found


async def open_incidents(services: Services) -> list[Incident]:
    """All open incidents, newest first; forgets the pointers that lead to none of them.

    One that cannot be read hides no other: it is left out, and told of. Raises Unavailable.
    """
    opened: list[Incident] = []
    async for rows in open_pointers(services):
        found = await _follow(services, rows)
        opened += [one for _, one in found if one is not None and one.state.is_open()]
        await asyncio.gather(*(_forget(services, row, incident) for row, incident in found))
    return opened


async def list_incidents(
    services: Services, *, after: str = "", limit: int = 50
) -> tuple[list[Incident], str]:
    """A page of all incidents, newest first, and the row behind which the next page begins."""
    listed: list[Incident] = []
    while len(listed) < limit:
        wanted = limit - len(listed)
        found = await _point(services, EVER, after, wanted)
        listed += [one for _, one in await _follow(services, found.rows) if one is not None]
        after = found.names[-1] if len(found.names) == wanted else ""
        if not after:
            break
    return listed, after


type Followed = tuple[Stored[Pointer], Incident | None]


async def _follow(services: Services, rows: list[Stored[Pointer]]) -> list[Followed]:
    """The incident of each pointer; None where there is none, or another pointer is its own.

    A pointer to what cannot be read is left out.
    """
    found = await asyncio.gather(*(_read(services, row) for row in rows))
    return [followed for some in found for followed in some]


async def _read(services: Services, row: Stored[Pointer]) -> list[Followed]:
    shard, name = shard_of_incident(row.value.incident), row.value.incident
    try:
        found = await services.state.read(shard, f"incident|{name}", Incident)
    except Unreadable as error:
        note_unreadable(services, "state", shard, error.row)
        return []
    # Who opens it anew, after losing a race, does so a moment later: only one of them is stored.
    return [(row, found.value if found and pointer_row(found.value) == row.row else None)]


async def _forget(services: Services, row: Stored[Pointer], incident: Incident | None) -> None:
    """Remove a pointer that is not needed any more; one that leads nowhere from both lists."""
    if incident is not None:
        if not incident.state.is_open():
            await services.index.write(OPEN, [Remove(row=row.row)])
    elif services.now() - row.value.opened_at > ABANDONED_AFTER:
        for part in (EVER, OPEN):  # found again by way of the second where this process dies
            await services.index.write(part, [Remove(row=row.row)])
