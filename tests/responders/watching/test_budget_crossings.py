"""A crossing is told once and handed on once, whatever stands still or dies meanwhile."""

import pytest

from responders.watching.budget import keep_budgets
from shared.domain.catalog import Catalog, CatalogMistake
from shared.domain.event import EventKind
from shared.domain.slos.slo import BudgetAction
from shared.errors import Unavailable
from shared.protocol.listing import open_incidents
from tests.fakes import Killed, die
from tests.fakes.scene import (
    SERVICE,
    new_services,
    told,
)
from tests.responders.spending import (
    EVERY_S,
    NOTHING,
    crossings,
    look,
    stored,
    world,
)


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


async def test_silent_logs_begin_and_end_nothing() -> None:
    services = world(BudgetAction.FREEZE)
    await look(services, 0.95)
    services.logs.fail("budgets")
    services.outside.wait(EVERY_S)
    await keep_budgets(services, NOTHING)

    assert len(crossings(services)) == 1
    assert stored(services)[0].holding(BudgetAction.FREEZE) != ()


async def test_a_mistake_in_the_file_ends_nothing_before_it_is_mended() -> None:
    services = world(BudgetAction.FREEZE)
    await look(services, 0.95)
    mended = services.outside.catalog
    mistake = CatalogMistake(
        file=SERVICE.file, line=1, field="spec", problem="is wrong", service=SERVICE.name
    )
    services.outside.catalog = Catalog(mistakes=(mistake,))
    await look(services, 0.95)
    assert stored(services)[0].holding(BudgetAction.FREEZE) != ()

    services.outside.catalog = mended
    await look(services, 0.95)
    assert [event.kind for event in crossings(services)] == [EventKind.BUDGET_CROSSED]


async def test_what_is_promised_no_more_ends() -> None:
    services = world(BudgetAction.FREEZE)
    await look(services, 0.95)
    services.outside.catalog = Catalog()
    await look(services, 0.95)

    assert stored(services) == []


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
