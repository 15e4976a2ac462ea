"""Approve: a person decides about a plan that waits. Gather, ask who may, store in one transaction.

The request lies in the shard of its incident, and every ruling is a row of its own that is only
ever inserted. Incident, ruling and events are one write under the incident's version: of two people
who decide at the same moment one is first, and the other reads who was. What the plan rests on is
looked at before an approval counts (`shared.protocol.acting.recheck`). Enough approvals let the
executor decide anew, with them: the endpoint is looked at again there, and again at the act.
"""

from datetime import datetime

import msgspec

from shared.domain.approvals.approval import Approval, ApprovalRequest, Ruling
from shared.domain.approvals.may_decide import Forbidden, Wish, may_decide
from shared.domain.approvals.steps import awaits, rule
from shared.domain.authority.caller import Caller
from shared.domain.incidents.incident import Incident, State, Step
from shared.domain.keys import digest, shards
from shared.domain.reviews.review import Opening, ReviewKind, Revised, open_review
from shared.domain.row import MUST_NOT_EXIST, Put, Stored, Write
from shared.errors import Conflict, NotAllowed, NotFound
from shared.protocol.acting.recheck import recheck
from shared.protocol.commit import commit, next_step, read_incident
from shared.protocol.listing import open_incidents
from shared.services import Services

ATTEMPTS = 8
MOST_RULINGS = 50


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A request with what was decided about it, and its incident as it is stored now."""

    was: Stored[Incident]
    approval: Approval

    @property
    def is_open(self) -> bool:
        """Whether the incident still waits for this very request."""
        return awaits(self.was.value, self.approval.request)


async def decide_about(
    services: Services, approval_id: str, wish: Wish, caller: Caller
) -> Approval:
    """Take what a person decided; answer the request with all that was decided about it.

    Raises NotFound, NotAllowed where it is not theirs to decide, Conflict where it is decided or
    over, and Unavailable.
    """
    sent: Ruling | None = None
    for _ in range(ATTEMPTS):
        found = await read_waiting(services, approval_id)
        if sent is not None and sent in found.approval.rulings:
            return found.approval  # our own write, whose answer was lost
        ruling = _ruling(found, wish, caller, services.now())
        if ruling.approved:
            await recheck(services, found.was.value, found.approval.request)
        sent = services.redactor.struct(ruling)  # as it is stored
        try:
            return await _store(services, found, ruling)
        except Conflict:
            continue
    raise Conflict(f"incident {found.was.value.id} kept changing")


def _ruling(found: Waiting, wish: Wish, caller: Caller, now: datetime) -> Ruling:
    """The ruling that the wish makes. Raises NotAllowed and Conflict."""
    incident = found.was.value
    ruling = may_decide(found.approval, wish, caller, incident=incident, now=now)
    if isinstance(ruling, Forbidden):
        raise (Conflict if ruling.too_late else NotAllowed)(ruling.why)
    if not found.is_open:
        state = incident.state.value
        raise Conflict(f"The plan does not wait any more: incident {incident.id} is {state}.")
    return ruling


async def _store(services: Services, found: Waiting, ruling: Ruling) -> Approval:
    was, before = found.was, found.approval
    after = msgspec.structs.replace(before, rulings=(*before.rulings, ruling))
    step = rule(was.value, after, ruling)
    assert step.incident is not None, "it was open a moment ago"
    reviewed = _reviewed(services, step.incident, after.request, ruling)
    step = step.then(reviewed.step)
    assert step.incident is not None
    writes: list[Write] = [
        Put(row=was.row, value=step.incident, etag=was.etag),
        Put(row=_ruling_row(before.request, ruling.by), value=ruling, etag=MUST_NOT_EXIST),
        *reviewed.writes,
    ]
    commands = [next_step(subject, step.incident, ruling.nonce) for subject in step.commands]
    shard = before.request.id.partition("-")[0]
    await commit(services, shard, writes, events=step.events, commands=commands)
    return after


def _reviewed(
    services: Services, incident: Incident, request: ApprovalRequest, ruling: Ruling
) -> Revised:
    """The review that an approval alone makes mandatory; nothing where two people decided."""
    service = services.catalog.services.get(incident.service)
    if not ruling.alone or service is None:
        return Revised(step=Step(incident=incident))
    opening = Opening(
        kind=ReviewKind.LONE_APPROVAL,
        about=request.plan.id,
        why=f"A commander approved alone: {ruling.reason}",
        by=ruling.by,
        role=ruling.role,
        asked_by=request.requested_by,
        days=service.policy.review_days,
        zone=service.time_zone,
    )
    return open_review(incident, opening, ruling.at)


def approval_row(request: ApprovalRequest) -> str:
    """The row of the request for a plan; asking again for the very same plan takes its place."""
    return f"approval|{request.plan.hash}"


def _ruling_row(request: ApprovalRequest, by: str) -> str:
    return f"{_rulings(request)}{digest(by)}"


def _rulings(request: ApprovalRequest) -> str:
    return f"ruling|{request.plan.hash}|{request.nonce}|"


async def read_approval(services: Services, approval_id: str) -> Approval:
    """A request with all that was decided about it. Raises NotFound and Unavailable."""
    shard, _, plan_hash = approval_id.partition("-")
    known = shard in shards() and plan_hash.isalnum() and plan_hash.isascii()
    row = f"approval|{plan_hash}"
    found = await services.state.read(shard, row, ApprovalRequest) if known else None
    if found is None:
        raise NotFound(f"no approval {approval_id}")
    prefix = _rulings(found.value)
    rows = await services.state.scan(shard, prefix, Ruling, limit=MOST_RULINGS)
    rulings = sorted((row.value for row in rows), key=lambda ruling: ruling.at)
    return Approval(request=found.value, rulings=tuple(rulings))


async def read_waiting(services: Services, approval_id: str) -> Waiting:
    """The same, with its incident. Raises NotFound and Unavailable.

    The incident is read first: what is stored after that is a conflict then, and never overseen.
    """
    incident = (await read_approval(services, approval_id)).request.plan.incident
    was = await read_incident(services, incident)
    return Waiting(was=was, approval=await read_approval(services, approval_id))


async def approval_of(services: Services, incident: Incident) -> Approval | None:
    """What people decided about the plan that the incident waited for last. Raises Unavailable."""
    if incident.awaited is None:
        return None
    try:
        found = await read_approval(services, incident.awaited.id)
    except NotFound:
        return None
    return found if found.request.awaited == incident.awaited else None


async def list_waiting(services: Services) -> list[tuple[Incident, Approval]]:
    """Every plan that waits for people now, with its incident. Raises Unavailable."""
    found = []
    for incident in await open_incidents(services):
        if incident.state is State.WAITING:
            approval = await approval_of(services, incident)
            if approval is not None:
                found.append((incident, approval))
    return found
