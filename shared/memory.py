"""What one process remembers between two calls, and may forget.

A worker that is started anew begins with nothing of it, and every answer is still right: it looks
once more than it had to, asks once more, says once more. What must outlive a worker is a row.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from shared.domain.authority.refusals import Refusals
from shared.domain.signals.allowance import Allowance

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from shared.domain.alerts.fired_alert import Sweep
    from shared.domain.alerts.unreadable import Seen
    from shared.domain.incidents.alarm import Alarm
    from shared.domain.ledger.seal import Seal

NEVER = datetime.min.replace(tzinfo=UTC)


class Turns:
    """When each job of the tick was last done, by itself or for each name that it goes to."""

    def __init__(self) -> None:
        self._last: defaultdict[str, dict[str, datetime]] = defaultdict(dict)

    def is_due(self, job: str, every_s: float, now: datetime, name: str = "") -> bool:
        """Whether `every_s` seconds have passed since its last turn, or it never had one."""
        return now - self.last(job, name) >= timedelta(seconds=every_s)

    def last(self, job: str, name: str = "") -> datetime:
        """The time of its last turn; NEVER where it had none."""
        return self._last[job].get(name, NEVER)

    def take(self, job: str, now: datetime, name: str = "") -> None:
        """Say that it had its turn, or has it now."""
        self._last[job][name] = now


class Errands:
    """What runs beside the calls that are answered; it ends with the process, or is ended."""

    def __init__(self) -> None:
        self._tasks: defaultdict[str, set[asyncio.Task[None]]] = defaultdict(set)

    def running(self, name: str) -> list[asyncio.Task[None]]:
        """Those of this name that are not done."""
        return [task for task in self._tasks[name] if not task.done()]

    def start(
        self, name: str, errand: Callable[[], Coroutine[Any, Any, None]], most: int = 1
    ) -> bool:
        """Begin one, unless so many of this name are running; whether it was begun."""
        if len(self.running(name)) >= most:
            return False
        task = asyncio.create_task(errand(), name=name)
        self._tasks[name].add(task)
        task.add_done_callback(self._tasks[name].discard)
        return True

    async def close(self) -> None:
        """End what is still running."""
        tasks = [task for name in list(self._tasks) for task in self.running(name)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Memory:
    """The fields, each by the module that reads and writes it."""

    def __init__(self, now: datetime) -> None:
        self.turns = Turns()
        self.ticks = count(int(now.timestamp()))  # leftovers: a new process begins anywhere
        self.durable: OrderedDict[str, str] = OrderedDict()  # intake: what is known to be stored
        self.alarms: dict[str, Alarm] = {}  # alarm: what triage has not taken yet
        self.unreadable: dict[str, Seen] = {}  # unreadable: rows of our own, by their places
        self.shut_out_since: datetime | None = None  # shut_out: of its tables
        self.unkept_since: datetime | None = None  # readiness: its reports, refused
        self.refusals = Refusals()  # turn_away: who was not let in lately
        self.names: OrderedDict[str, tuple[str, float]] = OrderedDict()  # people: of callers
        self.allowance = Allowance()  # signal: how many each service may still send
        self.sweeps: dict[str, Sweep] = {}  # sweep: by subscription
        self.known_letters: dict[str, set[tuple[str, datetime]]] = {}  # exhume: by subscription
        self.warmed = False  # warm: it was begun
        self.configured = False  # configure: what this process came with was told
        self.last_seal: Seal | None = None  # seals: as this process knows it
        self.marked: dict[str, datetime] = {}  # ledger: partitions
        self.purging_after: dict[str, str] = {}  # purge: the row up to which one was looked through
