"""The stage: coroutines of several workers, each turn given by somebody else's choice.

Every call to the outside is two turns, one before its effect and one before its answer is heard.
A turn is a `Call` that the coroutine yields; nothing but the stage resumes it. Time is made up: it
passes when nobody can go on. There is no event loop, because one costs more than the protocol.
"""

import asyncio
import contextlib
from asyncio import events
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any, override

from tests.fakes.turns import Turns


class Call:
    """One call at one of its two boundaries. `fault` is what befalls it there, set by the stage."""

    __slots__ = ("fault", "name", "rows")

    def __init__(self, name: str, rows: tuple[str, ...] = ()) -> None:
        self.name = name
        self.rows = rows
        self.fault: object = None

    def __await__(self) -> Generator["Call"]:
        yield self

    @property
    def is_answer(self) -> bool:
        """Whether the effect has been had, and only the answer is to be heard."""
        return self.name.endswith(("written", "published"))


class Worker:
    """One worker process. It waits for a turn (`call`), for the time (`wakes_at`), or has ended."""

    def __init__(self, name: str, skew: float = 0.0) -> None:
        self.name = name
        self.skew = skew  # seconds that its clock is ahead of the true time
        self.most_skew = skew  # the furthest that it ever was
        self.call: Call | None = None
        self.wakes_at: float | None = None
        self.held_until = 0.0  # it gets no turn before: the process is frozen
        self.dead = False
        self.history = 0  # a hash of all it has heard; what it does next depends on nothing else
        self.coroutine: Coroutine[Any, Any, None] | None = None
        self.wake: Callable[[], None] = lambda: None

    @property
    def has_ended(self) -> bool:
        """Whether it will never do anything again."""
        return self.dead or self.coroutine is None


class _Alarm:
    """What asyncio.sleep holds of its timer."""

    def cancel(self) -> None:
        """A sleep that is over needs no timer."""


class _Loop:
    """As much of a loop as asyncio.sleep and a worker's look at the clock ask for."""

    def __init__(self, stage: "Stage") -> None:
        self._stage = stage

    def time(self) -> float:
        return self._stage.clock

    def get_debug(self) -> bool:
        return False

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)  # type: ignore[arg-type] # it asks for get_debug alone

    def call_later(self, delay: float, callback: Callable[..., None], *args: object) -> _Alarm:
        worker = self._stage.current
        worker.wakes_at = self._stage.clock + delay
        worker.wake = lambda: callback(*args)
        return _Alarm()


class Stage:
    """Workers, the time, and whose turn it was. `trace` has every turn."""

    def __init__(self) -> None:
        self.clock = 0.0
        self.turns = 0
        self.workers: list[Worker] = []
        self.current = Worker("nobody")
        self.trace: list[tuple[float, str, Call]] = []
        self.failed = ""

    def start(self, worker: Worker, work: Coroutine[Any, Any, None]) -> None:
        """Let a worker begin; it runs to its first call."""
        worker.coroutine = work
        self.workers.append(worker)
        self._go_on(worker)

    def ready(self) -> list[Worker]:
        """Who waits for a turn: the one that had the last one first, the others by age."""
        clock = self.clock
        found = [w for w in self.workers if w.call is not None and w.held_until <= clock]
        if self.current in found:
            found.remove(self.current)
            found.insert(0, self.current)
        return found

    def give(self, worker: Worker, trouble: Exception | None = None) -> None:
        """Give a worker its turn; `trouble` is raised in its call instead."""
        assert worker.call is not None
        self.turns += 1
        worker.history = hash((worker.history, self.clock, worker.call.name))
        self.trace.append((self.clock, worker.name, worker.call))
        self._go_on(worker, trouble)

    def kill(self, worker: Worker) -> None:
        """The process dies at its call."""
        assert worker.call is not None
        self.turns += 1
        self.trace.append((self.clock, worker.name, worker.call))
        worker.dead, worker.call = True, None

    def pass_time(self) -> bool:
        """Let time pass until somebody can go on; False where nobody ever will."""
        due = [w.wakes_at for w in self.workers if w.wakes_at is not None]
        due += [w.held_until for w in self.workers if w.call is not None]
        if not due:
            return False
        self.clock = max(self.clock, min(due))
        for worker in list(self.workers):
            if worker.wakes_at is not None and worker.wakes_at <= self.clock:
                worker.wakes_at = None
                worker.wake()
                self._go_on(worker)
        return True

    def heard(self, *facts: object) -> None:
        """Remember what the worker whose turn it is has learnt."""
        worker = self.current
        worker.history = hash((worker.history, self.clock, *facts))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Be the loop that the coroutines find; close what is left of them behind it."""
        outer = events._get_running_loop()
        events._set_running_loop(_Loop(self))  # type: ignore[arg-type] # all that is asked for
        try:
            yield
        finally:
            for worker in self.workers:
                if worker.coroutine is not None:
                    worker.coroutine.close()
            events._set_running_loop(outer)

    def _go_on(self, worker: Worker, trouble: Exception | None = None) -> None:
        assert worker.coroutine is not None
        self.current, worker.call = worker, None
        coroutine = worker.coroutine
        try:
            waits_for = coroutine.throw(trouble) if trouble else coroutine.send(None)
            while waits_for is None:  # asyncio.sleep(0)
                waits_for = coroutine.send(None)
        except StopIteration:
            worker.coroutine = None
        except Exception as error:  # noqa: BLE001 - the host would log it; here it fails the run
            worker.coroutine = None
            self.failed = f"{worker.name} raised what nobody foresaw: {error!r}"
        else:
            worker.call = waits_for if isinstance(waits_for, Call) else None


class StageTurns(Turns):
    """The turns of fakes that know no rows."""

    def __init__(self) -> None:
        super().__init__()

    @override
    async def take(self, name: str) -> None:
        await Call(name)
