"""Turns: every call to the outside passes here before it takes effect and again after it.

So every await is a point where another task may run, where the process may be killed, or where a
test lets somebody else do something first.
"""

import asyncio
from collections.abc import Awaitable, Callable

type Interference = Callable[[], Awaitable[object]]


class Killed(BaseException):
    """The process died here. No BackstopError and no Exception: nothing of ours may catch it."""


class Turns:
    """Counts the calls to the outside, and interferes where it is told to."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.kill_at = 0  # the number of the turn that kills the process; 0 for none
        self._interferences: dict[str, list[Interference]] = {}

    def once(self, name: str, interference: Interference) -> None:
        """Run something at the next turn of this name, such as "state.write"."""
        self._interferences.setdefault(name, []).append(interference)

    async def take(self, name: str) -> None:
        """One turn: yields to other tasks; raises Killed where it is the last one."""
        await asyncio.sleep(0)
        self.passed.append(name)
        if len(self.passed) == self.kill_at:
            raise Killed(name)
        waiting = self._interferences.get(name)
        if waiting:
            await waiting.pop(0)()
