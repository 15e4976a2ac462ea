"""One run of the whole spine, alert to card, under the faults that its seed asks for."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import msgspec

from shared.domain.incidents.incident import Incident
from tests.simulation import scenario
from tests.simulation.faults import Faults, chosen_faults, chosen_scene
from tests.simulation.invariants import Broken, Rest, check_rest, stored
from tests.simulation.loop import VirtualLoop
from tests.simulation.outsiders import Outsiders
from tests.simulation.referee import LogReader, Referee
from tests.simulation.scene import BAD_RELEASE, Scene
from tests.simulation.scheduler import Scheduler, Turn

__all__ = ["Faults", "Run", "play"]

LONGEST_S = 3_600.0  # of simulated time; a run that is not at rest by then never will be
LOOK_S = 5.0
QUIET_S = 30.0  # since somebody was busy last: longer than a tick, so that every one has run
ROLES = ("responder", "responder", "executor", "executor")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. `broken` is empty where every promise was kept.

    `choices` are the scheduler's, turn by turn: with them the same schedule is played again.
    """

    seed: int
    scene: Scene
    faults: Faults
    broken: str
    state: str
    turns: int
    seconds: float
    trace: list[Turn]
    choices: list[int]


class Play(Outsiders):
    """One run in the making."""

    def __init__(self, seed: int, scene: Scene, faults: Faults, scheduler: Scheduler) -> None:
        super().__init__(scene, faults, scheduler)
        self.seed = seed
        self.is_calm = False

    async def run(self) -> Run:
        """Play to the end, or to the first breach."""
        with _listening(self.referee):
            await self._set_scene()
            over = asyncio.get_running_loop().create_future()
            self.referee.over = partial(_end, over)
            for role in ROLES:
                self.world.start(role)
            for act in self._actors():
                self.world.spawn_outside(act)
            resting = asyncio.ensure_future(self._until_rest())
            await asyncio.wait({resting, over}, return_when=asyncio.FIRST_COMPLETED)
            return self._told()

    async def _set_scene(self) -> None:
        self.scheduler.paused = True  # the scene is set without anybody watching
        await scenario.store_scene(self.world.services("outside"), self.scene)
        self.scheduler.paused = False
        self.referee.watch()
        self._arm()

    async def _until_rest(self) -> None:
        """Wait until nothing is to be done any more, for so long that every tick has run."""
        loop = asyncio.get_running_loop()
        busy_at = loop.time()
        while loop.time() - busy_at < QUIET_S and loop.time() < LONGEST_S:
            await asyncio.sleep(LOOK_S)
            if self._is_busy():
                busy_at = loop.time()
        self.is_calm = loop.time() - busy_at >= QUIET_S

    def _is_busy(self) -> bool:
        """Whether somebody acts, or has something left to do."""
        lasts = self.scene.lasts.total_seconds()
        acts = self.posting or asyncio.get_running_loop().time() <= lasts
        return bool(acts) or not self.world.is_at_rest()

    def _told(self) -> Run:
        incidents = stored(self.outside.state, scenario.SHARD, "incident|", Incident)
        return Run(
            seed=self.seed,
            scene=self.scene,
            faults=self.faults,
            broken=self.referee.verdict or self._at_rest(),
            state=incidents[0].state.value if incidents else "none",
            turns=len(self.scheduler.passed),
            seconds=asyncio.get_running_loop().time(),
            trace=self.scheduler.trace,
            choices=self.scheduler.choices,
        )

    def _at_rest(self) -> str:
        rest = Rest(
            outside=self.outside,
            referee=self.referee,
            scene=self.scene,
            faults=self.faults,
            is_calm=self.is_calm,
            bad_inputs=self.refused + 3,
        )
        try:
            self.world.check_nobody_failed()
            check_rest(rest)
        except Broken as error:
            return str(error)
        return ""


def play(
    seed: int,
    faults: Faults | None = None,
    scene: Scene | None = None,
    choices: Sequence[int] | None = None,
    *,
    notes: bool = False,
) -> Run:
    """Play one run; the same seed, faults, scene and choices give the same run.

    Without faults and scene the seed chooses them; with faults only it is the bad release. With
    `notes` the trace says what each call changed.
    """
    chosen = chosen_scene(seed) if faults is None else BAD_RELEASE
    scheduler = Scheduler(seed, choices)
    loop = VirtualLoop(scheduler.idle)
    scheduler.now = loop.time
    scheduler.wake_at = partial(_wake, loop)
    asyncio.set_event_loop(loop)
    wanted = chosen_faults(seed) if faults is None else faults
    try:
        played = Play(seed, scene or chosen, wanted, scheduler)
        played.referee.notes = notes
        return loop.run_until_complete(played.run())
    finally:
        scheduler.silence()
        loop.run_until_complete(_end_all())
        asyncio.set_event_loop(None)
        loop.close()


def _end(over: "asyncio.Future[None]") -> None:
    if not over.done():
        over.set_result(None)


def _wake(loop: VirtualLoop, at: float) -> None:
    """Let time stop at that moment, so that whoever stopped goes on then."""
    loop.call_at(at, lambda: None)


async def _end_all() -> None:
    """End every task but this one."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def _listening(referee: Referee) -> Iterator[None]:
    """Let the referee, and nobody else, read what Backstop logs meanwhile."""
    log, reader = logging.getLogger("backstop"), LogReader(referee)
    was = log.propagate
    log.addHandler(reader)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(reader)
        log.propagate = was
