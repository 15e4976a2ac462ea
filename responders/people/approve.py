"""Approve: what waits for people, and what one of them decides, by API or by the form of its page.

Beside the flow: a plan that policy does not let Backstop carry out alone waits here. Showing it
decides nothing, whoever opens the link; a decision is a POST by a person with the role, about the
very plan that was shown.
"""

from typing import Any

import msgspec

from shared.domain.approvals.approval import Approval, Ruling
from shared.domain.approvals.form_token import is_token
from shared.domain.approvals.may_decide import Wish
from shared.domain.incidents.incident import Incident
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import NotAllowed, RejectedInput
from shared.protocol.acting.approve import decide_about, list_waiting, read_approval
from shared.services import Services

LONGEST_REASON = 1_000
ACTIONS = {"approve": True, "refuse": False}
STALE = "this form is not the one that was shown to you; open the page again and repeat it"


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says about a plan: which one, why, and whether as commander alone."""

    plan_hash: str
    nonce: str
    reason: str = ""
    alone: bool = False


class SaidByForm(Said, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same, with the token of the page that the form is part of."""

    token: str


async def show_approvals(services: Services, _request: Request) -> Answer:
    """All plans that wait for people now. Raises Unavailable."""
    found = await list_waiting(services)
    return json_answer({"approvals": [_shown(incident, one) for incident, one in found]})


async def answer_approval(services: Services, request: Request) -> Answer:
    """Approve or refuse. Raises RejectedInput, NotFound, NotAllowed, Conflict, Unavailable."""
    return await _answer(services, request, request.read(Said))


async def answer_form(services: Services, request: Request) -> Answer:
    """The same by a form, whose token must be that of this person and this plan."""
    said = request.read(SaidByForm)
    asked = (await read_approval(services, request.path["id"])).request
    if not is_token(said.token, asked, request.actor):
        raise NotAllowed(STALE)
    return await _answer(services, request, said)


async def _answer(services: Services, request: Request, said: Said) -> Answer:
    action = request.path["action"]
    if action not in ACTIONS:
        raise RejectedInput("unknown-action", f"known: {', '.join(ACTIONS)}")
    if len(said.reason) > LONGEST_REASON:
        raise RejectedInput("too-long", f"reason may have {LONGEST_REASON} characters")
    wish = Wish(
        plan_hash=said.plan_hash,
        nonce=said.nonce,
        approve=ACTIONS[action],
        reason=said.reason,
        alone=said.alone,
    )
    after = await decide_about(services, request.path["id"], wish, request.actor)
    return json_answer({"approval": _standing(after), "rulings": _rulings(after.rulings)})


def _shown(incident: Incident, approval: Approval) -> dict[str, Any]:
    asked = approval.request
    return {
        "id": asked.id,
        "incident": incident.id,
        "service": incident.service,
        "severity": incident.severity,
        "plan": asked.plan,
        "plan_hash": asked.plan.hash,
        "nonce": asked.nonce,
        "reason": asked.reason,
        "rules": asked.rules,
        "requested_by": asked.requested_by,
        "asked_at": asked.asked_at,
        "expires_at": asked.expires_at,
        "quorum": asked.quorum,
        "rulings": _rulings(approval.rulings),
    }


def _standing(approval: Approval) -> dict[str, Any]:
    """What became of the request by now."""
    given, refused = len(approval.approvers), approval.refused
    state = "refused" if refused else "approved" if approval.is_settled else "waiting"
    asked = approval.request
    return {
        "id": asked.id,
        "incident": asked.plan.incident,
        "plan_hash": asked.plan.hash,
        "state": state,
        "approvals": given,
        "quorum": asked.quorum,
    }


def _rulings(rulings: tuple[Ruling, ...]) -> list[dict[str, Any]]:
    names = ("approved", "by", "role", "at", "reason", "alone")
    return [{name: getattr(ruling, name) for name in names} for ruling in rulings]
