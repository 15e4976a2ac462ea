"""Allowance: how many signals a service may send a process in a minute.

A service that tells every request must not fill the tables, nor its incident's history: what comes
beyond is told to wait, and the next signal that is taken counts what was bad meanwhile.
"""

from collections import OrderedDict
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
SIGNALS_A_MINUTE = 30
SERVICES = 4_096  # that are remembered


class Allowance:
    """The counts of one process, by service."""

    def __init__(self, most: int = SIGNALS_A_MINUTE) -> None:
        self._most = most
        self._taken: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def wait_s(self, service: str, now: datetime) -> float:
        """Count one signal of a service; the seconds that it must wait, 0 where it need not."""
        since, count = self._taken.pop(service, (now, 0))
        if now - since >= MINUTE:
            since, count = now, 0
        self._taken[service] = (since, count + 1)
        while len(self._taken) > SERVICES:
            self._taken.popitem(last=False)
        return (since + MINUTE - now).total_seconds() if count >= self._most else 0.0
