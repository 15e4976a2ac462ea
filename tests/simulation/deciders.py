"""The people of a scene who decide about plans: each looks now and then, and says one thing a time.

They see what waits as everybody does, and post what the form of its page would post, to whichever
responder answers. Whether they may is Backstop's to say.
"""

import asyncio

import msgspec

from responders.people.approve import answer_approval
from shared.domain.approvals.approval import ApprovalRequest
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.incidents.incident import Incident, State
from shared.domain.views.http import Answer, Request
from shared.errors import NotAllowed
from shared.services import Services
from tests.fakes.callers import TENANT, person
from tests.fakes.services import Outside
from tests.simulation.world import World

LOOKS_EVERY_S = 7.0
PEOPLE: dict[str, Caller] = {
    "Alice": person(AppRole.APPROVER, id=f"{TENANT}/a11ce000-0000-4000-8000-000000000001"),
    "Bob": person(AppRole.APPROVER, id=f"{TENANT}/b0b00000-0000-4000-8000-000000000002"),
    "Rita": person(AppRole.RESPONDER, id=f"{TENANT}/417a0000-0000-4000-8000-000000000004"),
}
ENTITLED = frozenset({PEOPLE["Alice"].id, PEOPLE["Bob"].id})


async def decide_when_asked(world: World, name: str, action: str) -> None:
    """Answer every request for approval once, and again where no answer came back."""
    answered: set[str] = set()
    while True:
        await asyncio.sleep(LOOKS_EVERY_S)
        for request in waiting(world.outside):
            if request.nonce in answered:
                continue
            world.scheduler.tell("outside", f"{name} wants to {action} the plan")
            answer = await world.ask(_answer, _post(request, PEOPLE[name], action))
            if answer is not None and answer.status != 503:
                answered.add(request.nonce)


async def _answer(services: Services, request: Request) -> Answer:
    try:
        return await answer_approval(services, request)
    except NotAllowed:
        return Answer(status=403)


def waiting(outside: Outside) -> list[ApprovalRequest]:
    """What waits for people now, looked at without a turn."""
    state, found = outside.state, []
    for partition in state.partitions():
        for row in state.rows(partition, "incident|"):
            incident = state.peek(partition, row, Incident)
            if incident.state is State.WAITING and incident.awaited is not None:
                name = incident.awaited.id.partition("-")[2]
                found.append(state.peek(partition, f"approval|{name}", ApprovalRequest))
    return found


def _post(request: ApprovalRequest, caller: Caller, action: str) -> Request:
    said = {"plan_hash": request.plan.hash, "nonce": request.nonce, "reason": "looked at it"}
    return Request(
        method="POST",
        path={"id": request.id, "action": action},
        body=msgspec.json.encode(said),
        caller=caller,
    )
