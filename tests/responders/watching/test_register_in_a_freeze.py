"""A pipeline's gate: whoever asks to be refused in a freeze is, and only a commander lets it by."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from responders.people.freeze import set_freeze
from responders.watching.register import register
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.catalog import Catalog
from shared.domain.event import EventKind
from shared.domain.freezes.freeze import Calendar, FreezeWindow
from shared.domain.ledger.completeness import complete
from shared.domain.slos.slo import BudgetAction
from shared.domain.views.http import PROBLEM, Request
from shared.domain.windows import Once
from shared.errors import RejectedInput, Unavailable
from shared.protocol.records import read_releases
from tests.fakes import FakeServices
from tests.fakes.callers import PIPELINE, app, person
from tests.fakes.scene import NOW, SERVICE, kinds, new_services, told
from tests.responders.spending import look, world

HOUR = timedelta(hours=1)
RELEASE = {"service": SERVICE.name, "version": "2.0", "deployment": "v2", "why": "as planned"}
DEPLOYER = app(AppRole.DEPLOYER)
DANA = person(AppRole.COMMANDER)
TOGGLE = "change freeze 'set by a commander' for all services until 15:05 UTC"
YEAR_END = FreezeWindow(
    name="Year end",
    scope="*",
    window=Once(start=NOW - HOUR, end=NOW + HOUR, reason="accounts"),
    zone="Europe/Amsterdam",
)


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def gate(
    services: FakeServices, caller: Caller = DEPLOYER, **changes: Any
) -> tuple[int, dict[str, Any]]:
    """Ask as a pipeline does before it shifts traffic: the status and what is answered."""
    asked = {**RELEASE, "if_frozen": "refuse"} | changes
    answer = await register(services, Request(body=msgspec.json.encode(asked), caller=caller))
    assert (answer.content_type == PROBLEM) is (answer.status == 409)
    return answer.status, msgspec.json.decode(answer.body)


async def freeze(services: FakeServices, *, on: bool = True) -> None:
    asked = {"scope": "*", "on": on, "reason": "the ledger moves", "minutes": 60}
    await set_freeze(services, Request(body=msgspec.json.encode(asked), caller=DANA))


def calendar(services: FakeServices, *windows: FreezeWindow, known: bool = True) -> None:
    services.outside.catalog = Catalog(
        services=services.catalog.services,
        calendar=Calendar(windows=windows, zone="Europe/Amsterdam", known=known),
    )


async def registered(services: FakeServices) -> list[str]:
    return [one.version for one in await read_releases(services, SERVICE)]


async def test_without_a_freeze_the_gate_registers_and_lets_pass(services: FakeServices) -> None:
    status, answer = await gate(services)
    assert status == 201
    assert "warning" not in answer
    assert "if_frozen" not in answer, "what was asked of the gate is no part of the release"
    assert (await gate(services))[0] == 200
    assert (await gate(services, if_frozen="warn"))[0] == 200


async def test_a_commanders_freeze_refuses_and_names_who_until_when_and_what_to_do(
    services: FakeServices,
) -> None:
    await freeze(services)
    status, problem = await gate(services)

    assert status == 409
    assert problem["type"] == "urn:backstop:problem:promotions-frozen"
    assert "No promotion now: change freeze 'set by a commander'" in problem["detail"]
    assert f"set by {DANA.id}" in problem["detail"]
    assert "Nothing was registered" in problem["detail"]
    assert "a commander registers" in problem["detail"]
    assert problem["freeze"] == {
        "name": "set by a commander",
        "scope": "*",
        "reason": "the ledger moves",
        "by": DANA.id,
        "until": "2026-11-23T15:05:00Z",
    }
    assert await registered(services) == []


async def test_the_calendar_refuses_until_its_window_ends(services: FakeServices) -> None:
    calendar(services, YEAR_END)
    status, problem = await gate(services)
    assert status == 409
    assert problem["freeze"]["name"] == "Year end"
    assert problem["freeze"]["until"] == "2026-11-23T15:05:00Z"

    services.outside.wait(HOUR.total_seconds())
    assert (await gate(services))[0] == 201


async def test_a_spent_budget_refuses_and_names_the_objective_until_it_is_back() -> None:
    services = world(BudgetAction.FREEZE)
    await look(services, 0.95)
    status, problem = await gate(services)
    assert status == 409
    assert problem["freeze"]["name"] == "error budget"
    assert "95 % of the error budget of answered" in problem["detail"]

    await look(services, 0.1)
    assert (await gate(services))[0] == 201


async def test_another_services_freeze_refuses_nothing(services: FakeServices) -> None:
    calendar(services, msgspec.structs.replace(YEAR_END, scope="another"))
    assert (await gate(services))[0] == 201


async def test_a_calendar_that_cannot_be_read_refuses(services: FakeServices) -> None:
    calendar(services, known=False)
    status, problem = await gate(services)
    assert status == 409
    assert "the firm's calendar cannot be read, so all counts as frozen" in problem["detail"]
    assert await registered(services) == []


async def test_freezes_that_cannot_be_read_let_nothing_pass(services: FakeServices) -> None:
    async def out() -> None:
        raise Unavailable("tables", "no answer")

    services.outside.turns.once("state.scan", out)
    with pytest.raises(Unavailable, match="freezes cannot be read"):
        await gate(services)
    assert await registered(services) == []
    assert told(services) == []


async def test_who_is_refused_by_which_freeze_is_told_once(services: FakeServices) -> None:
    await freeze(services)
    for _ in range(2):
        await gate(services)
        services.outside.wait(60)

    assert kinds(services) == ["freeze.changed", "promotion.refused"]
    event = told(services)[-1]
    assert event.kind is EventKind.PROMOTION_REFUSED
    assert (event.actor, event.role) == (PIPELINE, "Deployer")
    assert event.service == SERVICE.name
    assert event.what == "was refused the promotion of release 2.0 on deployment v2"
    assert event.why == f"No promotion now: {TOGGLE}: the ledger moves"
    assert event.evidence["set_by"] == DANA.id
    assert event.evidence["asked"]["why"] == "as planned"
    assert complete(event) == ()


async def test_another_version_and_another_freeze_are_told_of_again(services: FakeServices) -> None:
    await freeze(services)
    await gate(services)
    await gate(services, version="2.1")
    services.outside.wait(2 * HOUR.total_seconds())
    await freeze(services)
    await gate(services)

    assert kinds(services).count("promotion.refused") == 3


async def test_two_gates_at_once_are_both_refused_and_told_of_once(services: FakeServices) -> None:
    await freeze(services)
    services.outside.turns.once("state.write", lambda: gate(services.another("two")))

    assert (await gate(services))[0] == 409
    assert kinds(services).count("promotion.refused") == 1


async def test_a_refusal_that_cannot_be_kept_lets_nothing_pass(services: FakeServices) -> None:
    async def out() -> None:
        raise Unavailable("tables", "no answer")

    await freeze(services)
    services.outside.turns.once("state.write", out)
    with pytest.raises(Unavailable):
        await gate(services)
    assert await registered(services) == []


async def test_a_release_that_was_registered_before_the_freeze_may_not_go_on_in_it(
    services: FakeServices,
) -> None:
    assert (await gate(services))[0] == 201
    services.outside.wait(60)
    await freeze(services)

    assert (await gate(services))[0] == 409
    assert await registered(services) == ["2.0"], "what is known stays known"


async def test_a_pipelines_own_registration_after_the_fact_opens_no_gate(
    services: FakeServices,
) -> None:
    await freeze(services)
    assert (await gate(services, if_frozen="warn"))[0] == 201
    assert (await gate(services))[0] == 409


async def test_a_hotfix_passes_once_a_commander_has_registered_it_in_the_freeze(
    services: FakeServices,
) -> None:
    await freeze(services)
    assert (await gate(services))[0] == 409
    assert (await gate(services, DANA, if_frozen="warn"))[0] == 201
    assert (await gate(services, version="2.1"))[0] == 409

    status, answer = await gate(services)
    assert status == 200
    assert "registered during the change freeze" in answer["warning"]
    event = next(one for one in told(services) if one.kind is EventKind.RELEASE_REGISTERED)
    assert (event.actor, event.role) == (DANA.id, "Commander")
    assert TOGGLE in event.evidence["change_freeze"]


async def test_a_commanders_word_holds_for_the_freeze_in_which_it_was_given(
    services: FakeServices,
) -> None:
    await freeze(services)
    assert (await gate(services, DANA, if_frozen="warn"))[0] == 201
    services.outside.wait(2 * HOUR.total_seconds())
    await freeze(services)
    assert (await gate(services))[0] == 409


async def test_what_a_commander_registered_before_nobody_knows_what_is_frozen_is_no_word(
    services: FakeServices,
) -> None:
    assert (await gate(services, DANA))[0] == 201
    calendar(services, known=False)
    assert (await gate(services))[0] == 409
    assert (await gate(services, DANA, version="2.1", if_frozen="warn"))[0] == 201
    assert (await gate(services, version="2.1"))[0] == 200


async def test_a_commander_who_asks_the_gate_is_refused_as_anybody(services: FakeServices) -> None:
    await freeze(services)
    assert (await gate(services, DANA))[0] == 409


@pytest.mark.parametrize("value", ["stop", "", None, True])
async def test_another_word_for_the_gate_is_rejected(services: FakeServices, value: Any) -> None:
    with pytest.raises(RejectedInput, match="if_frozen"):
        await gate(services, if_frozen=value)
