"""Error-budget policies: what is crossed is told once, handed on once, and ends again."""

import msgspec
import pytest

from responders.budget import keep_budgets
from responders.enforce import enforce
from responders.freeze import show_freezes
from responders.register import register
from responders.triage import triage
from shared.domain.authority.caller import AppRole
from shared.domain.decisions.control import Controls
from shared.domain.decisions.decision import Decision, Verdict
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.row import Put
from shared.domain.slos.crossing import BudgetState
from shared.domain.slos.folding import BUDGET
from shared.domain.slos.slo import WINDOWS, AlertAction, BudgetAction, BudgetStep, BurnAlert, Slo
from shared.domain.views.http import Request
from shared.errors import Unavailable
from shared.protocol.leftovers import Leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.records import BUDGETS, CONTROLS, read_controls
from tests.fakes import FakeServices, Killed, catalog_of, die
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
from tests.shared.domain.slos.states import asking_for

NOTHING = Leftovers(messages={}, effects=[], intents=[])
EVERY_S = 300.0
SLO = Slo(name="answered", sli="availability", objective=0.99, alerts=())
SLOW = BurnAlert(
    burn_rate=1.0,
    short_window="6h",
    long_window="3d",
    action=AlertAction.TICKET,
    minimum_requests=1,
)
RELEASE = {"service": SERVICE.name, "version": "2.0", "deployment": "v2", "why": "as planned"}


def world(*actions: BudgetAction, alerts: tuple[BurnAlert, ...] = ()) -> FakeServices:
    """A service whose policy asks for this once nine tenths of its budget are spent."""
    services = new_services(budget_every_s=EVERY_S)
    policy = tuple(BudgetStep(spent=0.9, action=one) for one in actions)
    slo = msgspec.structs.replace(SLO, budget_policy=policy, alerts=alerts)
    services.outside.catalog = catalog_of(msgspec.structs.replace(SERVICE, slos=(slo,)))
    return services


async def look(services: FakeServices, spent: float, burn: float = 0.0) -> None:
    """The logs tell of so much that is spent, and of so fast a burn; it is time to look."""
    row: dict[str, object] = {"Service": SERVICE.name, "Slo": "answered", "Sli": "availability"}
    row |= {"Dimension": "", "Value": ""}
    for window in WINDOWS:
        row |= {f"T{window}": 100_000, f"B{window}": round(1_000 * burn)}
    row |= {f"T{BUDGET}": 100_000, f"B{BUDGET}": round(1_000 * spent)}
    services.logs.answer("budgets", [row])
    services.outside.wait(EVERY_S)
    await keep_budgets(services, NOTHING)


def crossings(services: FakeServices) -> list[ChangeEvent]:
    kinds = (EventKind.BUDGET_CROSSED, EventKind.BUDGET_RECOVERED)
    return [event for event in told(services) if event.kind in kinds]


async def triaged(services: FakeServices) -> list[Incident]:
    """The open incidents once triage has taken what was handed to it."""
    for one in services.bus.published["work"]:
        if one.subject == "triage":
            await triage(services, message("triage", one.body))
    return await open_incidents(services)


def stored(services: FakeServices) -> list[BudgetState]:
    rows = services.state.rows(CONTROLS, "budget|")
    return [services.state.peek(CONTROLS, row, BudgetState) for row in rows]


@pytest.mark.parametrize("action", list(BudgetAction))
async def test_a_crossing_is_told_once_with_what_was_counted(action: BudgetAction) -> None:
    services = world(action)
    for spent in (0.5, 0.95, 1.2, 0.95):
        await look(services, spent)
    await look(services.another("two"), 1.0)

    (event,) = crossings(services)
    assert event.kind is EventKind.BUDGET_CROSSED
    assert event.why == "95 % of the error budget of answered (99 % over 30 days) is spent"
    assert event.evidence["total"] == 100_000
    assert event.evidence["bad"] == 950
    assert event.service == SERVICE.name


@pytest.mark.parametrize("action", list(BudgetAction))
async def test_what_came_back_is_told_and_forgotten(action: BudgetAction) -> None:
    services = world(action)
    for spent in (0.95, 0.86, 0.5, 0.5):
        await look(services, spent)

    assert [event.kind for event in crossings(services)] == [
        EventKind.BUDGET_CROSSED,
        EventKind.BUDGET_RECOVERED,
    ]
    assert stored(services) == []


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


async def test_silent_logs_begin_and_end_nothing() -> None:
    services = world(BudgetAction.FREEZE)
    await look(services, 0.95)
    services.logs.fail("budgets")
    services.outside.wait(EVERY_S)
    await keep_budgets(services, NOTHING)

    assert len(crossings(services)) == 1
    assert stored(services)[0].holding(BudgetAction.FREEZE) != ()


async def test_it_asks_the_logs_once_a_while_and_not_at_every_tick() -> None:
    services = world(BudgetAction.FREEZE)
    await look(services, 0.1)
    for _ in range(5):
        await keep_budgets(services, NOTHING)
    assert len(services.logs.asked) == 1

    services.outside.wait(EVERY_S)
    await keep_budgets(services, NOTHING)
    assert len(services.logs.asked) == 2


async def test_a_setting_of_zero_keeps_no_budget() -> None:
    services = new_services(budget_every_s=0.0)
    await keep_budgets(services, NOTHING)
    assert services.logs.asked == []


async def test_tables_that_are_out_keep_the_crossing_for_the_next_look() -> None:
    services = world(BudgetAction.FREEZE)
    services.outside.tables_out(out=True)
    with pytest.raises(Unavailable):
        await look(services, 0.95)
    services.outside.tables_out(out=False)
    await look(services, 0.95)

    assert len(crossings(services)) == 1


@pytest.mark.parametrize("action", [BudgetAction.PAGE, BudgetAction.TICKET, BudgetAction.FREEZE])
@pytest.mark.parametrize("spent", [(0.95,), (0.95, 0.1)])
async def test_a_worker_that_dies_anywhere_leaves_one_crossing_and_one_effect(
    action: BudgetAction, spent: tuple[float, ...]
) -> None:
    *before, last = spent
    turns = await _turns(action, before, last)
    for number in range(1, turns + 1):
        services = world(action)
        for one in before:
            await look(services, one)
        services.outside.turns.at(number, die)
        with pytest.raises(Killed):
            await look(services, last)
        services.outside.turns.forget()
        for _ in range(2):
            await look(services.another("two"), last)

        kinds = [event.kind for event in told(services)]
        assert kinds.count(EventKind.BUDGET_CROSSED) <= 1
        assert len(services.deliveries.everything()) == (len(spent) if action == "ticket" else 0)
        assert len(await open_incidents(services)) == (action == "page")
        assert len(stored(services)) == (last > 0.5)


async def _turns(action: BudgetAction, before: list[float], last: float) -> int:
    """How many calls to the outside one look takes."""
    services = world(action)
    for one in before:
        await look(services, one)
    passed = len(services.outside.turns.passed)
    await look(services, last)
    return len(services.outside.turns.passed) - passed
