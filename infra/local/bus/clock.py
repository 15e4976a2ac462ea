"""The broker's time, which tests and demos may push forward, and what is to happen when.

Locks that expire, messages that fall due: all of them are actions on this clock. Nothing here
waits; whoever runs the broker asks `run_due` how long it may sleep.
"""

import heapq
import itertools
import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch plus what it was advanced by, and a list of things to do."""

    def __init__(self, read: Callable[[], float] = time.time) -> None:
        self._read = read
        self._offset = 0.0
        self._order = itertools.count()
        self._actions: list[tuple[float, int, Callable[[], None]]] = []
        self.on_change: Callable[[], None] = lambda: None

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return self._read() + self._offset

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Run `action` once the time is `when`."""
        entry = (when, next(self._order), action)
        heapq.heappush(self._actions, entry)
        if self._actions[0] is entry:
            self.on_change()

    def run_due(self) -> float | None:
        """Do what is due, and return the seconds until the next action, None without one."""
        now = self.now()
        while self._actions and self._actions[0][0] <= now:
            heapq.heappop(self._actions)[2]()
        return self._actions[0][0] - self.now() if self._actions else None

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._offset += seconds
        self.run_due()
        self.on_change()
