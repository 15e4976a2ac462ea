"""One run of the whole spine, alert to card, under the faults that its seed asks for."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import msgspec

from responders.control import set_kill_switch
from responders.ingest import ingest
from shared.domain.http import Request
from shared.domain.incident import Incident
from shared.domain.message import CHANGES, WORK, Message
from shared.errors import Unavailable
from tests.fakes.services import Outside
from tests.simulation import scenario
from tests.simulation.faults import Deploy, Faults, chosen_faults, chosen_scene
from tests.simulation.invariants import Broken, Rest, check_rest, stored
from tests.simulation.loop import VirtualLoop
from tests.simulation.referee import LogReader, Referee
from tests.simulation.scene import BAD_RELEASE, Scene
from tests.simulation.scheduler import Scheduler, Turn
from tests.simulation.world import World

__all__ = ["Faults", "Run", "play"]

LONGEST_S = 3_600.0  # of simulated time; a run that is not at rest by then never will be
REBORN_AFTER_S = 15.0
LOOK_S = 25.0  # longer than a tick
ALERTS = ((1, 0.0), (1, 3.0), (2, 9.0))  # (rule, second): one comes twice, another joins late
PAUSES_S = (5, 20, 5, 40, 5, 0)  # of an action group that was answered 503, or nothing
GARBAGE = b'{"schemaId": "azureMonitorCommonAlertSchema", "data": 7}'
OPERATION_POLLS = 4  # so many readings show a pipeline's operation in flight
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


class Play:
    """One run in the making."""

    def __init__(self, seed: int, scene: Scene, faults: Faults, scheduler: Scheduler) -> None:
        self.seed = seed
        self.scene = scene
        self.faults = faults
        self.scheduler = scheduler
        self.outside = scenario.new_outside(scheduler, scene)
        self.referee = Referee(self.outside, scheduler, scene)
        self.world = World(
            self.outside, scheduler, scenario.KEYS, self.referee.received, faults.again
        )
        self.refused = 0
        self.posting = 0
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

    def _arm(self) -> None:
        """Put the faults in their places."""
        scheduler, faults, outside = self.scheduler, self.faults, self.outside
        scheduler.kill_at = set(faults.kills)
        scheduler.stop_at = dict(faults.stops)
        outside.endpoints.fates.extend(faults.fates)
        for turn in faults.lost_answers:
            self._at(turn, self._lose_answer)
        for deploy in faults.deploys:
            self._at(deploy.turn, partial(self._deploy, deploy))
        if faults.switch is not None:
            self._at(faults.switch, lambda: self.world.spawn_outside(self._turn_switch()))

    def _at(self, turn: int, happen: Callable[[], None]) -> None:
        self.scheduler.at_turn.setdefault(turn, []).append(happen)

    def _lose_answer(self) -> None:
        self.outside.state.lost_answers += 1
        self.scheduler.tell("outside", "the next answer of the state table is lost")

    def _deploy(self, deploy: Deploy) -> None:
        """A pipeline writes to the endpoint."""
        endpoints = self.outside.endpoints
        if not deploy.unseen:
            endpoints.start_operation(OPERATION_POLLS)
        endpoints.change(traffic=dict(deploy.traffic) or None)
        endpoints.stale = deploy.unseen
        self.scheduler.tell(
            "outside", f"a pipeline deploys; traffic {deploy.traffic or 'as it was'}"
        )

    def _actors(self) -> list[Awaitable[None]]:
        acts: list[Awaitable[None]] = [self._rebirths(), self._after(1.0, self._poison)]
        acts += [self._after(at, partial(self._post, number)) for number, at in ALERTS]
        acts += [self._outage(*outage) for outage in self.faults.outages]
        return acts

    async def _after(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        self.posting += 1
        await asyncio.sleep(seconds)
        await act()
        self.posting -= 1

    async def _post(self, number: int) -> None:
        """Azure Monitor posts an alert, again after 503 or silence as it does."""
        delivery = await self._send(scenario.body(number))
        if delivery:
            self.referee.answered(delivery)

    async def _send(self, body: bytes) -> str:
        """The delivery's id; "" where every retry failed, or the body was refused."""
        request = Request(method="POST", body=body)
        for wait in PAUSES_S:
            answer = await self.world.ask(ingest, request)
            if answer is not None and answer.status == 202:
                return str(msgspec.json.decode(answer.body)["delivery"])
            if answer is not None and answer.status == 400:
                self.refused += 1
                return ""
            await asyncio.sleep(wait)
        return ""

    async def _poison(self) -> None:
        """What nobody can take: a body that is no alert, a command without its delivery."""
        await self._send(GARBAGE)
        for topic, subject in ((WORK, "triage"), (CHANGES, "nonsense")):
            poison = Message(subject=subject, body="261123-f0", message_id=f"poison {subject}")
            while True:
                try:
                    await self.outside.bus.publish(topic, [poison])
                except Unavailable:
                    await asyncio.sleep(5.0)
                else:
                    break

    async def _turn_switch(self) -> None:
        asked = {"scope": "*", "on": True, "who": "Kim", "reason": "a drill"}
        request = Request(method="POST", body=msgspec.json.encode(asked))
        self.scheduler.tell("outside", "a person turns the kill switch on")
        await self.world.ask(set_kill_switch, request)

    async def _rebirths(self) -> None:
        """The platform starts a worker again a while after its death."""
        known: set[str] = set()
        while True:
            await asyncio.sleep(REBORN_AFTER_S)
            for name in sorted(self.scheduler.dead - known):
                known.add(name)
                born = self.world.start(name.partition("-")[0])
                self.scheduler.tell(born, "starts")

    async def _outage(self, part: str, start: float, end: float) -> None:
        for at, out in ((start, True), (end, False)):
            await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
            _set_out(self.outside, part, out=out)
            self.scheduler.tell("outside", f"{part} is {'out' if out else 'back'}")

    async def _until_rest(self) -> None:
        """Wait until nothing is to be done any more; a while longer, so that every tick has run."""
        loop, quiet = asyncio.get_running_loop(), 0
        patience = self.scene.patience.total_seconds()
        while quiet < 2 and loop.time() < LONGEST_S:
            await asyncio.sleep(LOOK_S)
            busy = self.posting or loop.time() <= patience
            calm = self.world.is_at_rest() and not busy
            quiet = quiet + 1 if calm else 0
        self.is_calm = quiet == 2

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
