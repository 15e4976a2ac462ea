"""What the workers do: a command that comes again until it is done, and the tick's reconcile.

The product's own act, resume and reconcile; around them only what bus and host do.
"""

import asyncio

from responders.repair.reconcile import end_intent
from shared.domain.decisions.decision import Plan
from shared.domain.incidents.incident import State
from shared.errors import Conflict, Unavailable
from shared.protocol.acting.act import act, resume
from shared.protocol.commit import read_incident
from shared.protocol.leftovers import OpenIntent
from tests.fakes.scene import SERVICE, SHARD
from tests.simulation.writing.parts import StageServices
from tests.simulation.writing.scene import is_over

TICK_S = 20.0
REBORN_AFTER_S = 15.0


async def carry_out(services: StageServices, plan: Plan) -> None:
    """The command `enforce` after its decision, delivered again as `settle` would have it."""
    while True:
        try:
            incident = (await read_incident(services, plan.incident)).value
            if incident.state is State.ACTING:
                await resume(services, SERVICE, incident.plan)
            elif incident.state is State.DIAGNOSED:
                await act(services, SERVICE, plan)
            else:
                return
        except Conflict:
            await asyncio.sleep(1.0)
        except Unavailable as error:
            await asyncio.sleep(max(1.0, error.retry_after_s))


async def tick(services: StageServices, plans: int) -> None:
    """Reconcile on every tick, until nothing is left to be done."""
    while not is_over(services.outside, plans):
        await asyncio.sleep(TICK_S)
        try:
            rows = await services.state.scan(SHARD, "~intent|", OpenIntent)
        except Unavailable:
            continue
        for row in rows:
            await end_intent(services, row.value)


async def reborn(services: StageServices, plan: Plan) -> None:
    """What the platform starts in place of a dead worker: the command is delivered again."""
    await asyncio.sleep(REBORN_AFTER_S)
    await carry_out(services, plan)
