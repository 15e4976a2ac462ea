"""Explore: all schedules of two workers, not some.

From every point on, every worker that waits may be next, and one fault may befall its turn. Each
branch is played from the beginning. Two points at which every worker has heard the same and the
outside is the same go on alike, so the second is not followed: in whatever order calls were made
that have nothing to do with one another, they lead to one point. A turn that nobody else can tell
has been given (an answer is heard, a message goes to the bus or leaves the outbox) is given at once
for the same reason. That drops no behaviour, only repetitions of one.

A bound on context switches makes the space smaller: a switch away from a worker that could have
gone on is one. Where the other had to wait or has ended, going on with somebody else is none.
"""

from collections.abc import Sequence

import msgspec

from tests.simulation.writing.play import Choose, Play, Run
from tests.simulation.writing.schedule import LEASE_S, Fault, Kind, Schedule
from tests.simulation.writing.stage import Worker

AMOUNTS = {Kind.SLEEP: LEASE_S + 0.5}  # it wakes up just when the other one may take over


class Branch(msgspec.Struct, frozen=True):
    """A way to begin, behind which everything is open."""

    choices: tuple[int, ...] = ()
    fault: Fault | None = None
    switches: int = 0


class Explored(msgspec.Struct, kw_only=True):
    """How much it was: branches played, points seen, runs that came to an end of their own."""

    branches: int = 0
    points: int = 0
    ended: int = 0
    turns: int = 0
    unseen: int = 0
    broken: list[Run] = []


class Explorer:
    """Explores `base` with at most one fault of `kinds`; `switches` bounds context switches."""

    def __init__(
        self, base: Schedule, kinds: Sequence[Kind] = (), switches: int | None = None
    ) -> None:
        self.explored = Explored()
        self._base = base
        self._kinds = kinds
        self._most = switches
        self._seen: dict[int, int] = {}
        self._open = [Branch()]

    def run(self) -> Explored:
        """Follow every branch; stop at the first that breaks something."""
        while self._open and not self.explored.broken:
            self._follow(self._open.pop())
        self.explored.points = len(self._seen)
        return self.explored

    def _follow(self, branch: Branch) -> None:
        faults = (branch.fault,) if branch.fault else ()
        schedule = msgspec.structs.replace(self._base, faults=faults, choices=branch.choices)
        playing = Play(schedule, _beginning_with(branch.choices))
        playing.outside.state.marking = True
        self.explored.branches += 1
        with playing.stage.running():
            playing.start()
            is_new = self._go(playing, branch)
        self.explored.turns += playing.stage.turns
        if is_new:
            self._close(playing.end())

    def _close(self, run: Run) -> None:
        self.explored.ended += 1
        self.explored.unseen += len(run.unseen)
        if run.broken:
            self.explored.broken.append(run)

    def _go(self, playing: Play, branch: Branch) -> bool:
        """Play to the end, or to a point that is known: False then."""
        fault_at = branch.fault.turn if branch.fault else 0
        while True:
            stage = playing.stage
            is_open = len(playing.choices) >= len(branch.choices) and stage.turns >= fault_at
            if is_open and not self._meet(playing, branch):
                return False
            if not playing.step():
                return True

    def _meet(self, playing: Play, branch: Branch) -> bool:
        """Open the branches of a point; False where it was met before."""
        ready = playing.stage.ready()
        if not ready:
            return True
        point = self._point(playing, branch)
        if self._seen.get(point, branch.switches + 1) <= branch.switches:
            return False
        self._seen[point] = branch.switches
        numbers = (
            range(len(ready)) if not _is_hidden(ready[preferred(ready)]) else [preferred(ready)]
        )
        for number in numbers:
            is_switch = number > 0 and ready[0] is playing.stage.current
            switches = branch.switches + is_switch
            if self._most is None or switches <= self._most:
                self._branch(playing, branch, ready, number, switches)
        return True

    def _branch(
        self, playing: Play, branch: Branch, ready: list[Worker], number: int, switches: int
    ) -> None:
        chosen = (number,) if len(ready) > 1 else ()
        choices = (*playing.choices, *chosen)
        if number != preferred(ready):
            self._open.append(Branch(choices, branch.fault, switches))
        if branch.fault is not None:
            return
        for kind in self._kinds:
            if playing.fits(kind, ready[number]):
                turn, amount = playing.stage.turns + 1, AMOUNTS.get(kind, 0.0)
                fault = Fault(turn=turn, kind=kind, amount=amount)
                self._open.append(Branch(choices, fault, switches))

    def _point(self, playing: Play, branch: Branch) -> int:
        """A hash of all that what comes next depends on; the workers may change their names."""
        stage, outside, witness = playing.stage, playing.outside, playing.witness
        current = _state(stage.current) if self._most is not None else 0
        return hash(
            (
                stage.clock,
                tuple(sorted(_state(worker) for worker in stage.workers)),
                current,
                outside.state.mark,
                outside.endpoints.mark,
                witness.mark,
                branch.fault is not None,
            )
        )


def _beginning_with(choices: tuple[int, ...]) -> Choose:
    given = iter(choices)

    def choose(ready: list[Worker]) -> int:
        chosen = next(given, None)
        return preferred(ready) if chosen is None else chosen

    return choose


def preferred(ready: list[Worker]) -> int:
    """Who goes on where nothing else is asked for: first of all who does what nobody can tell."""
    for number, worker in enumerate(ready):
        if _is_hidden(worker):
            return number
    return 0


def _is_hidden(worker: Worker) -> bool:
    call = worker.call
    assert call is not None
    if call.name == "state.write":
        return all(row.startswith("~out|") for row in call.rows)
    return call.is_answer or call.name.endswith("publish")


def _state(worker: Worker) -> int:
    if worker.has_ended:
        return 0
    call = (worker.call.name, worker.call.rows) if worker.call else None
    return hash((worker.history, call, worker.wakes_at, worker.held_until, worker.skew))
