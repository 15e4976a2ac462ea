"""An event loop whose time is made up and whose every wait is decided by a scheduler.

Nothing in it touches the outside, so nothing but the seed decides what happens next: the same seed
gives the same run, step by step. The rounds are those of asyncio's own loop, without its look at
sockets and its care for debugging: a run has thousands of turns, and each is a round or two.
"""

import asyncio
import contextvars
import time
from collections.abc import Callable
from heapq import heapify, heappop
from typing import Any, override

MOST_TIMERS = 100  # with more, those that are cancelled are dropped once they are half of them
RESOLUTION_S = 1e-9  # what is due so soon is due now

type Idle = Callable[[], bool]


class Stalled(Exception):
    """Every task waits, no timer runs: the world has come to rest with somebody still waiting."""


class _Handle(asyncio.Handle):
    """A callback that is due; all that the loop and `cancel` ask of one."""

    __slots__ = ()

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: contextvars.Context,
    ) -> None:
        self._loop = loop
        self._callback = callback
        self._args = args
        self._context = context
        self._cancelled = False


class BlindLoop(asyncio.BaseEventLoop):
    """A loop in real time that waits for nothing outside: for fakes, quicker than one that may."""

    _ready: Any
    _scheduled: Any
    _stopping: bool
    _timer_cancelled_count: int

    @override
    def call_soon[*Given](
        self,
        callback: Callable[[*Given], object],
        *args: *Given,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        if context is None:
            context = contextvars.copy_context()
        handle = _Handle(self, callback, args, context)
        self._ready.append(handle)
        return handle

    def _run_once(self) -> None:
        """All rounds until somebody stops the loop. What a callback raises ends the run."""
        ready = self._ready
        while True:
            if not ready:
                self._wait()
            if self._scheduled:
                self._tidy()
                self._ring()
            for _ in range(len(ready)):
                handle = ready.popleft()
                if not handle._cancelled:
                    handle._context.run(handle._callback, *handle._args)
            if self._stopping:
                return

    def _tidy(self) -> None:
        """Drop cancelled timers, as asyncio does: timers of one moment keep their order then."""
        count = len(self._scheduled)
        if count > MOST_TIMERS and self._timer_cancelled_count > count / 2:
            live = [handle for handle in self._scheduled if not handle._cancelled]
            heapify(live)
            self._scheduled, self._timer_cancelled_count = live, 0
        while self._scheduled and self._scheduled[0]._cancelled:
            self._timer_cancelled_count -= 1
            heappop(self._scheduled)._scheduled = False

    def _ring(self) -> None:
        """Make ready what is due by now."""
        scheduled, end = self._scheduled, self.time() + RESOLUTION_S
        while scheduled and scheduled[0]._when < end:
            handle = heappop(scheduled)
            handle._scheduled = False
            self._ready.append(handle)

    def _wait(self) -> None:
        """Nothing is ready: let time pass until something is. Raises Stalled where nothing will."""
        due = self.next_timer()
        if due is None:
            raise Stalled
        time.sleep(max(0.0, due - self.time()))

    def _write_to_self(self) -> None:
        """There is no other thread that would have to wake this one."""

    def next_timer(self) -> float | None:
        """When the next timer is due; None without any."""
        self._tidy()
        return self._scheduled[0]._when if self._scheduled else None


class VirtualLoop(BlindLoop):
    """`idle` is asked whenever nothing is ready: True where it made something ready.

    Where it did not, time jumps to the next timer.
    """

    def __init__(self, idle: Idle) -> None:
        super().__init__()
        self._idle = idle
        self._virtual = 0.0

    @override
    def time(self) -> float:
        """Seconds since the start of the run."""
        return self._virtual

    @override
    def _wait(self) -> None:
        if not self._idle():
            self.jump()

    def jump(self) -> None:
        """Let time pass until the next timer. Raises Stalled without any."""
        due = self.next_timer()
        if due is None:
            raise Stalled
        self._virtual = max(self._virtual, due)
