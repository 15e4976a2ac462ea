"""Play one schedule: set the scene, let the workers go on as it says, ask the witness at the end.

The same schedule gives the same run. Without choices of its own, chance chooses and is written
down, so that every run can be played again from what it leaves.
"""

import asyncio
from collections.abc import Callable
from random import Random

import msgspec

from shared.domain.decisions.control import KillSwitch
from shared.domain.row import Stored
from shared.errors import Conflict, Unavailable
from tests.fakes.scene import NOW, SHARD
from tests.simulation.writing.parts import Outside, StageServices
from tests.simulation.writing.rest import check_rest
from tests.simulation.writing.scene import CATALOG, PLANS, SETTINGS, new_outside
from tests.simulation.writing.schedule import Fault, Kind, Schedule
from tests.simulation.writing.stage import Call, Stage, Worker
from tests.simulation.writing.witness import Witness
from tests.simulation.writing.workers import carry_out, reborn, tick

LONGEST_S = 7_200.0  # of simulated time
MOST_TURNS = 5_000
TABLES = ("state.read", "state.scan", "state.write")
BEFORE = (*TABLES, "work.publish", "changes.publish", "endpoint.read", "endpoint.write")
AFTER = ("state.written", "work.published", "changes.published", "endpoint.written")
PIPELINES = {Kind.MOVED: {"v3": 100}, Kind.BACK: {"v2": 100}, Kind.TOUCHED: None}
ANYWHERE = (*BEFORE, *AFTER, "endpoint.wait", "endpoint.put")
BEFALLS: dict[Kind, tuple[str, ...]] = {
    Kind.OUT: (*BEFORE, "endpoint.wait", "endpoint.put"),
    Kind.LOST: AFTER,
    Kind.CONFLICT: ("state.write",),
    Kind.ECHO: ("state.written",),
    Kind.STALE: ("endpoint.read",),
    **dict.fromkeys((Kind.REFUSED, Kind.IGNORED, Kind.FAILED, Kind.LATE), ("endpoint.put",)),
}

type Choose = Callable[[list[Worker]], int]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended: `broken` is empty where all held, `schedule` has every choice."""

    schedule: Schedule
    broken: str
    turns: int
    seconds: float
    ends: tuple[str, ...]
    unseen: tuple[str, ...]
    trace: list[tuple[float, str, Call]]


class Play:
    """One run under way. `explore` takes its steps one by one, everybody else calls `play`."""

    def __init__(self, schedule: Schedule, choose: Choose) -> None:
        self.stage = Stage()
        self.outside, self.witness = new_outside(self.stage, schedule.plans)
        self.choices: list[int] = []
        self.schedule = schedule
        self._choose = choose
        self._faults = list(schedule.faults)
        self._stale: set[str] = set()  # who was shown something stale last

    def start(self) -> None:
        """Let the workers begin; the last of three or more is the tick."""
        count = self.schedule.workers
        for number in range(count):
            worker = self._new_worker(f"worker-{number + 1}", number)
            services, plan = self._services(worker), PLANS[number % self.schedule.plans]
            is_tick = count > 2 and number == count - 1
            work = tick(services, self.schedule.plans) if is_tick else carry_out(services, plan)
            self.stage.start(worker, work)

    def _new_worker(self, name: str, number: int) -> Worker:
        skews = self.schedule.skews
        return Worker(name, skews[number] if number < len(skews) else 0.0)

    def _services(self, worker: Worker) -> StageServices:
        return StageServices(self.outside, worker, SETTINGS, CATALOG, NOW)

    def step(self) -> bool:
        """One turn, or time passes; False where the run is over."""
        stage = self.stage
        if self.witness.broken or stage.failed or stage.turns > MOST_TURNS:
            return False
        ready = stage.ready()
        if not ready:
            return stage.clock < LONGEST_S and stage.pass_time()
        chosen = 0
        if len(ready) > 1:
            chosen = self._choose(ready)
            self.choices.append(chosen)
        self.give(ready[chosen], self._due(ready[chosen]))
        return True

    def fits(self, kind: Kind, worker: Worker) -> bool:
        """Whether such a fault can befall the turn that a worker waits for."""
        call = worker.call
        return call is not None and self._fits(Fault(turn=0, kind=kind), worker, call)

    def _due(self, worker: Worker) -> Fault | None:
        """The fault that befalls this turn, if one does."""
        turn, call = self.stage.turns + 1, worker.call
        for fault in self._faults:
            if fault.turn > turn:
                return None
            if call is not None and self._fits(fault, worker, call):
                self._faults.remove(fault)
                return fault
        return None

    def _fits(self, fault: Fault, worker: Worker, call: Call) -> bool:
        if fault.kind is Kind.STALE and worker.name in self._stale:
            return False  # the protocol's assumption: never two in a row
        wanted = BEFALLS.get(fault.kind, ANYWHERE)
        return call.name in wanted

    def give(self, worker: Worker, fault: Fault | None) -> None:
        """Give a worker its turn, with what befalls it there."""
        call = worker.call
        assert call is not None
        if call.name == "endpoint.read":
            self._stale.discard(worker.name)
        if fault is None:
            self.stage.give(worker)
            return
        call.fault = fault.kind
        self.stage.current = worker
        self.stage.heard(fault.kind)
        self._befall(worker, fault)

    def _befall(self, worker: Worker, fault: Fault) -> None:
        stage = self.stage
        match fault.kind:
            case Kind.KILL:
                stage.kill(worker)
                self._bring_back(worker)
            case Kind.OUT | Kind.LOST:
                stage.give(worker, Unavailable("a part", fault.kind.value, fault.amount))
            case Kind.CONFLICT:
                stage.give(worker, Conflict("the service says so"))
            case Kind.SLEEP:
                worker.held_until = stage.clock + fault.amount
            case Kind.SKEW:
                worker.skew = fault.amount
                worker.most_skew = max(worker.most_skew, worker.skew)
            case Kind.LATE:
                plan = self.witness.plan_of(worker)
                stage.give(worker)
                stage.start(Worker("network"), self._land(plan, fault.amount))
            case _:
                self._meddle(worker, fault.kind)
                stage.give(worker)

    def _meddle(self, worker: Worker, kind: Kind) -> None:
        if kind in PIPELINES:
            self.outside.endpoints.change("pipeline", PIPELINES[kind])
        elif kind is Kind.SWITCH:
            row = "kill|*"
            switch = KillSwitch(scope="*", on=True, by="Ada", reason="storm", at=NOW)
            stored = Stored(row=row, value=switch, etag="1")
            self.outside.state.partitions["controls"] = {row: stored}
            self.outside.state.mark ^= hash(row)
        elif kind is Kind.STALE:
            self._stale.add(worker.name)

    def _bring_back(self, dead: Worker) -> None:
        if self.schedule.workers < 3 and self.schedule.plans == 1:  # the other one goes on
            return
        worker = Worker(f"{dead.name}'", dead.skew)
        number = int(dead.name.rstrip("'").rpartition("-")[2]) - 1
        plan = PLANS[number % self.schedule.plans]
        self.stage.start(worker, reborn(self._services(worker), plan))

    async def _land(self, plan: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await Call("network.land")
        endpoints = self.outside.endpoints
        self.witness.landed(plan, endpoints.mover)
        endpoints.change(plan, dict(self.witness.plans[plan].after))

    def end(self) -> Run:
        """What came of it."""
        stage, witness = self.stage, self.witness
        broken = witness.broken or stage.failed or check_rest(self.outside, witness, self.schedule)
        return Run(
            schedule=msgspec.structs.replace(self.schedule, choices=tuple(self.choices)),
            broken=broken,
            turns=stage.turns,
            seconds=stage.clock,
            ends=ends_of(self.outside, witness),
            unseen=tuple(witness.unseen),
            trace=stage.trace,
        )


def ends_of(outside: Outside, witness: Witness) -> tuple[str, ...]:
    """How the intent of each plan ended."""
    rows = outside.state.partitions[SHARD]
    return tuple(rows[f"intent|{plan}"].value.state.value for plan in witness.opened)


def play(schedule: Schedule, choose: Choose | None = None) -> Run:
    """Play a schedule to its end; its own choices are taken where no `choose` is given."""
    playing = Play(schedule, choose or listed(schedule.choices))
    with playing.stage.running():
        playing.start()
        while playing.step():
            pass
    return playing.end()


def listed(choices: tuple[int, ...]) -> Choose:
    """Choose as it is written, and behind the end let everybody go on."""
    given = iter(choices)
    return lambda ready: min(next(given, 0), len(ready) - 1)


def by_chance(chance: Random) -> Choose:
    """Choose by chance; some runs change the worker often and some seldom."""
    stays = chance.choice((0.0, 0.0, 0.5, 0.9))

    def choose(ready: list[Worker]) -> int:
        if stays and chance.random() < stays:
            return 0
        return int(chance.random() * len(ready))

    return choose
