"""When a breach is to be told, told again, and told to be over; no clock and no network.

Part of the fast lane. It may be one of many replicas, each of which knows only its own answers. So
it tells of a breach three times a window as long as it lasts, and of the end once, after a whole
window that was well: by that Backstop knows when the last of them is well again.
"""

from collections import deque
from typing import NamedTuple

_FAST = 14.4  # the burn rate of the fastest alert: the whole month's budget in two days
_TELLINGS = 3  # of a breach in a window: one may be lost, and it is known all the same


class Telling(NamedTuple):
    """What is to be told: so many good answers of so many within the window."""

    good: int
    total: int
    is_end: bool
    number: int


class Heard(NamedTuple):
    """What came of it: neither taken nor refused is what nobody answered, and may be taken.

    `wait_s` is how long whoever refused it wants to hear nothing.
    """

    taken: bool = False
    refused: bool = False
    wait_s: float = 0.0


class Watch:
    """One process's answers to one objective. Times are monotonic, in seconds."""

    def __init__(
        self, share: float, *, window_s: int, minimum_requests: int, every_s: float
    ) -> None:
        self._bad_share = min(_FAST * (1.0 - share), 1.0)
        self._window_s = window_s
        self._least = minimum_requests
        self._every_s = min(every_s, window_s / _TELLINGS)
        self._answers: deque[tuple[float, bool]] = deque()
        self._bad = 0
        self._number = 0
        self._owed = 0  # the newest telling whose end is to be told; 0 while all is well
        self._burned_at = 0.0  # when the budget last burned too fast
        self._due_at = self._end_due_at = float("-inf")

    def count(self, *, good: bool, now: float) -> Telling | None:
        """Count one answer; what is to be told by it."""
        self._answers.append((now, good))
        self._bad += not good
        self._forget(now)
        if len(self._answers) < self._least:
            return None
        if self._bad >= self._bad_share * len(self._answers):
            return self._burn(now)
        return self._end(now)

    def hear(self, telling: Telling, heard: Heard, now: float) -> None:
        """Know what came of a telling: what was refused needs no end, as nothing began by it."""
        later = now + heard.wait_s
        if telling.is_end:
            self._end_due_at = max(self._end_due_at, later)
            if heard.taken and self._owed == telling.number:
                self._owed = 0
            return
        self._due_at = max(self._due_at, later)
        if not heard.refused:
            self._owed = max(self._owed, telling.number)

    def _forget(self, now: float) -> None:
        while self._answers[0][0] <= now - self._window_s:
            _, good = self._answers.popleft()
            self._bad -= not good

    def _burn(self, now: float) -> Telling | None:
        self._burned_at = now
        if now < self._due_at:
            return None
        self._due_at = now + self._every_s
        self._number += 1
        return self._tell(self._number, is_end=False)

    def _end(self, now: float) -> Telling | None:
        """It has ended after a whole window without: what hovers at the line would begin anew."""
        over = now - self._burned_at >= self._window_s
        if not self._owed or not over or now < self._end_due_at:
            return None
        self._end_due_at = now + self._every_s
        return self._tell(self._owed, is_end=True)

    def _tell(self, number: int, *, is_end: bool) -> Telling:
        total = len(self._answers)
        return Telling(good=total - self._bad, total=total, is_end=is_end, number=number)
