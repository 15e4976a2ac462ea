"""Triage: one accepted alert opens an incident, joins one, ends one, or is remembered.

Second step of the flow. The claim of the alert's correlation key and the incident lie in the same
shard, so two workers with two alerts of the same trouble can open one incident only.
"""

import msgspec

from shared.domain.alert import Alert
from shared.domain.catalog import CatalogMistake, Service
from shared.domain.incident import Claim, DeliveryOutcome, Incident, Step
from shared.domain.keys import shard_of
from shared.domain.message import Message
from shared.domain.row import MUST_NOT_EXIST, Put, Stored, Write
from shared.domain.triage import find_service
from shared.domain.triage import triage as judge
from shared.errors import Conflict
from shared.protocol.commit import command, commit, incident_row
from shared.protocol.intake import Delivery, read_delivery, settle_delivery
from shared.protocol.listing import point_to
from shared.services import Services

ATTEMPTS = 8


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored about an alert's trouble."""

    claim: Stored[Claim] | None
    incident: Stored[Incident] | None


class _Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose trouble it is: a service, or the mistakes of the broken file that names the target."""

    service: Service | None
    mistakes: tuple[CatalogMistake, ...]
    shard: str


async def triage(services: Services, message: Message) -> None:
    """Take the delivery that the message names. Raises NotFound, Conflict, Unavailable."""
    delivery = (await read_delivery(services, message.body)).value
    if not delivery.pending:
        return
    alert = delivery.alert
    service = find_service(alert, services.catalog)
    mistakes = () if service else services.catalog.mistakes_about(alert.targets)
    shard = shard_of(service.name if service else "|".join(alert.targets))
    for _ in range(ATTEMPTS):
        try:
            await _take(services, delivery, _Owner(service=service, mistakes=mistakes, shard=shard))
        except Conflict:
            continue
        return
    raise Conflict(f"the rows of delivery {delivery.key} kept changing")


async def _take(services: Services, delivery: Delivery, owner: _Owner) -> None:
    known = await _read(services, owner.shard, delivery.alert)
    step = judge(
        delivery.alert,
        service=owner.service,
        mistakes=owner.mistakes,
        claim=known.claim.value if known.claim else None,
        open_incident=known.incident.value if known.incident else None,
        now=services.now(),
        shard=owner.shard,
    )
    if step.outcome is DeliveryOutcome.OPENED and step.incident:
        await point_to(services, step.incident)
    await _store(services, owner.shard, known, step)
    fallback = known.claim.value.incident if known.claim else ""
    incident = step.incident.id if step.incident else fallback or ""
    outcome = (step.outcome or DeliveryOutcome.REJECTED).value
    await settle_delivery(services, delivery, state=outcome, incident=incident, rule=step.reason)


async def _read(services: Services, shard: str, alert: Alert) -> _Known:
    claim = await services.state.read(shard, _claim_row(alert.correlation_key), Claim)
    if claim is None or not claim.value.incident:
        return _Known(claim=claim, incident=None)
    row = incident_row(claim.value.incident)
    return _Known(claim=claim, incident=await services.state.read(shard, row, Incident))


def _claim_row(correlation_key: str) -> str:
    return f"claim|{correlation_key}"


async def _store(services: Services, shard: str, known: _Known, step: Step) -> None:
    writes: list[Write] = []
    if step.claim is not None:
        etag = known.claim.etag if known.claim else MUST_NOT_EXIST
        row = _claim_row(step.claim.correlation_key)
        writes.append(Put(row=row, value=step.claim, etag=etag))
    if step.incident is not None:
        writes.append(_incident_put(known, step.incident))
    if not writes:
        return
    commands = [
        command(subject, step.incident.id, str(step.incident.sequence))
        for subject in step.commands
        if step.incident
    ]
    await commit(services, shard, writes, events=step.events, commands=commands)


def _incident_put(known: _Known, incident: Incident) -> Put:
    same = known.incident is not None and known.incident.value.id == incident.id
    etag = known.incident.etag if same and known.incident else MUST_NOT_EXIST
    return Put(row=incident_row(incident.id), value=incident, etag=etag)
