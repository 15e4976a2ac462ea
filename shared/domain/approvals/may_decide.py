"""Who may decide about a plan that waits. All the rules, and no I/O.

 1. A person, never a program.
 2. By the role Approver or Commander.
 3. About the plan that waits, by its hash and its request, and no other.
 4. In time: an expired request is dead, and so is one that is decided.
 5. Once.
 6. A refusal says why, and needs nothing else: whoever may decide may stop.
 7. Nobody approves what they asked for themselves.
 8. Nobody approves a move between versions of which they deployed one, unless policy says so.
 9. A commander alone waives the quorum, 7 and 8: only in a SEV0 or SEV1 that is not one by their
    own word, only with a reason, and it is reviewed afterwards.

First rule that applies wins, and says why in a sentence for the person who reads it.
"""

from datetime import datetime

import msgspec

from shared.domain.approvals.approval import Approval, Ruling
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.incidents.incident import Incident

DECIDERS = (AppRole.APPROVER, AppRole.COMMANDER)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to say about a plan: which one, yes or no, why, and whether alone."""

    plan_hash: str
    nonce: str
    approve: bool
    reason: str = ""
    alone: bool = False


class Forbidden(msgspec.Struct, frozen=True, kw_only=True):
    """It may not be: why, and whether it is because somebody or something was first."""

    why: str
    too_late: bool = False


def may_decide(
    approval: Approval, wish: Wish, caller: Caller, *, incident: Incident, now: datetime
) -> Ruling | Forbidden:
    """The ruling that the wish makes, or why it makes none; of `incident` only how bad it is."""
    no = (
        _no_decider(caller)
        or _not_this_one(approval, wish, caller, now)
        or _nothing_said(wish)
        or (_not_approved_by(approval, wish, caller, incident) if wish.approve else None)
    )
    if no is not None:
        return no
    alone = wish.approve and wish.alone and needs_waiver(approval, caller)
    return Ruling(
        nonce=approval.request.nonce,
        plan_hash=approval.request.plan.hash,
        approved=wish.approve,
        by=caller.id,
        role=_role(caller, alone=alone),
        at=now,
        reason=wish.reason.strip() or "agrees with the plan",
        alone=alone,
    )


def why_not(
    approval: Approval, caller: Caller, *, incident: Incident, now: datetime
) -> tuple[str, bool]:
    """For a page: why this caller may not approve ("" where they may), and whether alone they may.

    Looks at the caller and the request only, as if a good reason were given.
    """
    request = approval.request
    wish = Wish(plan_hash=request.plan.hash, nonce=request.nonce, approve=True, reason="-")
    ordinary = may_decide(approval, wish, caller, incident=incident, now=now)
    by_waiver = msgspec.structs.replace(wish, alone=True)
    alone = may_decide(approval, by_waiver, caller, incident=incident, now=now)
    why = ordinary.why if isinstance(ordinary, Forbidden) else ""
    return why, isinstance(alone, Ruling) and alone.alone


def needs_waiver(approval: Approval, caller: Caller) -> bool:
    """Whether this caller's approval alone would not do without a waiver."""
    request = approval.request
    enough = len(approval.approvers) + 1 >= request.quorum
    return not enough or caller.id == request.requested_by or _deployed(approval, caller)


def _no_decider(caller: Caller) -> Forbidden | None:
    if not caller.is_person:
        return Forbidden(why="Only a person may decide about a plan.")
    if not caller.roles & set(DECIDERS):
        return Forbidden(why="Deciding about a plan needs the role Approver or Commander.")
    return None


def _not_this_one(
    approval: Approval, wish: Wish, caller: Caller, now: datetime
) -> Forbidden | None:
    """Another plan, or too late for this one."""
    request, refused = approval.request, approval.refused
    if (wish.plan_hash, wish.nonce) != (request.plan.hash, request.nonce):
        why = "This is another plan than the one that waits; open the page again."
        return Forbidden(why=why, too_late=True)
    if refused is not None:
        return Forbidden(why=f"Already refused by {refused.by}.", too_late=True)
    if approval.is_settled:
        given = ", ".join(one.by for one in approval.approvers)
        return Forbidden(why=f"Already approved by {given}.", too_late=True)
    if now >= request.expires_at:
        why = f"The request expired at {request.expires_at:%H:%M:%S} UTC; nothing was moved."
        return Forbidden(why=why, too_late=True)
    if any(one.by == caller.id for one in approval.approvers):
        return Forbidden(why="You have approved it already; another person must.", too_late=True)
    return None


def _nothing_said(wish: Wish) -> Forbidden | None:
    if not wish.approve and not wish.reason.strip():
        return Forbidden(why="A refusal needs a reason: whoever is paged reads it.")
    return None


def _not_approved_by(
    approval: Approval, wish: Wish, caller: Caller, incident: Incident
) -> Forbidden | None:
    if wish.alone:
        return _not_alone(wish, caller, incident)
    if caller.id == approval.request.requested_by:
        return Forbidden(why="Nobody approves what they asked for: another person must decide.")
    if _deployed(approval, caller):
        return Forbidden(
            why="You deployed one of these versions, so policy wants another person to decide."
        )
    return None


def _not_alone(wish: Wish, caller: Caller, incident: Incident) -> Forbidden | None:
    grade = incident.severity.value
    if AppRole.COMMANDER not in caller.roles:
        return Forbidden(why="Only a commander may approve alone.")
    if not incident.severity.pages():
        return Forbidden(why=f"Nobody approves alone in a {grade}, only in a SEV0 or SEV1.")
    if incident.graded_by == caller.id:
        return Forbidden(why=f"It is a {grade} by your word alone: another person must decide.")
    if not wish.reason.strip():
        return Forbidden(why="Approving alone needs a reason: it is reviewed afterwards.")
    return None


def _deployed(approval: Approval, caller: Caller) -> bool:
    request = approval.request
    return not request.deployer_may_approve and caller.id in request.deployers


def _role(caller: Caller, *, alone: bool) -> str:
    """By which role it was decided: a waiver is the commander's."""
    role = AppRole.APPROVER if AppRole.APPROVER in caller.roles and not alone else None
    return (role or next(one for one in reversed(DECIDERS) if one in caller.roles)).value
