"""An event loop whose time is made up and whose every wait is decided by a scheduler.

Nothing in it touches the outside, so nothing but the seed decides what happens next: the same seed
gives the same run, step by step.
"""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any, override

type Idle = Callable[[], bool]


class Stalled(Exception):
    """Every task waits, no timer runs: the world has come to rest with somebody still waiting."""


class _Blind(selectors.SelectSelector):
    """Nothing outside can make anything ready, so nobody is asked."""

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return []


class BlindLoop(asyncio.SelectorEventLoop):
    """A loop in real time that waits for nothing outside: for fakes, quicker than one that may."""

    def __init__(self) -> None:
        super().__init__(_Blind())


class VirtualLoop(asyncio.SelectorEventLoop):
    """`idle` is asked whenever nothing is ready: True where it made something ready.

    Where it did not, time jumps to the next timer.
    """

    def __init__(self, idle: Idle) -> None:
        super().__init__(_Blind())
        self._idle = idle
        self._virtual = 0.0
        self._ready: Any
        self._scheduled: Any

    def time(self) -> float:
        """Seconds since the start of the run."""
        return self._virtual

    def next_timer(self) -> float | None:
        """When the next timer is due; None without any."""
        if self._scheduled and not self._scheduled[0].cancelled():
            return float(self._scheduled[0].when())  # it is a heap
        live = [handle.when() for handle in self._scheduled if not handle.cancelled()]
        return min(live, default=None)

    def jump(self) -> None:
        """Let time pass until the next timer. Raises Stalled without any."""
        due = self.next_timer()
        if due is None:
            raise Stalled
        self._virtual = max(self._virtual, due)

    def _run_once(self) -> None:
        if not self._ready and not self._idle():
            self.jump()
        super()._run_once()  # type: ignore[misc] # the base class keeps it to itself
