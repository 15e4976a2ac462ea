"""Outdated: what a plan rested on is not so any more, so nobody is to approve it.

Pure; asked at the moment of an approval (`shared.protocol.acting.recheck`). The plan is put aside
then, and everything is looked at and decided anew: the next one is about what is so now.
"""

from datetime import datetime

import msgspec

from shared.domain.approvals.approval import ApprovalRequest
from shared.domain.approvals.asking import ROAD
from shared.domain.approvals.steps import awaits
from shared.domain.catalog import RollbackPolicy
from shared.domain.event import EventKind
from shared.domain.freezes.frozen import ChangeKind, Frozen, blocks
from shared.domain.incidents.incident import Incident, State, Step, tell
from shared.domain.incidents.steps import AUTOMATION
from shared.domain.lineage.sighting import Sighting, live

FREEZE_RULE = "no-freeze"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What is so now: the freeze that covers the service, and the last look at the endpoint."""

    frozen: Frozen | None
    sighting: Sighting | None
    now: datetime


def what_changed(request: ApprovalRequest, policy: RollbackPolicy, found: Found) -> str:
    """Why the plan is not to be approved as it was asked for, as a sentence; "" where it may be.

    A freeze counts where policy lets it ask for people, and these people were not asked about it.
    """
    seen = found.sighting
    if seen is not None and seen.seen_at > request.asked_at and not _as_planned(request, seen):
        return "The endpoint's traffic was changed since this plan was made."
    asks = "freeze" in policy.approve_when and FREEZE_RULE not in request.rules
    return blocks(ChangeKind.ROLLBACK, found.frozen, found.now) if asks else ""


def put_aside(incident: Incident, request: ApprovalRequest, why: str, now: datetime) -> Step:
    """Let the plan wait no more, and have everything looked at and decided anew."""
    if not awaits(incident, request):
        return Step(incident=None, reason=f"the plan does not wait any more: {incident.state}")
    step = tell(
        incident,
        EventKind.APPROVAL_OUTDATED,
        actor=AUTOMATION,
        what="put the plan that waited aside: another one is made",
        why=why,
        now=now,
        evidence={"approval": request.id, "plan_hash": request.plan.hash, "nonce": request.nonce},
        changes={"state": State.OPENED, "awaited": None},
    )
    return msgspec.structs.replace(step, commands=ROAD)


def _as_planned(request: ApprovalRequest, seen: Sighting) -> bool:
    return live(seen.traffic) == live(request.plan.before)
