"""Corroborate: ask the versions themselves, where a signal tells of trouble before the logs do.

Beside diagnose, and in the executor, which alone may ask a version by name. Whichever of the two
finds out first is the diagnosis. Where the probes show nothing, nothing is stored: the logs have
their time.
"""

import asyncio

from shared.domain.catalog import Service
from shared.domain.decisions.endpoint import EndpointSnapshot, ProbeReport
from shared.domain.diagnosis.by_probes import diagnose_by_probes, suspects, worth_probing
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.incidents.incident import Incident, State, Step
from shared.domain.incidents.severity import raise_severity
from shared.domain.incidents.steps import record_diagnosis
from shared.domain.message import Message
from shared.protocol.acting.probing import find_snapshot, probe
from shared.protocol.commit import read_incident
from shared.protocol.records import read_record
from shared.protocol.revise import Revision, revise
from shared.services import Services


async def corroborate(services: Services, message: Message) -> None:
    """Probe the versions of the incident that the message names; a version at fault is stored.

    Raises NotFound, Conflict and Unavailable.
    """
    incident = (await read_incident(services, message.body)).value
    service = services.catalog.services.get(incident.service)
    if service is None or not _waits(incident, service):
        return
    found = await _ask(services, service, incident)
    if found is not None:
        await _store(services, incident, found)


def _waits(incident: Incident, service: Service) -> bool:
    return incident.state is State.OPENED and worth_probing(incident, service.policy)


async def _ask(services: Services, service: Service, incident: Incident) -> Diagnosis | None:
    """What the probes say; None where there is nobody to compare with, or nobody to ask."""
    record = (await read_record(services, service, incident.target)).value
    snapshot = await find_snapshot(services, incident.target)
    if record.known_good is None or snapshot is None:
        return None
    good = record.known_good.deployment
    names = (good, *suspects(snapshot, good))
    region = incident.reading.region if incident.reading else ""
    asked = (_probe(services, service, snapshot, name, region) for name in names)
    reports = dict(zip(names, await asyncio.gather(*asked), strict=True))
    return diagnose_by_probes(incident, service, good, reports, services.now())


async def _probe(
    services: Services, service: Service, snapshot: EndpointSnapshot, name: str, region: str
) -> ProbeReport | None:
    if snapshot.deployment(name) is None:
        return None
    return await probe(services, service, snapshot, name, region, service.policy.probes)


async def _store(services: Services, incident: Incident, found: Diagnosis) -> None:
    def take(current: Incident) -> Revision:
        if current.state is not State.OPENED:
            return Revision(step=Step(incident=None, reason="somebody else has diagnosed it"))
        step = record_diagnosis(current, found, raise_severity(current, found), found.made_at)
        return Revision(step=step, told={"diagnosis": found})

    await revise(services, incident.id, take)
