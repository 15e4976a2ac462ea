"""Surroundings: what is stored around an incident and may hold it back, for the rules of noise.

Asked by triage, before a page and before a decision. A service without dependencies costs two point
reads, each dependency one range read in its own shard.
"""

import asyncio
from collections.abc import Iterable

import msgspec

from shared.domain.catalog import Service
from shared.domain.incidents.incident import Incident
from shared.domain.keys import shard_of, shard_of_incident
from shared.domain.noise.grouping import Group, rows_of
from shared.domain.noise.noise import Surroundings, depends_on
from shared.domain.noise.storm import Storm
from shared.domain.row import Stored
from shared.protocol.commit import incident_row
from shared.protocol.records import read_group, read_storm
from shared.services import Services


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """The surroundings, with the rows of the group and of the storm as they were read."""

    surroundings: Surroundings
    group: Stored[Group] | None
    storm: Stored[Storm] | None


async def look_around(services: Services, incident: Incident) -> Around:
    """What is around an incident now. Raises Unavailable."""
    service = services.catalog.services.get(incident.service)
    first = Group(service=incident.service, target=incident.target) if incident.target else None
    return await read_around(services, service, shard_of_incident(incident.id), first)


async def read_around(
    services: Services, service: Service | None, shard: str, first: Group | None
) -> Around:
    """What is around an incident of the service and the group. Raises Unavailable.

    `first` is the group as if nothing were stored of it; None where the alert names no target.
    """
    group, storm, parents = await asyncio.gather(
        _group(services, shard, first), _storm(services, service), _parents(services, service)
    )
    return Around(
        group=group,
        storm=storm,
        surroundings=Surroundings(
            parents=parents,
            mutual=_mutual(services, service),
            storm=storm.value if storm else None,
            storm_incident=await _incident(services, storm.value.incident) if storm else None,
            group=group.value if group else None,
        ),
    )


async def _group(services: Services, shard: str, first: Group | None) -> Stored[Group] | None:
    return await read_group(services, shard, first) if first else None


async def _storm(services: Services, service: Service | None) -> Stored[Storm] | None:
    return await read_storm(services, service) if service else None


async def _parents(services: Services, service: Service | None) -> tuple[Incident, ...]:
    """The incidents that opened last at each target of the services that this one depends on."""
    names = (
        [] if service is None else [n for n in service.parents if n in services.catalog.services]
    )
    found = await asyncio.gather(*(_opened_at(services, name) for name in names))
    return tuple(incident for incidents in found for incident in incidents)


async def _opened_at(services: Services, service: str) -> list[Incident]:
    rows = await services.state.scan(shard_of(service), rows_of(service), Group)
    found = await asyncio.gather(*(_incident(services, row.value.incident) for row in rows))
    return [incident for incident in found if incident is not None]


def _mutual(services: Services, service: Service | None) -> frozenset[str]:
    names: Iterable[str] = service.parents if service else ()
    known, own = services.catalog.services, service.name if service else ""
    return frozenset(name for name in names if depends_on(known, name, own))


async def _incident(services: Services, incident: str) -> Incident | None:
    if not incident:
        return None
    row = incident_row(incident)
    found = await services.state.read(shard_of_incident(incident), row, Incident)
    return found.value if found else None
