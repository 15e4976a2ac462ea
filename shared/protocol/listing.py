"""Listing: which incidents there are, newest first, without reading their history.

The index holds pointers, written before the incident they point to: a pointer without its incident
is skipped. `open|` pointers go when the incident is resolved; the truth is always the incident.
"""

import asyncio
from datetime import datetime

import msgspec

from shared.domain.incident import Incident
from shared.domain.keys import shard_of_incident
from shared.domain.row import Put, Remove
from shared.services import Services

OPEN = "open"
EVER = "all"
FAR = 10**12  # seconds; makes newer keys sort first


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


async def open_incidents(services: Services) -> list[Incident]:
    """All open incidents, newest first; forgets the pointers of those that are resolved."""
    rows = await services.index.scan(OPEN, "", Pointer)
    found = await asyncio.gather(*(_read(services, row.value) for row in rows))
    for row, incident in zip(rows, found, strict=True):
        if incident is not None and not incident.state.is_open():
            await services.index.write(OPEN, [Remove(row=row.row)])
    return [incident for incident in found if incident is not None and incident.state.is_open()]


async def list_incidents(
    services: Services, *, after: str = "", limit: int = 50
) -> tuple[list[Incident], str]:
    """A page of all incidents, newest first, and the row behind which the next page begins."""
    rows = await services.index.scan(EVER, "", Pointer, after=after, limit=limit)
    found = await asyncio.gather(*(_read(services, row.value) for row in rows))
    following = rows[-1].row if len(rows) == limit else ""
    return [incident for incident in found if incident is not None], following


async def _read(services: Services, pointer: Pointer) -> Incident | None:
    shard = shard_of_incident(pointer.incident)
    found = await services.state.read(shard, f"incident|{pointer.incident}", Incident)
    return found.value if found else None
