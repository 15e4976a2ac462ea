"""A bus in memory: keeps what was published, in order, until somebody takes it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import override

import msgspec

from shared.adapters.bus import Bus
from shared.domain.message import DeadLetter, Message
from shared.errors import Refused, RejectedInput, Unavailable
from tests.fakes.turns import Turns

MOST_BYTES = 256_000  # of a message in the standard tier; the premium tier takes more


class FakeBus(Bus):
    """Both topics. `out` makes it unreachable; `published` is the history of each topic.

    `heard` is told of a topic as soon as something was published on it; `warmed` has the topics
    whose links were opened ahead of time; `buried` has the dead letters of each subscription. What
    `loses` says yes to is taken, and handed out to nobody. `withheld` are the topics that may not
    be sent to, and the subscriptions, "work/executor", that may not be received from.
    """

    def __init__(self, turns: Turns) -> None:
        self.out = False
        self.takes = MOST_BYTES
        self.heard: Callable[[str], None] | None = None
        self.loses: Callable[[str, Message], bool] = lambda _topic, _message: False
        self.withheld: set[str] = set()
        self.published: dict[str, list[Message]] = {"work": [], "changes": []}
        self.warmed: list[str] = []
        self.buried: dict[tuple[str, str], list[DeadLetter]] = {}
        self._taken: dict[tuple[str, str], set[int]] = {}
        self._turns = turns

    @override
    async def publish(
        self, topic: str, messages: Sequence[Message], *, within_s: float = 1.0
    ) -> None:
        await self._turns.take(f"{topic}.publish")
        if self.out:
            raise Unavailable("bus", f"{topic} does not answer")
        self._admit(topic)
        fit = [message for message in messages if len(message.body.encode()) < self.takes]
        self.published[topic].extend(one for one in fit if not self.loses(topic, one))
        if self.heard is not None:
            self.heard(topic)
        await self._turns.take(f"{topic}.published")
        if len(fit) < len(messages):
            raise RejectedInput("message-too-large", "send a key, not the payload")

    @override
    async def warm(self, topics: Sequence[str], *, within_s: float = 5.0) -> None:
        await self._turns.take("bus.warm")
        if self.out:
            raise Unavailable("bus", "no link can be opened")
        self._admit(*topics)
        self.warmed.extend(topics)

    @override
    async def dead_letters(
        self, topic: str, subscription: str, limit: int = 20
    ) -> list[DeadLetter]:
        await self._turns.take(f"{topic}.peek")
        if self.out:
            raise Unavailable("bus", f"{topic}/{subscription} does not answer")
        self._admit(f"{topic}/{subscription}")
        return self.buried.get((topic, subscription), [])[:limit]

    @override
    async def resubmit_dead_letter(self, topic: str, subscription: str, message_id: str) -> bool:
        letters = self.buried.get((topic, subscription), [])
        found = next((one for one in letters if one.message.message_id == message_id), None)
        if found is None:
            return False
        await self.publish(
            topic, [msgspec.structs.replace(found.message, attempt=1, only_for=subscription)]
        )
        letters.remove(found)
        return True

    @override
    async def discard_dead_letter(self, topic: str, subscription: str, message_id: str) -> bool:
        await self._turns.take(f"{topic}.discard")
        if self.out:
            raise Unavailable("bus", f"{topic}/{subscription} does not answer")
        letters = self.buried.get((topic, subscription), [])
        found = next((one for one in letters if one.message.message_id == message_id), None)
        if found is not None:
            letters.remove(found)
        await self._turns.take(f"{topic}.discarded")
        return found is not None

    def _admit(self, *places: str) -> None:
        if self.withheld & {*places}:
            raise Refused("bus", "ServiceBusAuthorizationError")

    def bury(self, topic: str, subscription: str, message: Message, now: datetime) -> None:
        """Let a message have failed ten times."""
        letter = DeadLetter(
            message=message,
            reason="MaxDeliveryCountExceeded",
            detail="Message could not be consumed after 10 delivery attempts.",
            deliveries=10,
            enqueued=now,
        )
        self.buried.setdefault((topic, subscription), []).append(letter)

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
