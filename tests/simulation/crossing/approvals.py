"""The scenes of approvals: what people decide about a plan that waits is decided once.

However it was struck there is one ruling, and at most one move of the traffic comes of it.
"""

from typing import Any

from responders.alert.enforce import enforce
from responders.people.approve import answer_approval, answer_form
from shared.domain.approvals.form_token import make_token
from shared.domain.authority.caller import Caller
from shared.domain.event import EventKind
from shared.domain.incidents.incident import State
from shared.domain.message import WORK
from shared.protocol.reviews import open_reviews
from tests.fakes import FakeServices
from tests.fakes.scene import PLAN, SHARD, incident_now, message
from tests.fakes.waiting import ALICE, CHIEF, approval_now, let_it_wait
from tests.simulation.crossing.authority import WHY, asked_by, of_a_person
from tests.simulation.crossing.jobs import Do, recorded


async def _one_is_asked(services: FakeServices) -> None:
    await let_it_wait(services)


async def _two_are_asked(services: FakeServices) -> None:
    await let_it_wait(services, quorum=2)


def _answers(caller: Caller, action: str = "approve", **said: Any) -> Do:
    async def answer(services: FakeServices) -> None:
        asked = (await approval_now(services)).request
        body = {"plan_hash": asked.plan.hash, "nonce": asked.nonce, **said}
        path = {"id": asked.id, "action": action}
        await answer_approval(services, asked_by(caller, path, **body))

    return answer


async def _approve_by_form(services: FakeServices) -> None:
    asked = (await approval_now(services)).request
    path = {"id": asked.id, "action": "approve"}
    body = {"plan_hash": asked.plan.hash, "nonce": asked.nonce, "token": make_token(asked, ALICE)}
    await answer_form(services, asked_by(ALICE, path, **body))


async def _approved_once(services: FakeServices) -> None:
    """One ruling, one record, and one move of the traffic, however often it is enforced."""
    assert len(services.state.rows(SHARD, "ruling|")) == 1
    assert (await recorded(services))[EventKind.APPROVAL_GIVEN] == 1
    assert "enforce" in services.bus.subjects(WORK)
    for _ in range(2):
        await enforce(services, message("enforce"))
    assert len(services.endpoints.writes) == 1
    assert services.endpoints.traffic == {PLAN.good: 100}


async def _approved_alone_once(services: FakeServices) -> None:
    """The review that it makes mandatory is opened with it, once."""
    assert (await recorded(services))[EventKind.REVIEW_OPENED] == 1
    (review,) = await open_reviews(services)
    assert (await incident_now(services)).reviews == (review.id,)
    await _approved_once(services)


async def _refused_once(services: FakeServices) -> None:
    """Nothing is moved any more, and a person has it."""
    assert len(services.state.rows(SHARD, "ruling|")) == 1
    assert (await recorded(services))[EventKind.APPROVAL_REFUSED] == 1
    await enforce(services, message("enforce"))
    assert services.endpoints.writes == []
    assert (await incident_now(services)).state is State.ESCALATED


ALONE = _answers(CHIEF, alone=True, reason=WHY)
JOBS = (
    of_a_person("answer_approval", _one_is_asked, _answers(ALICE, reason=WHY), _approved_once),
    of_a_person("answer_approval", _two_are_asked, ALONE, _approved_alone_once),
    of_a_person(
        "answer_approval", _one_is_asked, _answers(ALICE, "refuse", reason=WHY), _refused_once
    ),
    of_a_person("answer_form", _one_is_asked, _approve_by_form, _approved_once),
)
