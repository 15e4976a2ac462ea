"""Ask: a person wants the traffic moved back, or to a hotfix. One click, and the very same road.

Nothing is moved here. The request opens an incident or is taken into the one that is open; the
executor diagnoses, decides by it, waits for an approval where policy wants one, and acts.
"""

import msgspec

from shared.domain.approvals.asking import ask_for_rollback, open_for_rollback
from shared.domain.catalog import Service, TargetKind
from shared.domain.incidents.incident import Incident
from shared.domain.incidents.requests import RollbackRequest
from shared.domain.keys import shard_of
from shared.domain.row import MUST_NOT_EXIST, Put
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import Conflict, NotFound, RejectedInput
from shared.protocol.commit import commit, incident_row, next_step, read_incident
from shared.protocol.listing import open_incidents, point_to
from shared.protocol.records import read_releases
from shared.protocol.revise import Revision, revise
from shared.services import Services

KNOWN_GOOD = "known-good"
LONGEST_REASON = 1_000


class RollbackWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted: of which service, why, to what, and in which incident, if it has one.

    `target` is needed only where a service has several endpoints and none of them an incident.
    """

    service: str
    reason: str
    to: str = KNOWN_GOOD
    incident: str = ""
    target: str = ""


async def ask(services: Services, request: Request) -> Answer:
    """Take the request; 202 with the incident in which it is looked after.

    Raises RejectedInput, NotFound, Conflict where traffic is moved already, and Unavailable.
    """
    wanted, caller = request.read(RollbackWanted), request.actor
    service = _check(services, wanted)
    await _check_version(services, service, wanted.to)
    asked = RollbackRequest(
        by=caller.id,
        role=caller.role,
        reason=wanted.reason.strip(),
        at=services.now(),
        to="" if wanted.to == KNOWN_GOOD else wanted.to,
    )
    known = await _known(services, service, wanted)
    taken = (
        await _take(services, known, asked)
        if known
        else await _open(services, service, wanted, asked)
    )
    said = {"incident": taken.id, "state": taken.state, "to": wanted.to}
    answer = json_answer(said, 202)
    headers = {"Location": f"/incidents/{taken.id}"}
    return msgspec.structs.replace(answer, headers=headers)


def _check(services: Services, wanted: RollbackWanted) -> Service:
    known = services.catalog.services
    if wanted.service not in known:
        named = ", ".join(sorted(known))
        raise RejectedInput("unknown-service", f"no service {wanted.service!r}; known: {named}")
    if not 0 < len(wanted.reason.strip()) <= LONGEST_REASON:
        detail = f"reason is needed, with at most {LONGEST_REASON} characters: it is recorded"
        raise RejectedInput("missing-field", detail)
    return known[wanted.service]


async def _check_version(services: Services, service: Service, to: str) -> None:
    """A hotfix is a version that was registered: nobody moves traffic to what nobody knows."""
    if to == KNOWN_GOOD:
        return
    known = [release.version for release in await read_releases(services, service)]
    if to not in known:
        detail = f"{to!r} is not registered for {service.name}; register the release first"
        raise RejectedInput("unknown-version", detail)


async def _known(services: Services, service: Service, wanted: RollbackWanted) -> str:
    """The incident to ask in: the one that is named, else an open one of the target; or ""."""
    if wanted.incident:
        found = (await read_incident(services, wanted.incident)).value
        if found.service != service.name:
            raise RejectedInput("another-service", f"{found.id} is not one of {service.name}")
        return found.id
    targets = {one.id for one in service.targets if wanted.target.lower() in ("", one.id)}
    mine = [one for one in await open_incidents(services) if one.service == service.name]
    return next((one.id for one in mine if one.target in targets), "")


async def _take(services: Services, incident_id: str, asked: RollbackRequest) -> Incident:
    step = await revise(
        services, incident_id, lambda current: Revision(step=ask_for_rollback(current, asked))
    )
    if step.incident is None:
        raise Conflict(step.reason)
    return step.incident


async def _open(
    services: Services, service: Service, wanted: RollbackWanted, asked: RollbackRequest
) -> Incident:
    target, shard = _target(service, wanted), shard_of(service.name)
    step = open_for_rollback(service, target, shard, asked)
    assert step.incident is not None
    await point_to(services, step.incident)
    put = Put(row=incident_row(step.incident.id), value=step.incident, etag=MUST_NOT_EXIST)
    commands = [next_step(subject, step.incident, "asked") for subject in step.commands]
    try:
        await commit(services, shard, [put], events=step.events, commands=commands)
    except Conflict:  # nobody else gives this id: it is stored, and the answer was lost
        return (await read_incident(services, step.incident.id)).value
    return step.incident


def _target(service: Service, wanted: RollbackWanted) -> str:
    """The one endpoint that is meant. Raises RejectedInput, NotFound."""
    every = [one.id for one in service.targets if one.kind is TargetKind.ONLINE_ENDPOINT]
    meant = [one for one in every if wanted.target.lower() in ("", one)]
    if not meant:
        raise NotFound(f"{service.name} has no such endpoint")
    if len(meant) > 1:
        raise RejectedInput("which-target", f"target must be one of {', '.join(every)}")
    return meant[0]
