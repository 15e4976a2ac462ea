"""Watch: who serves, has it earned to be the known good, is the known good still there.

The executor's tick runs it every BACKSTOP_WATCH_EVERY_S. A known good that disappears is told and
paged; a version that served well for the whole soak becomes the known good.
"""

import logging
from datetime import datetime

import msgspec

from shared.domain.catalog import Service, Target, TargetKind
from shared.domain.decisions.endpoint import EndpointSnapshot, ProbeReport, parse_target
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.decisions.known_good import Waiting, earn, is_to_soak, lost, tell_earned
from shared.domain.decisions.release import Release
from shared.domain.decisions.soak import Soak, counts_of, soaks_since
from shared.domain.event import ChangeEvent
from shared.domain.incidents.loss import open_loss
from shared.domain.keys import shard_of
from shared.domain.row import MUST_NOT_EXIST, Put, Stored
from shared.errors import Conflict, RejectedInput, Unavailable
from shared.protocol.acting.probing import probe
from shared.protocol.commit import commit, incident_row
from shared.protocol.leftovers import Leftovers
from shared.protocol.listing import open_incidents, point_to
from shared.protocol.records import newest_on, read_record, read_releases
from shared.protocol.rounds import find_due, go_round
from shared.services import Services

log = logging.getLogger("backstop.watch")


async def watch(services: Services, _: Leftovers) -> None:
    """Look at the endpoints of the catalog that are due, as many as a round has time for.

    A part that is out is said and tried again later.
    """
    stops = {
        target.id: (service, target)
        for service in services.catalog.services.values()
        for target in service.targets
        if target.kind is TargetKind.ONLINE_ENDPOINT
    }
    due = find_due(services, "watch", dict.fromkeys(stops, services.settings.watch_every_s))
    if not due:
        return
    busy = {incident.service: incident.id for incident in await open_incidents(services)}

    async def visit(name: str) -> None:
        service, target = stops[name]
        await _look(services, service, target, busy.get(service.name, ""))

    await go_round(services, "watch", due, visit)


def _seconds(since: datetime, now: datetime) -> float:
    return (now - since).total_seconds()


async def _look(services: Services, service: Service, target: Target, incident: str) -> None:
    try:
        snapshot = await services.endpoints.read(parse_target(target.id))
        stored = await read_record(services, service, target.id)
        await _see(services, service, stored, snapshot, incident)
    except (Unavailable, RejectedInput) as error:
        log.warning("%s: not watched now: %s", service.name, error)
    except Conflict:  # an incident is acting on it: nothing to watch just now
        return


async def _see(
    services: Services,
    service: Service,
    stored: Stored[EndpointRecord],
    snapshot: EndpointSnapshot,
    incident: str,
) -> None:
    record, now = stored.value, services.now()
    served = snapshot.served() or ""
    if served != record.serving:
        moved = msgspec.structs.replace(record, serving=served, serving_since=now, unmet=())
        await _store(services, service, stored, moved)
        return
    gone = lost(record, snapshot)
    if gone is not None and record.known_good is not None:
        await _lose(services, service, stored, gone)
        return
    since = record.serving_since or now
    if not served or _seconds(since, now) < service.policy.soak_s:
        return
    release = newest_on(await read_releases(services, service), served)
    if is_to_soak(record.known_good, served, release):
        await _soak(services, service, stored, snapshot, incident, release)


async def _lose(
    services: Services, service: Service, stored: Stored[EndpointRecord], gone: str
) -> None:
    """Forget the known good, and open the incident that pages: nothing can be gone back to."""
    step = open_loss(service, stored.value, gone, shard_of(service.name), services.now())
    assert step.incident is not None
    await point_to(services, step.incident)
    without = msgspec.structs.replace(stored.value, known_good=None)
    writes = [
        Put(row=stored.row, value=without, etag=stored.etag),
        Put(row=incident_row(step.incident.id), value=step.incident, etag=MUST_NOT_EXIST),
    ]
    await commit(services, shard_of(service.name), writes, events=step.events)


async def _soak(
    services: Services,
    service: Service,
    stored: Stored[EndpointRecord],
    snapshot: EndpointSnapshot,
    incident: str,
    release: Release | None,
) -> None:
    """Let the version that serves become the known good, once its own traffic speaks for it."""
    record, now = stored.value, services.now()
    serving_since = record.serving_since or now
    since = soaks_since(serving_since, release)
    if _seconds(since, now) < service.policy.soak_s:
        return
    answer = await services.logs.query(
        "soak",
        Service=service.name,
        Since=since,
        LatencyThresholdMs=service.latency_threshold_ms(),
    )
    soak = Soak(
        service=service,
        deployment=record.serving,
        serving_since=serving_since,
        snapshot=snapshot,
        counts=counts_of(answer.rows, record.serving),
        release=release,
        open_incident=incident,
        now=now,
    )
    earned = earn(soak)
    if isinstance(earned, Waiting) and earned.only_for_probes:  # each is a paid call to a model
        probed = await _probe(services, service, snapshot, record.serving)
        earned = earn(msgspec.structs.replace(soak, probe=probed))
    if isinstance(earned, Waiting):
        log.info("%s: %s is not the known good yet: %s", service.name, record.serving, earned)
        if earned.unmet != record.unmet:
            waits = msgspec.structs.replace(record, unmet=earned.unmet)
            await _store(services, service, stored, waits)
        return
    good = msgspec.structs.replace(record, known_good=earned, unmet=())
    await _store(services, service, stored, good, tell_earned(service.name, earned))


async def _probe(
    services: Services, service: Service, snapshot: EndpointSnapshot, deployment: str
) -> ProbeReport | None:
    return await probe(services, service, snapshot, deployment, "", service.policy.probes)


async def _store(
    services: Services,
    service: Service,
    was: Stored[EndpointRecord],
    record: EndpointRecord,
    *events: ChangeEvent,
) -> None:
    put = Put(row=was.row, value=record, etag=was.etag)
    await commit(services, shard_of(service.name), [put], events=events)
