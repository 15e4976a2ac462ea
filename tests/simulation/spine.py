"""One run of the whole spine, alert to card, under the faults that its seed asks for."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import msgspec

from shared.domain.incident import Incident
from shared.errors import Unavailable
from shared.protocol.intake import accept
from tests.fakes.endpoints import Write
from tests.fakes.services import Outside
from tests.simulation import scenario
from tests.simulation.invariants import Broken, check_rest, check_safety, stored
from tests.simulation.loop import VirtualLoop
from tests.simulation.scheduler import Scheduler
from tests.simulation.world import World

LONGEST_S = 3_600.0  # of simulated time; a run that is not at rest by then never will be
REBORN_AFTER_S = 15.0
LONGEST_OUTAGE_S = 60.0  # an action group gives up after 75 s; what comes later is the sweep's
ALERTS = ((1, 0.0), (1, 3.0), (2, 9.0))  # (rule, second): one comes twice, another joins late
FATES = (Write.ACCEPTED, Write.ACCEPTED, Write.UNHEARD, Write.LOST, Write.IGNORED)


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong in a run. Kills are turn numbers; outages are (part, from, until) seconds."""

    kills: tuple[int, ...] = ()
    fates: tuple[Write, ...] = ()
    outages: tuple[tuple[str, float, float], ...] = ()
    lost_answers: int = 0
    foreign_deploy_s: float | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. `broken` is empty where every invariant held."""

    seed: int
    faults: Faults
    broken: str
    state: str
    turns: int
    seconds: float
    trace: list[tuple[float, str, str]]


def chosen_faults(seed: int) -> Faults:
    """Faults by a seed: most runs have a few, some have none."""
    chance = Random(f"faults {seed}")  # noqa: S311 - the same seed must give the same faults
    parts = ("tables", "bus", "teams", "pager", "logs", "endpoint")
    outages = []
    for _ in range(chance.choice((0, 0, 1, 2))):
        start = chance.choice((0.0, chance.uniform(0, 15), chance.uniform(0, 60)))
        outages.append((chance.choice(parts), start, start + chance.uniform(1, LONGEST_OUTAGE_S)))
    return Faults(
        kills=tuple(sorted(chance.sample(range(1, 400), chance.choice((0, 0, 1, 2, 3))))),
        fates=tuple(chance.choice(FATES) for _ in range(3)),
        outages=tuple(outages),
        lost_answers=chance.choice((0, 0, 0, 1)),
        foreign_deploy_s=chance.choice((None, None, None, chance.uniform(1, 120))),
    )


def play(seed: int, faults: Faults | None = None) -> Run:
    """Play one run; the same seed and faults give the same run."""
    scheduler = Scheduler(seed)
    wanted = chosen_faults(seed) if faults is None else faults
    loop = VirtualLoop(scheduler.idle)
    scheduler.now = loop.time
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_play(seed, scheduler, wanted))
    finally:
        scheduler.silence()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        asyncio.set_event_loop(None)
        loop.close()


async def _play(seed: int, scheduler: Scheduler, faults: Faults) -> Run:
    outside = scenario.new_outside(scheduler)
    world = World(outside, scheduler, scenario.KEYS)
    services = world.services("outside")
    broken = ""
    try:
        scheduler.paused = True  # the scene is set without anybody watching
        await scenario.store_scene(services)
        scheduler.paused = False
        scheduler.after_turn = lambda: check_safety(outside)
        scheduler.kill_at = set(faults.kills)
        outside.endpoints.fates.extend(faults.fates)
        outside.state.lost_answers = faults.lost_answers
        for role in ("responder", "responder", "executor", "executor"):
            world.start(role)
        for act in _actors(world, faults):
            world.spawn_outside(act)
        await _until_rest(world)
        world.check_nobody_failed()
        await check_rest(services)
    except Broken as error:
        broken = str(error)
    incidents = stored(outside.state, scenario.SHARD, "incident|", Incident)
    return Run(
        seed=seed,
        faults=faults,
        broken=broken or scheduler.broken,
        state=incidents[0].state.value if incidents else "none",
        turns=len(scheduler.passed),
        seconds=asyncio.get_running_loop().time(),
        trace=scheduler.trace,
    )


def _actors(world: World, faults: Faults) -> list[Awaitable[None]]:
    acts: list[Awaitable[None]] = [_rebirths(world)]
    acts += [_post(world, number, at) for number, at in ALERTS]
    acts += [_outage(world.outside, *outage) for outage in faults.outages]
    if faults.foreign_deploy_s is not None:
        acts.append(_foreign_deploy(world.outside, faults.foreign_deploy_s))
    return acts


async def _post(world: World, number: int, after_s: float) -> None:
    """Azure Monitor posts an alert, again after 503 as it does."""
    await asyncio.sleep(after_s)
    services = world.services("outside")
    for wait in (5, 20, 5, 40, 5, 0):
        try:
            await accept(services, scenario.alert(number))
        except Unavailable:
            await asyncio.sleep(wait)
        else:
            return
    raise Broken("the outage outlasted every retry of the action group")


async def _rebirths(world: World) -> None:
    """The platform starts a worker again a while after its death."""
    known: set[str] = set()
    while True:
        await asyncio.sleep(REBORN_AFTER_S)
        for name in sorted(world.scheduler.dead - known):
            known.add(name)
            world.start(name.partition("-")[0])


async def _outage(outside: Outside, part: str, start: float, end: float) -> None:
    await asyncio.sleep(start)
    _set_out(outside, part, out=True)
    await asyncio.sleep(end - start)
    _set_out(outside, part, out=False)


def _set_out(outside: Outside, part: str, *, out: bool) -> None:
    trouble = Unavailable(part, "out") if out else None
    switches: dict[str, Callable[[], None]] = {
        "tables": lambda: outside.tables_out(out),
        "bus": lambda: setattr(outside.bus, "out", out),
        "teams": lambda: setattr(outside.teams, "trouble", trouble),
        "pager": lambda: setattr(outside.pager, "trouble", trouble),
        "logs": lambda: setattr(outside.logs, "out", out),
        "endpoint": lambda: setattr(outside.endpoints, "out", out),
    }
    switches[part]()


async def _foreign_deploy(outside: Outside, after_s: float) -> None:
    """A pipeline writes to the endpoint and leaves the traffic as it is."""
    await asyncio.sleep(after_s)
    outside.endpoints.start_operation(2)
    outside.endpoints.change()


async def _until_rest(world: World) -> None:
    """Wait until nothing is to be done any more; a while longer, so that every tick has run."""
    quiet = 0
    while quiet < 3 and asyncio.get_running_loop().time() < LONGEST_S:
        await asyncio.sleep(25.0)
        quiet = quiet + 1 if world.is_at_rest() else 0
