"""Triage: one accepted alert opens an incident, joins one, ends one, or is remembered.

Second step of the flow. The claim of the alert's correlation key, the group of its target and the
incident lie in the same shard, so two workers with two alerts of one trouble, by whichever rules,
can open one incident only. What holds the incident back is told at once, and by the delivery.
"""

import asyncio

import msgspec

from shared.domain.alerts.alert import Alert
from shared.domain.catalog import CatalogMistake, Service
from shared.domain.incidents.incident import Claim, DeliveryOutcome, Incident, Step
from shared.domain.incidents.triage import triage as judge
from shared.domain.keys import shard_of
from shared.domain.message import Message
from shared.domain.noise.grouping import find_service, group_of
from shared.domain.noise.quieting import Weighed, weigh
from shared.domain.row import MUST_NOT_EXIST, Put, Stored, Write
from shared.errors import Conflict
from shared.protocol.commit import command, commit, incident_row
from shared.protocol.intake import Delivery, read_delivery, settle_delivery
from shared.protocol.listing import point_to
from shared.protocol.surroundings import Around, read_around
from shared.services import Services

ATTEMPTS = 16  # of as many workers that take alerts of one target at once, each may be the last


class _Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose trouble it is: a service, or the mistakes of the broken file that names the target."""

    service: Service | None
    mistakes: tuple[CatalogMistake, ...]
    shard: str


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored about an alert's trouble, and around it."""

    claim: Stored[Claim] | None
    incident: Stored[Incident] | None
    around: Around


async def triage(services: Services, message: Message) -> None:
    """Take the delivery that the message names. Raises NotFound, Conflict, Unavailable."""
    delivery = (await read_delivery(services, message.body)).value
    if not delivery.pending:
        return
    owner = _owner(services, delivery.alert)
    for _ in range(ATTEMPTS):
        try:
            await _take(services, delivery, owner)
        except Conflict:
            continue
        return
    raise Conflict(f"the rows of delivery {delivery.key} kept changing")


def _owner(services: Services, alert: Alert) -> _Owner:
    """What nobody owns lies in the shard of the target by which it is grouped."""
    service = find_service(alert, services.catalog)
    mistakes = () if service else services.catalog.mistakes_about(alert.targets)
    shard = shard_of(service.name if service else next(iter(alert.targets), ""))
    return _Owner(service=service, mistakes=mistakes, shard=shard)


async def _take(services: Services, delivery: Delivery, owner: _Owner) -> None:
    known = await _read(services, owner, delivery.alert)
    weighed = _judge(services, delivery.alert, owner, known)
    step = weighed.step
    if step.outcome is DeliveryOutcome.OPENED and step.incident:
        await point_to(services, step.incident)
    if weighed.began and weighed.began.incident:
        await point_to(services, weighed.began.incident)
    await _store(services, owner.shard, known, weighed)
    fallback = known.claim.value.incident if known.claim else ""
    incident = step.incident.id if step.incident else fallback or ""
    outcome = (step.outcome or DeliveryOutcome.REJECTED).value
    await settle_delivery(services, delivery, state=outcome, incident=incident, rule=step.reason)


def _judge(services: Services, alert: Alert, owner: _Owner, known: _Known) -> Weighed:
    now = services.now()
    step = judge(
        alert,
        service=owner.service,
        mistakes=owner.mistakes,
        claim=known.claim.value if known.claim else None,
        open_incident=known.incident.value if known.incident else None,
        now=now,
        shard=owner.shard,
    )
    around = known.around.surroundings
    return weigh(step, alert, service=owner.service, around=around, shard=owner.shard, now=now)


async def _read(services: Services, owner: _Owner, alert: Alert) -> _Known:
    claim, around = await asyncio.gather(
        services.state.read(owner.shard, _claim_row(alert.correlation_key), Claim),
        read_around(services, owner.service, owner.shard, group_of(alert, owner.service)),
    )
    claimed = claim.value.incident or "" if claim else ""
    grouped = around.group.value.incident if around.group else ""
    own, newest = await asyncio.gather(
        _open(services, owner.shard, claimed),
        _open(services, owner.shard, grouped if grouped != claimed else ""),
    )
    fires = own is not None and alert.correlation_key in own.value.firing
    return _Known(claim=claim, incident=own if fires else newest or own, around=around)


async def _open(services: Services, shard: str, incident: str) -> Stored[Incident] | None:
    """The incident of that id, if it is open."""
    if not incident:
        return None
    found = await services.state.read(shard, incident_row(incident), Incident)
    return found if found and found.value.state.is_open() else None


def _claim_row(correlation_key: str) -> str:
    return f"claim|{correlation_key}"


async def _store(services: Services, shard: str, known: _Known, weighed: Weighed) -> None:
    step, began = weighed.step, weighed.began
    writes = [*_claim_put(known, step), *_incident_puts(known, step), *_storm_puts(known, weighed)]
    if not writes:
        return
    commands = [
        command(subject, step.incident.id, str(step.incident.sequence))
        for subject in step.commands
        if step.incident
    ]
    events = (*step.events, *(began.events if began else ()))
    await commit(services, shard, writes, events=events, commands=commands)


def _claim_put(known: _Known, step: Step) -> list[Write]:
    if step.claim is None:
        return []
    etag = known.claim.etag if known.claim else MUST_NOT_EXIST
    return [Put(row=_claim_row(step.claim.correlation_key), value=step.claim, etag=etag)]


def _incident_puts(known: _Known, step: Step) -> list[Write]:
    """The incident; where it is a new one, the group that names it from now on as well."""
    if step.incident is None:
        return []
    row, group = incident_row(step.incident.id), known.around.group
    if step.outcome is not DeliveryOutcome.OPENED:
        assert known.incident is not None
        return [Put(row=row, value=step.incident, etag=known.incident.etag)]
    opened: list[Write] = [Put(row=row, value=step.incident, etag=MUST_NOT_EXIST)]
    if group is not None:
        value = group.value.opened(step.incident)
        opened.append(Put(row=group.row, value=value, etag=group.etag))
    return opened


def _storm_puts(known: _Known, weighed: Weighed) -> list[Write]:
    """The count, and the incident of a storm that begins."""
    storm, began = known.around.storm, weighed.began
    writes: list[Write] = []
    if weighed.storm is not None and storm is not None:
        writes.append(Put(row=storm.row, value=weighed.storm, etag=storm.etag))
    if began is not None and began.incident is not None:
        row = incident_row(began.incident.id)
        writes.append(Put(row=row, value=began.incident, etag=MUST_NOT_EXIST))
    return writes
