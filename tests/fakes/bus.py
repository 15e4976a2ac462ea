"""A bus in memory: keeps what was published, in order, until somebody takes it."""

from collections.abc import Sequence
from datetime import datetime
from typing import override

from shared.adapters.bus import Bus
from shared.domain.message import Message
from shared.errors import Unavailable
from tests.fakes.turns import Turns


class FakeBus(Bus):
    """Both topics. `out` makes it unreachable; `published` is the history of each topic."""

    def __init__(self, turns: Turns) -> None:
        self.out = False
        self.published: dict[str, list[Message]] = {"work": [], "changes": []}
        self._taken: dict[tuple[str, str], set[int]] = {}
        self._turns = turns

    @override
    async def publish(
        self, topic: str, messages: Sequence[Message], *, within_s: float = 1.0
    ) -> None:
        await self._turns.take(f"{topic}.publish")
        if self.out:
            raise Unavailable("bus", f"{topic} does not answer")
        self.published[topic].extend(messages)
        await self._turns.take(f"{topic}.published")

    def take(self, topic: str, subscription: str, now: datetime) -> list[Message]:
        """What is due for a subscription and it has not taken yet, in order."""
        taken = self._taken.setdefault((topic, subscription), set())
        due = [
            (number, message)
            for number, message in enumerate(self.published[topic])
            if number not in taken and (message.due is None or message.due <= now)
        ]
        taken.update(number for number, _ in due)
        return [message for _, message in due]

    def subjects(self, topic: str) -> list[str]:
        """The subjects of all messages that were published, for assertions."""
        return [message.subject for message in self.published[topic]]
