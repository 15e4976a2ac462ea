"""The scheduler: which of the waiting calls goes on next, which fails, and who dies, by a seed.

Every call of the fakes passes `take` before its effect and again before its answer is heard.
Between the two anything may happen: another worker goes on, time passes, the caller is killed.
"""

import asyncio
import contextvars
from collections.abc import Callable
from random import Random
from typing import override

from tests.fakes.turns import Killed, Turns

OUTSIDE = "outside"
CHANGING = (".write", ".written")  # calls after which something may have changed
worker_name: contextvars.ContextVar[str] = contextvars.ContextVar("worker", default=OUTSIDE)


class _Waiting:
    """One call that waits for its turn."""

    def __init__(self, worker: str, name: str, future: "asyncio.Future[None]") -> None:
        self.worker = worker
        self.name = name
        self.future = future


class Scheduler(Turns):
    """Turns that are given by chance. `trace` holds every turn as (time, worker, call)."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = Random(seed)  # noqa: S311 - the same seed must give the same run
        self.trace: list[tuple[float, str, str]] = []
        self.dead: set[str] = set()
        self.kill_at: set[int] = set()  # at these turns the worker whose turn it is dies
        self.paused = False
        self.broken = ""
        self.now: Callable[[], float] = lambda: 0.0
        self.after_turn: Callable[[], None] = lambda: None
        self._waiting: list[_Waiting] = []

    @override
    async def take(self, name: str) -> None:
        worker = worker_name.get()
        if worker in self.dead:
            raise Killed
        if self.paused:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(worker, name, future))
        await future
        if worker in self.dead:
            raise Killed

    def idle(self) -> bool:
        """Give one waiting call its turn; False where time is to pass instead."""
        self._check()
        self._waiting = [w for w in self._waiting if w.worker not in self.dead]
        if not self._waiting:
            return False
        waiting = self._waiting.pop(self.chance.randrange(len(self._waiting)))
        self.passed.append(waiting.name)
        self.trace.append((self.now(), waiting.worker, waiting.name))
        if len(self.passed) in self.kill_at and waiting.worker != OUTSIDE:
            self._kill(waiting.worker)
            return self.idle()
        if not waiting.future.done():
            waiting.future.set_result(None)
        return True

    def silence(self) -> None:
        """Nobody goes on any more: the run is over."""
        self.after_turn = lambda: None
        self._waiting.clear()
        self.paused = True

    def _kill(self, worker: str) -> None:
        self.dead.add(worker)
        self.trace.append((self.now(), worker, "KILLED"))

    def _check(self) -> None:
        changed = bool(self.passed) and self.passed[-1].endswith(CHANGING)
        if self.broken or not changed:
            return
        try:
            self.after_turn()
        except AssertionError as error:
            self.broken = str(error)
