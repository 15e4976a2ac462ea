"""Compare: what an endpoint serves, with what somebody declared.

The executor's tick runs it every BACKSTOP_WATCH_EVERY_S. It reads the endpoint, what telemetry says
that was served, and the releases; `shared.domain.lineage.unattributed` says what none of them
explains. What has stood unexplained for the grace time opens one incident, once for each change;
a move of traffic that a release explains is told as a promotion.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from shared.domain.catalog import Service
from shared.domain.decisions.endpoint import EndpointSnapshot, TargetRef
from shared.domain.decisions.intent import EndpointRecord, Intent, IntentState
from shared.domain.decisions.release import Release
from shared.domain.diagnosis.telemetry import AnswerStatus
from shared.domain.event import ChangeEvent
from shared.domain.keys import shard_of
from shared.domain.lineage.promotion import tell_promoted
from shared.domain.lineage.sighting import Look, Reported, Sighting, first_sighting
from shared.domain.lineage.telling import open_unattributed
from shared.domain.lineage.unattributed import compare as compare_look
from shared.domain.lineage.unattributed import due, told
from shared.domain.row import MUST_NOT_EXIST, Put, Stored
from shared.errors import Conflict, RejectedInput, Unavailable
from shared.protocol.commit import commit, incident_row
from shared.protocol.leftovers import Leftovers
from shared.protocol.lineage import endpoints_of, newest_release_on, read_sighting, sighting_row
from shared.protocol.listing import point_to
from shared.protocol.records import newest_on, read_record, read_releases
from shared.protocol.rounds import find_due, go_round
from shared.services import Services

log = logging.getLogger("backstop.compare")

WINDOW = timedelta(minutes=30)  # of telemetry: longer than the grace time and the logs' lag


async def compare(services: Services, _: Leftovers) -> None:
    """Look at the endpoints of the catalog that are due, as many as a round has time for.

    A part that is out is said and tried again later.
    """
    known = services.catalog.services.values()
    stops = {target.id: (service, target) for service in known for target in endpoints_of(service)}
    pauses = dict.fromkeys(stops, services.settings.watch_every_s)
    due = find_due(services, "compare", pauses)
    await go_round(services, "compare", due, lambda name: _look(services, *stops[name]))


async def _look(services: Services, service: Service, target: TargetRef) -> None:
    try:
        snapshot = await services.endpoints.read(target)
        record = (await read_record(services, service, target.id)).value
        if not snapshot.idle or _is_acting(record, services):
            return  # what is on its way is compared when it has arrived
        look = await _gather(services, service, snapshot, record)
        stored = await read_sighting(services, service, target)
        await _keep(services, service, stored, look)
    except (Unavailable, RejectedInput) as error:
        log.warning("%s: not compared now: %s", service.name, error)
    except Conflict:  # another worker has just looked
        return


def _is_acting(record: EndpointRecord, services: Services) -> bool:
    return record.lease is not None and record.lease.expires_at > services.now()


async def _gather(
    services: Services, service: Service, snapshot: EndpointSnapshot, record: EndpointRecord
) -> Look:
    recent = await read_releases(services, service)
    return Look(
        service=service.name,
        snapshot=snapshot,
        newest=await _newest(services, service, snapshot, recent),
        recent=tuple(recent),
        reported=await _reported(services, service) if recent else None,
        ours=await _ours(services, service, record),
        now=services.now(),
    )


async def _newest(
    services: Services, service: Service, snapshot: EndpointSnapshot, recent: list[Release]
) -> dict[str, Release]:
    """The newest release of each deployment, however long ago it was registered."""
    found: dict[str, Release] = {}
    for name in (deployment.name for deployment in snapshot.deployments):
        newest = newest_on(recent, name) or await newest_release_on(services, service.name, name)
        if newest is not None:
            found[name.lower()] = newest
    return found


async def _ours(
    services: Services, service: Service, record: EndpointRecord
) -> tuple[tuple[datetime, dict[str, int]], ...]:
    """The splits that Backstop wrote lately, or may have written: each has its intent."""
    splits = []
    for rollback in record.rollbacks:
        row = f"intent|{rollback.plan}"
        found = await services.state.read(shard_of(service.name), row, Intent)
        if found is not None and found.value.state is not IntentState.ABORTED:
            intent = found.value
            splits.append((intent.ended_at or intent.opened_at, intent.plan.after))
    return tuple(splits)


async def _reported(services: Services, service: Service) -> tuple[Reported, ...] | None:
    since = services.now() - WINDOW
    answer = await services.logs.query("served", Service=service.name, Since=since)
    if answer.status not in (AnswerStatus.COMPLETE, AnswerStatus.EMPTY):
        return None
    return tuple(_row(row) for row in answer.rows)


def _row(row: dict[str, Any]) -> Reported:
    return Reported(
        deployment=str(row["Deployment"]),
        prompt=str(row["PromptVersion"]),
        configuration=str(row["ConfigurationDigest"]),
        last_seen=row["LastSeen"],
    )


async def _keep(
    services: Services, service: Service, stored: Stored[Sighting] | None, look: Look
) -> None:
    """Store what was seen, with the incident of what is due, in one transaction."""
    before = stored.value if stored else first_sighting(look)
    sighting = compare_look(before, look)
    etag = stored.etag if stored else MUST_NOT_EXIST
    row, shard, unsaid = sighting_row(sighting.target), shard_of(service.name), due(sighting)
    promoted = tell_promoted(before, sighting, look)
    writes: list[Put] = []
    events: list[ChangeEvent] = [promoted] if promoted is not None else []
    if unsaid:
        step = open_unattributed(service, sighting, unsaid, shard)
        assert step.incident is not None
        await point_to(services, step.incident)
        incident = step.incident
        writes.append(Put(row=incident_row(incident.id), value=incident, etag=MUST_NOT_EXIST))
        sighting, events = told(sighting, incident.id), [*events, *step.events]
    writes.append(Put(row=row, value=sighting, etag=etag))
    await commit(services, shard, writes, events=events)
