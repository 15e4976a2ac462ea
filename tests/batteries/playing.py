"""Playing: one run in which nothing but a seed decides who goes on, who dies and when time passes.

The responders and the protocol are the real ones; the host around them is the least that at least
once means: a message that is not completed within its lock comes again.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, override

import msgspec

from shared.domain.message import Message
from shared.errors import Conflict, Unavailable
from shared.protocol.settle import Handler, settle
from shared.services import Services
from tests.fakes.services import FakeServices, Outside, make_settings
from tests.fakes.tables import FakeTable
from tests.fakes.turns import Killed
from tests.simulation.loop import VirtualLoop
from tests.simulation.scheduler import Scheduler, worker_name

LOCK_S = 30.0
IDLE_S = 2.5  # how often a subscription without messages is looked at


class Broken(AssertionError):
    """What must hold does not; the message says what, in one line."""


class Process(FakeServices):
    """The services of one process whose clock is the loop's."""

    @override
    def now(self) -> datetime:
        return self.outside.now + timedelta(seconds=asyncio.get_running_loop().time())


def process(outside: Outside, instance: str, **settings: Any) -> Process:
    """A new process, which remembers nothing."""
    return Process(outside, make_settings(instance=instance, **settings))


def stored[T: msgspec.Struct](table: FakeTable, prefix: str, kind: type[T]) -> list[T]:
    """Every stored value whose row begins so, of all partitions, read without a turn."""
    return [
        table.peek(partition, row, kind)
        for partition in table.partitions()
        for row in table.rows(partition, prefix)
    ]


def play[T](scheduler: Scheduler, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run to the end of `main` on a loop of made-up time; whoever still waits then is let go."""
    loop = VirtualLoop(scheduler.idle)
    scheduler.now = loop.time
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main())
    finally:
        scheduler.silence()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()


class Crew:
    """The workers of a run. What one of them raises, other than its death, ends up in `unforeseen`.

    A dead worker's task waits for ever: nothing of it runs, as after a kill.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self.unforeseen: list[str] = []
        self._scheduler = scheduler
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Start a worker under a name by which the scheduler may kill it."""

        async def live() -> None:
            try:
                await work
            except Killed:
                return

        given = worker_name.set(name)
        task = asyncio.get_running_loop().create_task(live())
        worker_name.reset(given)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def is_dead(self, name: str) -> bool:
        """Whether the scheduler has killed the worker of that name."""
        return name in self._scheduler.dead

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            self.unforeseen.append(repr(task.exception()))


class Subscription:
    """At least once: a message that is not completed within its lock comes again."""

    def __init__(self, outside: Outside, topic: str, name: str, *subjects: str) -> None:
        self._published = outside.bus.published[topic]
        self._topic = topic
        self._name = name
        self._subjects = subjects
        self._open: dict[int, tuple[Message, float]] = {}
        self._known = 0

    @property
    def is_empty(self) -> bool:
        """Whether everything that was published is done."""
        return not self._open and self._known == len(self._published)

    async def consume(self, services: Services, handle: Handler) -> None:
        """Receive, settle and complete for ever, as the host does; what raises is abandoned."""
        loop = asyncio.get_running_loop()
        while True:
            number = self._receive(loop.time(), services.now())
            if number is None:
                await asyncio.sleep(IDLE_S)
                continue
            try:
                message = self._open[number][0]
                await settle(services, self._topic, self._name, message, handle)
            except (Unavailable, Conflict):
                self._lock(number, loop.time() + 1.0)
            else:
                self._open.pop(number, None)

    def _receive(self, at: float, now: datetime) -> int | None:
        for number in range(self._known, len(self._published)):
            message = self._published[number]
            if not self._subjects or message.subject in self._subjects:
                self._open[number] = (message, 0.0)
        self._known = len(self._published)
        for number, (message, locked_until) in sorted(self._open.items()):
            if locked_until <= at and (message.due is None or message.due <= now):
                self._lock(number, at + LOCK_S)
                return number
        return None

    def _lock(self, number: int, until: float) -> None:
        if number in self._open:
            self._open[number] = (self._open[number][0], until)
