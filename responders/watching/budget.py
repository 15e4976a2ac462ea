"""Budget: what follows from spent error budgets, and from burns that are too slow for alert rules.

The responder's tick runs it every BACKSTOP_BUDGET_EVERY_S, with one question to the logs for all
services. What is crossed is stored with the event that tells of it; only then is it handed on, and
again by the next tick where a worker died between. Nothing is moved from here: a rollback takes the
road of an alert, and policy decides.
"""

import logging

import msgspec

from shared.domain.catalog import Service
from shared.domain.keys import shard_of
from shared.domain.row import MUST_NOT_EXIST, Put, Remove, Stored, Write
from shared.domain.slos.balance import Balance, Balances
from shared.domain.slos.consequence import alert_of, changes_of, opening_of
from shared.domain.slos.crossing import BudgetState, Crossed, cross, handed_on
from shared.errors import Conflict, Unavailable
from shared.protocol.budgets import balances_now
from shared.protocol.commit import commit, incident_row
from shared.protocol.intake import BUDGET, accept
from shared.protocol.leftovers import Leftovers
from shared.protocol.listing import point_to
from shared.protocol.records import BUDGETS, CONTROLS
from shared.services import Services

log = logging.getLogger("backstop.budget")


async def keep_budgets(services: Services, _: Leftovers) -> None:
    """Hold every objective to its error-budget policy, when it is time again.

    Raises Unavailable where the states cannot be read; a part that is out later is tried again.
    """
    turns, now, every_s = services.memory.turns, services.now(), services.settings.budget_every_s
    if not every_s or not turns.is_due("keep_budgets", every_s, now):
        return
    turns.take("keep_budgets", now)
    rows = await services.state.scan(CONTROLS, f"{BUDGETS}|", BudgetState)
    stored = {(row.value.service, row.value.slo): row for row in rows}
    balances = await balances_now(services)
    for key in dict.fromkeys((*stored, *balances)):
        if services.catalog.broken(key[0]):  # what it promises is not known until it is mended
            continue
        try:
            await _keep(services, stored.get(key) or _first(*key), balances)
        except Conflict:  # another process is at it
            continue
        except Unavailable as error:
            log.warning("%s: its budget waits: %s", key[1], error)


def _first(service: str, slo: str) -> Stored[BudgetState]:
    """What nothing was stored of yet."""
    state = BudgetState(service=service, slo=slo)
    return Stored(row=f"{BUDGETS}|{service}|{slo}", value=state, etag=MUST_NOT_EXIST)


async def _keep(services: Services, was: Stored[BudgetState], balances: Balances) -> None:
    """Store what was crossed and left, then hand it on."""
    balance = balances.get((was.value.service, was.value.slo))
    state = services.redactor.struct(cross(was.value, balance, services.now()))
    if state != was.value:
        was = await _store(services, was, state, balance)
    if state.settled:
        return
    for crossed in state.crossed:
        if not crossed.done or not crossed.holds:
            await _hand_on(services, was.value, crossed)
            state = handed_on(state, crossed.name)
    await services.state.write(CONTROLS, [_write(was, state)])


async def _store(
    services: Services, was: Stored[BudgetState], state: BudgetState, balance: Balance | None
) -> Stored[BudgetState]:
    """Raises Conflict where somebody else was first: they tell of it."""
    events = changes_of(was.value, state, balance, services.now())
    put = Put(row=was.row, value=state, etag=was.etag)
    await commit(services, CONTROLS, [put], events=events)
    found = await services.state.read(CONTROLS, was.row, BudgetState)
    if found is None or found.value != state:
        raise Conflict("another process keeps this budget")
    return found


def _write(was: Stored[BudgetState], state: BudgetState) -> Write:
    """Of an objective that has crossed nothing, nothing is kept."""
    if not state.crossed:
        return Remove(row=was.row, etag=was.etag)
    return Put(row=was.row, value=state, etag=was.etag)


async def _hand_on(services: Services, state: BudgetState, crossed: Crossed) -> None:
    """What follows from a crossing and its end; done again it is the same alert and incident."""
    service = services.catalog.services.get(state.service)
    if service is None:  # its file is gone: there is nobody to tell
        return
    if crossed.ended_at is not None and not crossed.done:
        begun = msgspec.structs.replace(crossed, ended_at=None)
        await _hand_on(services, state, begun)
    alert = alert_of(state, crossed, service)
    if alert is not None:
        await accept(services, alert, source=BUDGET)
    await _open(services, service, state, crossed)


async def _open(services: Services, service: Service, state: BudgetState, crossed: Crossed) -> None:
    """Open the incident that pages; where it is open already, that is it."""
    shard = shard_of(service.name)
    step = opening_of(state, crossed, service, shard, services.now())
    if step is None or step.incident is None:
        return
    row = incident_row(step.incident.id)
    if await services.state.read(shard, row, type(step.incident)) is not None:
        return
    await point_to(services, step.incident)
    put = Put(row=row, value=step.incident, etag=MUST_NOT_EXIST)
    await commit(services, shard, [put], events=step.events)
