"""How many requests were answered, told once a minute, so that labels can be held against them.

Beside `AiService`. A rule that looks every minute reads one table, and labels are rows of
AppEvents: so what could have been labelled is told there as well, in one row a minute and process.
"""

import threading

EVERY_S = 60.0


class Answers:
    """The requests that one process has answered well since it last told of them."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._count = 0
        self._since: float | None = None
        self._lock = threading.Lock()

    def add(self, now: float) -> int:
        """Count one, at a monotonic time; how many are to be told now, 0 where it is not time."""
        with self._lock:
            self._count += 1
            self._since = now if self._since is None else self._since
            if now - self._since < self._every_s:
                return 0
            told, self._count, self._since = self._count, 0, now
            return told
