"""What error-budget policies ask for: each action follows from a crossing, and ends with it."""

import msgspec
import pytest

from responders.alert.enforce import enforce
from responders.people.freeze import show_freezes
from responders.watching.register import register
from shared.domain.authority.caller import AppRole
from shared.domain.decisions.control import Controls
from shared.domain.decisions.decision import Decision, Verdict
from shared.domain.incidents.incident import Severity, State
from shared.domain.row import Put
from shared.domain.slos.slo import BudgetAction
from shared.domain.views.http import Request
from shared.protocol.listing import open_incidents
from shared.protocol.records import BUDGETS, CONTROLS, read_controls
from tests.fakes import FakeServices
from tests.fakes.callers import app
from tests.fakes.host import FakeHost
from tests.fakes.scene import (
    INCIDENT,
    SERVICE,
    SHARD,
    message,
    new_services,
    store_case,
    told,
)
from tests.responders.spending import (
    RELEASE,
    SLOW,
    look,
    triaged,
    world,
)
from tests.shared.domain.slos.states import asking_for


async def test_a_page_is_an_incident_that_is_a_persons_from_the_beginning() -> None:
    services = world(BudgetAction.PAGE)
    await look(services, 0.95)
    await look(services, 1.1)

    (incident,) = await open_incidents(services)
    assert (incident.state, incident.severity) == (State.ESCALATED, Severity.SEV2)
    assert incident.target == SERVICE.targets[0].id
    await FakeHost(services).run(10)
    assert len(services.pager.sent) == 1


async def test_a_ticket_is_an_incident_that_wakes_nobody_and_ends_with_the_trouble() -> None:
    services = world(BudgetAction.TICKET)
    await look(services, 0.95)

    (incident,) = await triaged(services)
    assert incident.severity is Severity.SEV3
    assert incident.title.endswith("answered: ticket-at-0.9")
    await FakeHost(services).run(10)
    assert services.pager.sent == []
    await look(services, 0.1)
    assert await triaged(services) == []


async def test_a_rollback_takes_the_road_of_an_alert_and_moves_nothing_itself() -> None:
    services = world(BudgetAction.ROLL_BACK)
    await look(services, 0.95)
    await look(services, 0.95)

    subjects = services.bus.subjects("work")
    assert subjects == ["triage"]
    (incident,) = await triaged(services)
    assert (incident.severity, incident.state) == (Severity.SEV2, State.OPENED)
    assert services.bus.subjects("work") == ["triage", "diagnose"]
    assert services.endpoints.writes == []


async def test_an_approval_is_asked_for_as_long_as_the_budget_is_spent() -> None:
    services = world(BudgetAction.APPROVE)

    async def asks() -> bool:
        controls: Controls = await read_controls(services)
        return bool(controls.crossed(BudgetAction.APPROVE, SERVICE.name))

    assert not await asks()
    await look(services, 0.95)
    assert await asks()
    await look(services, 0.1)
    assert not await asks()


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        (BudgetAction.APPROVE, Verdict.NEEDS_APPROVAL),
        (BudgetAction.FREEZE, Verdict.ROLL_BACK),
        (BudgetAction.TICKET, Verdict.ROLL_BACK),
    ],
)
async def test_only_a_budget_that_asks_for_approval_holds_a_rollback_back(
    action: BudgetAction, verdict: Verdict
) -> None:
    services = new_services()
    await store_case(services)
    put = Put(row=f"{BUDGETS}|{SERVICE.name}|answered", value=asking_for(action, SERVICE.name))
    await services.state.write(CONTROLS, [put])
    await enforce(services, message("enforce"))

    decision = services.state.peek(SHARD, f"decision|{INCIDENT.id}", Decision)
    assert decision.verdict is verdict
    if verdict is Verdict.NEEDS_APPROVAL:
        assert decision.failed_rule == "budget-lets"
        assert "95 % of the error budget of answered" in decision.reason


async def test_a_spent_budget_freezes_promotions_until_it_is_back() -> None:
    services = world(BudgetAction.FREEZE)
    await look(services, 0.95)

    cited = await promote(services, "2.0")
    assert cited == (
        "change freeze 'error budget' for fnol-summary until enough of the budget is back:"
        " 95 % of the error budget of answered (99 % over 30 days) is spent"
    )
    shown = msgspec.json.decode((await show_freezes(services, Request())).body)
    assert [(one["service"], one["slo"]) for one in shown["promotions"]] == [
        (SERVICE.name, "answered")
    ]
    assert shown["in_force"] == [], "rollbacks are the cure and stay free"

    await look(services, 0.1)
    assert await promote(services, "2.1") == ""


async def promote(services: FakeServices, version: str) -> str:
    """Register a release, and answer the freeze that it cites."""
    body = msgspec.json.encode({**RELEASE, "version": version})
    answer = await register(services, Request(body=body, caller=app(AppRole.DEPLOYER)))
    return str(msgspec.json.decode(answer.body)["freeze"])


async def test_a_slow_burn_opens_an_incident_by_the_timer_and_ends_it() -> None:
    services = world(alerts=(SLOW,))
    await look(services, 0.1, burn=0.9)
    assert await triaged(services) == []

    await look(services, 0.1, burn=1.5)
    (incident,) = await triaged(services)
    assert incident.severity is Severity.SEV3
    assert "answered burns 1.5 times as fast as allowed over 6h and 3d" in told(services)[-1].what

    await look(services, 0.1, burn=0.5)
    assert await triaged(services) == [], "it ended as alerts end"
