"""The scheduler: which of the waiting calls goes on next, which fails, and who dies, by a seed.

Every call of the fakes passes `take` before its effect and again before its answer is heard.
Between the two anything may happen: another worker goes on, time passes, the caller is killed or
stops for a while. A call that waited longest goes first, unless chance deviates from that order;
`choices` says how, and the same choices give the same run.
"""

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from random import Random
from typing import override

import msgspec

from tests.fakes.turns import Turns

OUTSIDE = "outside"
CHANGING = (".write", ".written")  # calls after which something may have changed
RESTLESSNESS = (0.05, 0.3, 1.0)  # how often a run deviates from the order of arrival
worker_name: contextvars.ContextVar[str] = contextvars.ContextVar("worker", default=OUTSIDE)


class Turn(msgspec.Struct, frozen=True):
    """One turn that was given: when, whose, and for which call; `mark` is what happened to it."""

    at: float
    worker: str
    call: str
    mark: str = ""


class _Waiting:
    """One call that waits for its turn."""

    __slots__ = ("future", "name", "worker")

    def __init__(self, worker: str, name: str, future: "asyncio.Future[None]") -> None:
        self.worker = worker
        self.name = name
        self.future = future


class Scheduler(Turns):
    """Turns that are given by chance, or by `choices` that were made before.

    `trace` holds every turn. At the turns of `kill_at` the worker whose turn it is dies, at those
    of `stop_at` it stops for so many seconds, and at those of `at_turn` something else happens.
    """

    def __init__(self, seed: int, choices: Sequence[int] | None = None) -> None:
        super().__init__()
        self.chance = Random(seed)  # noqa: S311 - the same seed must give the same run
        self.choices: list[int] = []
        self.trace: list[Turn] = []
        self.dead: set[str] = set()
        self.kill_at: set[int] = set()
        self.stop_at: dict[int, float] = {}
        self.at_turn: dict[int, list[Callable[[], None]]] = {}
        self.paused = False
        self.broken = ""
        self.now: Callable[[], float] = lambda: 0.0
        self.wake_at: Callable[[float], None] = lambda _: None
        self.after_turn: Callable[[], None] = lambda: None
        self._given = choices
        self._restless = self.chance.choice(RESTLESSNESS)
        self._waiting: list[_Waiting] = []
        self._stopped: dict[str, float] = {}

    @override
    async def take(self, name: str) -> None:
        worker = worker_name.get()
        if self.paused:
            return
        future = asyncio.get_running_loop().create_future()
        if worker not in self.dead:
            self._waiting.append(_Waiting(worker, name, future))
        await future  # of a dead worker nothing runs any more: it waits for ever
        if worker in self.dead:
            await asyncio.get_running_loop().create_future()

    def idle(self) -> bool:
        """Give one waiting call its turn; False where time is to pass instead."""
        self._check()
        while True:
            waiting = self._next()
            if waiting is None:
                return False
            self.passed.append(waiting.name)
            for happen in self.at_turn.pop(len(self.passed), ()):
                happen()
            if not self._strikes(waiting):
                break
        self.trace.append(Turn(self.now(), waiting.worker, waiting.name))
        if not waiting.future.done():
            waiting.future.set_result(None)
        return True

    def silence(self) -> None:
        """Nobody goes on any more: the run is over."""
        self.paused = True

    def tell(self, worker: str, mark: str) -> None:
        """Note in the trace what is no call: a fault, or a person's deed."""
        self.trace.append(Turn(self.now(), worker, "", mark))

    def _check(self) -> None:
        changed = bool(self.passed) and self.passed[-1].endswith(CHANGING)
        if self.broken or not changed:
            return
        try:
            self.after_turn()
        except AssertionError as error:
            self.broken = str(error)

    def _next(self) -> _Waiting | None:
        if self.dead:
            self._waiting = [w for w in self._waiting if w.worker not in self.dead]
        if not self._stopped:
            return self._waiting.pop(self._choose(len(self._waiting))) if self._waiting else None
        now = self.now()
        ready = [w for w in self._waiting if self._stopped.get(w.worker, 0.0) <= now]
        if not ready:
            return None
        chosen = ready[self._choose(len(ready))]
        self._waiting.remove(chosen)
        return chosen

    def _choose(self, count: int) -> int:
        number = len(self.choices)
        if self._given is not None:
            choice = min(self._given[number], count - 1) if number < len(self._given) else 0
        elif self.chance.random() < self._restless:
            choice = self.chance.randrange(count)
        else:
            choice = 0
        self.choices.append(choice)
        return choice

    def _strikes(self, waiting: _Waiting) -> bool:
        """Let the fault of this turn strike; False where there is none."""
        turn = len(self.passed)
        if waiting.worker == OUTSIDE:
            return False
        if turn in self.kill_at:
            self.dead.add(waiting.worker)
            self.trace.append(Turn(self.now(), waiting.worker, waiting.name, "killed"))
            return True
        if turn in self.stop_at:
            seconds = self.stop_at[turn]
            self._stopped[waiting.worker] = self.now() + seconds
            self.wake_at(self.now() + seconds)
            self.trace.append(
                Turn(self.now(), waiting.worker, waiting.name, f"stops for {seconds:.0f} s")
            )
            self._waiting.append(waiting)
            return True
        return False
