"""Turns: every call to the outside passes here before it takes effect and again after it.

So every await is a point where another task may run, where the process may be killed, or where a
test lets somebody else do something first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator

type Interference = Callable[[], Awaitable[object]]


class Killed(BaseException):
    """The process died here. No BackstopError and no Exception: nothing of ours may catch it."""


class _AtOnce:
    """Awaited, it lets nobody else run."""

    def __await__(self) -> Generator[None]:
        yield from ()


AT_ONCE = _AtOnce()


class Turns:
    """Counts the calls to the outside, and interferes where it is told to."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self._by_name: dict[str, list[Interference]] = {}
        self._by_number: dict[int, Interference] = {}

    def once(self, name: str, interference: Interference) -> None:
        """Run something at the next turn of this name, such as "state.write"."""
        self._by_name.setdefault(name, []).append(interference)

    def at(self, number: int, interference: Interference) -> None:
        """Run something at the turn of this number, counted from now and from 1."""
        self._by_number[len(self.passed) + number] = interference

    def forget(self) -> None:
        """Interfere no more."""
        self._by_name.clear()
        self._by_number.clear()

    def take(self, name: str) -> Awaitable[None]:
        """One turn: yields to other tasks, and runs what was ordered for it."""
        return self._take(name)

    async def _take(self, name: str) -> None:
        await asyncio.sleep(0)
        self.passed.append(name)
        number = len(self.passed)
        if number in self._by_number:
            await self._by_number.pop(number)()
        if self._by_name.get(name):
            await self._by_name[name].pop(0)()


async def die() -> None:
    """The interference that kills the process."""
    raise Killed
