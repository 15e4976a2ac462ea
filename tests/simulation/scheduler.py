"""The scheduler: which of the waiting calls goes on next, which fails, and who dies, by a seed.

Every call of the fakes passes `take` before its effect and again before its answer is heard.
Between the two anything may happen: another worker goes on, time passes, the caller is killed or
stops for a while. A call that waited longest goes first, unless chance deviates from that order;
`choices` says how, and the same choices give the same run.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import override

import msgspec

from tests.fakes.turns import AT_ONCE, Turns

OUTSIDE = "outside"
RESTLESSNESS = (0.05, 0.3, 1.0)  # how often a run deviates from the order of arrival

type Waiting = tuple[str, str, asyncio.Future[None]]  # a worker, the name of its call, its turn

worker_name: contextvars.ContextVar[str] = contextvars.ContextVar("worker", default=OUTSIDE)


class Turn(msgspec.Struct, frozen=True):
    """One turn that was given: when, whose, and for which call; `mark` is what happened to it."""

    at: float
    worker: str
    call: str
    mark: str = ""


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
        self.now: Callable[[], float] = lambda: 0.0
        self.wake_at: Callable[[float], None] = lambda _: None
        self._given = choices
        self._restless = self.chance.choice(RESTLESSNESS)
        self._waiting: list[Waiting] = []
        self._stopped: dict[str, float] = {}

    @override
    def take(self, name: str) -> Awaitable[None]:
        if self.paused:
            return AT_ONCE
        worker = worker_name.get()
        turn: asyncio.Future[None] = asyncio.Future()
        if worker not in self.dead:  # of a dead worker nothing runs any more: it waits for ever
            self._waiting.append((worker, name, turn))
        return turn

    def idle(self) -> bool:
        """Give one waiting call its turn; False where time is to pass instead."""
        while (waiting := self._next()) is not None:
            worker, name, turn = waiting
            self.passed.append(name)
            if self.at_turn:
                for happen in self.at_turn.pop(len(self.passed), ()):
                    happen()
            if self._strikes(waiting):
                continue
            self.trace.append(Turn(self.now(), worker, name))
            if not turn.done():
                turn.set_result(None)
            return True
        return False

    def silence(self) -> None:
        """Nobody goes on any more: the run is over."""
        self.paused = True

    def tell(self, worker: str, mark: str) -> None:
        """Note in the trace what is no call: a fault, or a person's deed."""
        self.trace.append(Turn(self.now(), worker, "", mark))

    def _next(self) -> Waiting | None:
        waiting = self._waiting
        if not self._stopped:
            return waiting.pop(self._choose(len(waiting))) if waiting else None
        now = self.now()
        ready = [one for one in waiting if self._stopped.get(one[0], 0.0) <= now]
        if not ready:
            return None
        chosen = ready[self._choose(len(ready))]
        waiting.remove(chosen)
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

    def _strikes(self, waiting: Waiting) -> bool:
        """Let the fault of this turn strike; False where there is none."""
        (worker, name, _), number = waiting, len(self.passed)
        if worker == OUTSIDE:
            return False
        if number in self.kill_at:
            self.dead.add(worker)
            self._waiting = [one for one in self._waiting if one[0] != worker]
            self.trace.append(Turn(self.now(), worker, name, "killed"))
            return True
        if number in self.stop_at:
            seconds, now = self.stop_at[number], self.now()
            self._stopped[worker] = now + seconds
            self.wake_at(now + seconds)
            self.trace.append(Turn(now, worker, name, f"stops for {seconds:.0f} s"))
            self._waiting.append(waiting)
            return True
        return False
