"""A hotfix that a commander lets by in a freeze: another person looks at it afterwards."""

from typing import Any

import msgspec
import pytest

from responders.people.freeze import set_freeze
from responders.people.notify import notify
from responders.people.page import page_all_due
from responders.people.review import close_review, remind_reviewers, show_reviews
from responders.watching.register import register
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.catalog import Catalog
from shared.domain.freezes.freeze import Calendar
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.ledger.completeness import complete
from shared.domain.slos.slo import BudgetAction
from shared.domain.views.http import Request
from shared.errors import NotAllowed, Unavailable
from shared.protocol.commit import read_incident, telling
from shared.protocol.leftovers import find_leftovers
from shared.protocol.listing import list_incidents, open_incidents
from tests.fakes import FakeServices
from tests.fakes.callers import ALICE, app, person
from tests.fakes.scene import SERVICE, kinds, new_services, told
from tests.responders.spending import look, world

RELEASE = {"service": SERVICE.name, "version": "2.0", "deployment": "v2", "why": "run 4711"}
DEPLOYER = app(AppRole.DEPLOYER)
DANA = person(AppRole.COMMANDER)
AUDITOR = person(AppRole.AUDITOR, id=ALICE)
DAY_S = 86_400.0


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await freeze(made)
    return made


async def freeze(services: FakeServices, *, on: bool = True) -> None:
    asked = {"scope": "*", "on": on, "reason": "the ledger moves", "minutes": 60}
    await set_freeze(services, Request(body=msgspec.json.encode(asked), caller=DANA))


async def post(services: FakeServices, caller: Caller = DANA, **changes: Any) -> dict[str, Any]:
    body = msgspec.json.encode({**RELEASE, **changes})
    answer = await register(services, Request(body=body, caller=caller))
    assert answer.status in (200, 201, 409)
    return msgspec.json.decode(answer.body, type=dict[str, Any])


async def reviews(services: FakeServices) -> list[dict[str, Any]]:
    answer = await show_reviews(services, Request())
    return msgspec.json.decode(answer.body, type=dict[str, list[dict[str, Any]]])["reviews"]


async def incident_of(services: FakeServices, review: dict[str, Any]) -> Incident:
    return (await read_incident(services, review["incident"])).value


async def close(services: FakeServices, review_id: str, caller: Caller) -> None:
    body = b'{"conclusion": "It could not wait."}'
    await close_review(services, Request(body=body, path={"id": review_id}, caller=caller))


async def test_it_opens_a_review_by_its_commander_due_in_the_policys_days(
    services: FakeServices,
) -> None:
    answer = await post(services)

    assert "it has a mandatory review, by another person" in answer["warning"]
    (review,) = await reviews(services)
    assert (review["kind"], review["opened_by"]) == ("freeze-hotfix", DANA.id)
    assert "Release 2.0 on v2 was let by in the change freeze" in review["why"]
    assert review["why"].endswith("the ledger moves: run 4711")
    assert review["due_at"] == "2026-11-30T14:05:00Z", "five working days"


async def test_release_and_review_are_stored_and_told_together_or_not_at_all(
    services: FakeServices,
) -> None:
    await post(services)
    assert kinds(services)[1:] == [
        "release.registered",
        "incident.opened",
        "incident.resolved",
        "review.opened",
    ]
    assert [complete(event) for event in told(services)[1:]] == [()] * 4
    assert told(services)[-1].after["about"] == told(services)[1].id

    async def out() -> None:
        raise Unavailable("tables", "no answer")

    services.outside.turns.once("state.write", out)
    with pytest.raises(Unavailable):
        await post(services, version="2.1")
    assert len(await reviews(services)) == 1


async def test_its_incident_is_over_and_wakes_nobody(services: FakeServices) -> None:
    await post(services)
    for event in told(services)[1:]:
        await notify(services, telling(event))
    await page_all_due(services, await find_leftovers(services))

    (review,) = await reviews(services)
    incident = await incident_of(services, review)
    assert (incident.state, incident.severity) == (State.RESOLVED, Severity.SEV3)
    assert incident.title == f"{SERVICE.title}: a commander let a hotfix by in a change freeze"
    assert incident.sentence.endswith("It has a mandatory review, by another person.")
    assert incident.pages == ()
    assert await open_incidents(services) == []
    assert [one.id for one in (await list_incidents(services))[0]] == [incident.id]


async def test_whoever_let_it_by_or_started_the_pipeline_does_not_review_it(
    services: FakeServices,
) -> None:
    await post(services, started_by=AUDITOR.id)
    (review,) = await reviews(services)
    other = person(AppRole.AUDITOR, id=f"{AUDITOR.id[:-1]}f")

    for own in (DANA, AUDITOR):
        with pytest.raises(NotAllowed, match="does not review it"):
            await close(services, review["id"], own)
    await close(services, review["id"], other)

    assert await reviews(services) == []
    assert (await incident_of(services, review)).reviews == ()


async def test_one_that_is_overdue_is_told(services: FakeServices) -> None:
    await post(services)
    services.outside.wait(8 * DAY_S)
    await remind_reviewers(services, await find_leftovers(services))
    assert kinds(services)[-1] == "review.overdue"


async def test_the_same_hotfix_again_opens_no_second_review(services: FakeServices) -> None:
    for caller in (DANA, DANA, DEPLOYER):
        await post(services, caller)
    services.outside.wait(60)
    await post(services, DEPLOYER, if_frozen="refuse")
    assert len(await reviews(services)) == 1

    await post(services, version="2.1")
    assert len(await reviews(services)) == 2


async def test_two_commanders_at_once_open_one(services: FakeServices) -> None:
    services.outside.turns.once("state.write", lambda: post(services.another("two")))
    await post(services)
    assert len(await reviews(services)) == 1


async def test_a_hotfix_past_a_spent_budget_is_reviewed_too() -> None:
    services = world(BudgetAction.FREEZE)
    await look(services, 0.95)
    await post(services)
    (review,) = await reviews(services)
    assert "error budget" in review["why"]


async def test_what_is_frozen_because_nobody_knows_is_reviewed_too() -> None:
    services = new_services()
    services.outside.catalog = Catalog(
        services=services.catalog.services, calendar=Calendar(known=False)
    )
    await post(services)
    assert len(await reviews(services)) == 1


async def test_where_nobody_set_a_freeze_aside_nothing_is_reviewed(services: FakeServices) -> None:
    await post(services, DEPLOYER)  # shipped already, and marked
    await post(services, DEPLOYER, version="2.1", if_frozen="refuse")
    await post(services, version="2.2", if_frozen="refuse")  # a commander who asked the gate
    await freeze(services, on=False)
    await post(services, version="2.3")

    assert await reviews(services) == []
    assert "incident.opened" not in kinds(services)
