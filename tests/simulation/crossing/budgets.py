"""The scenes of error budgets: a line is crossed once, told of once and handed on once.

So it is with its end. The looks of later ticks find what holds already, and add nothing.
"""

from functools import partial

import pytest

from responders.watching.budget import keep_budgets
from shared.domain.event import EventKind
from shared.domain.incidents.incident import State
from shared.domain.slos.crossing import Crossed
from shared.domain.slos.slo import BudgetAction
from shared.protocol.listing import open_incidents
from shared.protocol.records import read_controls
from tests.fakes import FakeServices, Killed, die
from tests.fakes.scene import SERVICE
from tests.responders.spending import EVERY_S, NOTHING, SLOW, promise, spend, stored, triaged
from tests.simulation.crossing.jobs import Do, Job, recorded

HANDED_ON = ("deliveries.write", "index.write")  # by what an alert goes on, and an incident


async def _keep(services: FakeServices) -> None:
    await keep_budgets(services, NOTHING)


def spent(action: BudgetAction) -> Do:
    """Nine tenths and more are spent of a budget whose policy asks for this then."""

    async def prepare(services: FakeServices) -> None:
        promise(services, action)
        spend(services, 0.95)

    prepare.__name__ = f"{action.value} asked for"
    return prepare


async def burning_slowly(services: FakeServices) -> None:
    """It burns so slowly that no alert rule looks back far enough."""
    promise(services, alerts=(SLOW,))
    spend(services, 0.1, burn=1.5)


def back(before: Do) -> Do:
    """What was crossed before is left: the budget is back."""

    async def prepare(services: FakeServices) -> None:
        await before(services)
        await _keep(services.another("before"))
        _come_back(services)

    prepare.__name__ = f"{before.__name__}, and back"
    return prepare


def back_at_once(before: Do) -> Do:
    """The budget is back, and who saw it spent died before anything followed from that."""

    async def prepare(services: FakeServices) -> None:
        await before(services)
        for call in HANDED_ON:
            services.outside.turns.once(call, die)
        with pytest.raises(Killed):
            await _keep(services.another("before"))
        services.outside.turns.forget()
        _come_back(services)

    prepare.__name__ = f"{before.__name__}, back and never handed on"
    return prepare


def _come_back(services: FakeServices) -> None:
    spend(services, 0.1, burn=0.1)
    services.outside.wait(EVERY_S)


async def _crossed_once(services: FakeServices) -> Crossed:
    """One line, handed on, and one record that tells of it."""
    (state,) = stored(services)
    (crossed,) = state.crossed
    assert crossed.done
    assert crossed.holds
    await _told_of(services, crossings=1, ends=0)
    return crossed


async def _left_once(services: FakeServices) -> None:
    """Nothing is kept of it but the records."""
    assert stored(services) == []
    await _told_of(services, crossings=1, ends=1)


async def _told_of(services: FakeServices, *, crossings: int, ends: int) -> None:
    kinds = await recorded(services)
    assert kinds[EventKind.BUDGET_CROSSED] == crossings
    assert kinds[EventKind.BUDGET_RECOVERED] == ends


async def _paged(services: FakeServices) -> None:
    """One incident, a person's from the beginning."""
    await _crossed_once(services)
    (incident,) = await open_incidents(services)
    assert incident.state is State.ESCALATED
    assert (await recorded(services))[EventKind.INCIDENT_OPENED] == 1


async def _paged_all_the_same(services: FakeServices) -> None:
    """The budget is back, and the person still has it."""
    await _left_once(services)
    assert len(await open_incidents(services)) == 1


async def _one_incident(services: FakeServices) -> None:
    """One alert, and what triage makes of it."""
    await _crossed_once(services)
    assert _deliveries(services) == 1
    assert len(await triaged(services)) == 1


async def _ended(services: FakeServices) -> None:
    """One alert and its end."""
    await _left_once(services)
    assert _deliveries(services) == 2
    assert await triaged(services) == []


async def _asks(action: BudgetAction, services: FakeServices) -> None:
    """It holds as long as it is stored, and nobody is woken for it."""
    assert (await _crossed_once(services)).action is action
    assert len((await read_controls(services)).crossed(action, SERVICE.name)) == 1
    assert _deliveries(services) == 0
    assert await open_incidents(services) == []


async def _asks_no_more(action: BudgetAction, services: FakeServices) -> None:
    await _left_once(services)
    assert not (await read_controls(services)).crossed(action, SERVICE.name)


def _deliveries(services: FakeServices) -> int:
    table = services.outside.deliveries
    return sum(len(table.rows(part)) for part in table.partitions())


def _scene(prepare: Do, holds: Do) -> Job:
    return Job(name="keep_budgets", prepare=prepare, run=_keep, holds=holds, at_its_time=True)


def _scenes() -> tuple[Job, ...]:
    page = spent(BudgetAction.PAGE)
    alerts = (spent(BudgetAction.TICKET), spent(BudgetAction.ROLL_BACK), burning_slowly)
    quiet = (BudgetAction.APPROVE, BudgetAction.FREEZE)
    return (
        _scene(page, _paged),
        _scene(back(page), _paged_all_the_same),
        *(_scene(one, _one_incident) for one in alerts),
        *(_scene(back(one), _ended) for one in alerts),
        _scene(back_at_once(alerts[0]), _ended),
        *(_scene(spent(one), partial(_asks, one)) for one in quiet),
        *(_scene(back(spent(one)), partial(_asks_no_more, one)) for one in quiet),
    )


JOBS = _scenes()
