"""The steps of an incident whose plan waits for people; each a pure function.

`wait` begins it, with the decision that needs an approval. It ends by enough approvals (the plan is
decided anew, with them), by one refusal, or by time: the latter two are a person's, and nothing was
moved.
"""

from datetime import datetime
from typing import Any

import msgspec

from shared.domain.approvals.approval import Approval, ApprovalRequest, Ruling
from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, State, Step, tell
from shared.domain.incidents.steps import AUTOMATION, escalate, refuse_resolved

SETTLED = ("enforce",)


def wait(incident: Incident, request: ApprovalRequest, now: datetime) -> Step:
    """Ask people for their approval, and stand still until they have decided."""
    if not incident.state.is_open():
        return refuse_resolved(incident)
    asked = incident.request
    return tell(
        incident,
        EventKind.APPROVAL_REQUESTED,
        actor=request.requested_by,
        role=asked.role if asked is not None else "",
        what=f"asks for {_people(request.quorum)} to approve {_move(request)}",
        why=request.reason,
        now=now,
        policy=request.policy,
        policy_hash=request.policy_hash,
        before=request.plan.before,
        after=request.plan.after,
        evidence={
            **_named(request),
            "rules": list(request.rules),
            "quorum": request.quorum,
            "expires_at": request.expires_at.isoformat(),
        },
        changes={"state": State.WAITING, "awaited": request.awaited},
    )


def rule(incident: Incident, approval: Approval, ruling: Ruling) -> Step:
    """Take what a person decided; `approval` has the ruling already."""
    if not awaits(incident, approval.request):
        return Step(incident=None, reason=f"the plan does not wait any more: {incident.state}")
    return (_approve if ruling.approved else _refuse)(incident, approval, ruling)


def lapse(incident: Incident, now: datetime) -> Step:
    """Nobody decided in time: nothing is moved, and a person is asked."""
    awaited = incident.awaited
    if incident.state is not State.WAITING or awaited is None:
        return Step(incident=None, reason="nothing waits for an approval")
    if now < awaited.expires_at:
        return Step(incident=None, reason="there is still time to decide")
    why = "Nobody decided about the plan in time: nothing was moved."
    step = tell(
        incident,
        EventKind.APPROVAL_EXPIRED,
        actor=AUTOMATION,
        what="the request for approval expired",
        why=why,
        now=now,
        before={"approval": "waiting"},
        after={"approval": "expired"},
        evidence={"approval": awaited.id, "expired_at": awaited.expires_at.isoformat()},
        changes={"request": None},
    )
    assert step.incident is not None
    return step.then(escalate(step.incident, why, "", now))


def awaits(incident: Incident, request: ApprovalRequest) -> bool:
    """Whether it is this very request that the incident waits for."""
    return incident.state is State.WAITING and incident.awaited == request.awaited


def _approve(incident: Incident, approval: Approval, ruling: Ruling) -> Step:
    given, request = len(approval.approvers), approval.request
    done = approval.is_settled
    how = "alone, as commander" if ruling.alone else f"{given} of {request.quorum}"
    step = tell(
        incident,
        EventKind.APPROVAL_GIVEN,
        actor=ruling.by,
        role=ruling.role,
        what=f"approved {_move(request)} ({how})",
        why=ruling.reason,
        now=ruling.at,
        policy=request.policy,
        policy_hash=request.policy_hash,
        before=request.plan.before,
        after=request.plan.after,
        evidence={**_named(request), "alone": ruling.alone, "settled": done},
        changes={"state": State.DIAGNOSED if done else State.WAITING},
    )
    return msgspec.structs.replace(step, commands=SETTLED if done else ())


def _refuse(incident: Incident, approval: Approval, ruling: Ruling) -> Step:
    request = approval.request
    step = tell(
        incident,
        EventKind.APPROVAL_REFUSED,
        actor=ruling.by,
        role=ruling.role,
        what=f"refused {_move(request)}",
        why=ruling.reason,
        now=ruling.at,
        policy=request.policy,
        policy_hash=request.policy_hash,
        before={"approval": "waiting", "traffic": request.plan.before},
        after={"approval": "refused", "traffic": request.plan.before},
        evidence=_named(request),
        changes={"request": None},
    )
    assert step.incident is not None
    why = f"The plan was refused, and nothing was moved: {ruling.reason}"
    return step.then(escalate(step.incident, why, "", ruling.at))


def _named(request: ApprovalRequest) -> dict[str, Any]:
    plan = request.plan
    return {"approval": request.id, "plan": plan.id, "plan_hash": plan.hash, "nonce": request.nonce}


def _move(request: ApprovalRequest) -> str:
    return f"the move from {request.plan.bad} to {request.plan.good}"


def _people(quorum: int) -> str:
    return "one person" if quorum == 1 else f"{quorum} people"
