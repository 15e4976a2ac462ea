"""A subscription of the simulated bus: messages are locked, completed, given up, and come again."""

import asyncio
from datetime import datetime

from shared.domain.message import Message
from tests.fakes.services import Outside

LOCK_S = 30.0
LEAST_WAIT_S = 0.001  # a shorter one may be none at all, by the rounding of times


class Subscription:
    """At least once: a message that is not completed within its lock comes again."""

    def __init__(
        self, outside: Outside, topic: str, name: str, subjects: frozenset[str], again: int = 0
    ) -> None:
        self._outside = outside
        self._topic = topic
        self._name = name
        self._subjects = subjects
        self._again = again  # every so many messages one is handed out twice
        self._open: dict[int, tuple[Message, float, int]] = {}
        self._known = 0
        self._idle: list[asyncio.Future[None]] = []

    async def wait(self, at: float, now: datetime) -> None:
        """Wait until there may be something to receive: something new, or something due."""
        due = self._next_due(at, now)
        if due is not None and due <= at:
            return
        longest = LOCK_S  # whoever holds a message may have died meanwhile
        left = longest if due is None else min(due - at, longest)
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._idle.append(future)
        timer = loop.call_later(max(left, LEAST_WAIT_S), _wake, future)
        await future
        timer.cancel()

    def hear(self) -> None:
        """Something new was published: whoever waits looks."""
        idle, self._idle = self._idle, []
        for future in idle:
            _wake(future)

    def _next_due(self, at: float, now: datetime) -> float | None:
        """When the next message may be received; None where nothing is open."""
        if self._known < len(self._outside.bus.published[self._topic]):
            return at
        waits = [
            max(locked_until, at + (message.due - now).total_seconds() if message.due else 0.0)
            for message, locked_until, _ in self._open.values()
        ]
        return min(waits, default=None)

    def receive(self, at: float, now: datetime) -> tuple[int, Message] | None:
        """The oldest message that is due and that nobody holds."""
        published = self._outside.bus.published[self._topic]
        for number in range(self._known, len(published)):
            if not self._subjects or published[number].subject in self._subjects:
                self._open[number] = (published[number], 0.0, 0)
                first = published[number].attempt == 1  # copies of copies would only multiply
                if first and self._again and number % self._again == 0:
                    self._open[-number - 1] = (published[number], 0.0, 0)
        self._known = len(published)
        for number, (message, locked_until, deliveries) in sorted(self._open.items()):
            if locked_until <= at and (message.due is None or message.due <= now):
                self._open[number] = (message, at + LOCK_S, deliveries + 1)
                return number, message
        return None

    def complete(self, number: int) -> None:
        """The message is done."""
        self._open.pop(number, None)

    def abandon(self, number: int) -> None:
        """The message comes again at once, unless somebody else has completed it since."""
        if number not in self._open:
            return
        message, _, deliveries = self._open[number]
        self._open[number] = (message, 0.0, deliveries)
        self.hear()

    @property
    def topic(self) -> str:
        """Whose messages it hands out."""
        return self._topic

    @property
    def is_empty(self) -> bool:
        """Whether everything that was published is done."""
        return not self._open and self._known == len(self._outside.bus.published[self._topic])


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
