"""Allowance: how many signals a service may send a process within a few seconds.

A service that tells every request must not fill the tables, nor its incident's history: what comes
beyond is told to wait, and the next signal that is taken counts what was bad meanwhile. Beginnings
and ends are counted apart: a thousand replicas that are well again must not keep out the one that
burns. And the time is short, so that of the many which burn some are always heard within a window.
"""

from collections import OrderedDict
from datetime import datetime, timedelta

WITHIN = timedelta(seconds=20)  # as often as the helper tells of a breach in its usual window
SIGNALS_WITHIN = 20
SERVICES = 4_096  # that are remembered


class Allowance:
    """The counts of one process, by service and by whether they begin something."""

    def __init__(self, most: int = SIGNALS_WITHIN) -> None:
        self._most = most
        self._taken: OrderedDict[tuple[str, bool], tuple[datetime, int]] = OrderedDict()

    def wait_s(self, service: str, now: datetime, *, begins: bool = True) -> float:
        """Count one signal of a service; the seconds that it must wait, 0 where it need not."""
        key = (service, begins)
        since, count = self._taken.pop(key, (now, 0))
        if now - since >= WITHIN:
            since, count = now, 0
        self._taken[key] = (since, count + 1)
        while len(self._taken) > SERVICES:
            self._taken.popitem(last=False)
        return (since + WITHIN - now).total_seconds() if count >= self._most else 0.0
