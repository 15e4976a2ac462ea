"""The messages of one subscription, or of its dead-letter queue: delivery, locks, settlement.

Rules of the service that hold here: a delivery counts when it ends badly (abandon, or a lock that
runs out), not when it starts; at the maximum the message moves to the dead-letter queue; a broken
connection does not end a lock, only time does; a dead-letter queue never expires anything.
"""

import heapq
from collections import deque
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from infra.local.bus.clock import Clock
from infra.local.bus.config import SubscriptionProperties
from infra.local.bus.messages import NEVER, State, StoredMessage
from infra.local.bus.receiving import Receiver, Settlement
from infra.local.bus.refusals import lock_lost, message_not_found, not_allowed

DEAD_LETTER_SUFFIX = "/$DeadLetterQueue"
REASON, DESCRIPTION = "DeadLetterReason", "DeadLetterErrorDescription"


class Queue:
    """Messages in the order of their sequence numbers; `dead_letters` is where the hopeless go."""

    def __init__(
        self,
        path: str,
        properties: SubscriptionProperties,
        clock: Clock,
        *,
        dead_letters: "Queue | None" = None,
    ) -> None:
        self.path = path
        self.dead_letters = dead_letters
        self._properties = properties
        self._clock = clock
        self._lock_s = properties.lock_duration.total_seconds()
        self._messages: dict[int, StoredMessage] = {}
        self._ready: list[int] = []
        self._locked: dict[UUID, StoredMessage] = {}
        self._receivers: deque[Receiver] = deque()

    def accept(self, message: StoredMessage) -> None:
        """Store `message` and hand it to whoever waits."""
        self._messages[message.sequence_number] = message
        if message.expires != NEVER:
            self._clock.at(message.expires, lambda: self._expire(message))
        self._make_ready(message)
        self.pump()

    def attach(self, receiver: Receiver) -> None:
        """Let `receiver` have messages, in turn with the others."""
        self._receivers.append(receiver)
        self.pump()

    def detach(self, receiver: Receiver) -> None:
        """Give `receiver` nothing more; what it holds stays locked until the locks run out."""
        if receiver in self._receivers:
            self._receivers.remove(receiver)

    def pump(self) -> None:
        """Hand out what is ready, round robin, until nobody wants more."""
        unwilling = 0
        while self._ready and unwilling < len(self._receivers):
            receiver = self._receivers[0]
            self._receivers.rotate(-1)
            if not receiver.wants():
                unwilling += 1
                continue
            unwilling = 0
            message = self._next_ready()
            if message is not None:
                self._give(message, receiver)

    def settle(
        self, token: UUID, settlement: Settlement, properties: dict[str, Any] | None = None
    ) -> None:
        """End the lock `token` in the way of `settlement`; raises Refusal when it is lost."""
        message = self._held(token)
        if properties and settlement is not Settlement.DEAD_LETTER:
            message.added = {**message.added, **properties}
        match settlement:
            case Settlement.COMPLETE:
                self._remove(message)
            case Settlement.ABANDON:
                self._count_and_return(message)
            case Settlement.RELEASE:
                self._return(message)
            case Settlement.DEFER:
                self._defer(message)
            case Settlement.DEAD_LETTER:
                self._bury(message, properties or {})
        self.pump()

    def renew(self, token: UUID) -> float:
        """Let the lock run its full time from now, and return when it ends."""
        message = self._held(token)
        message.locked_until = self._clock.now() + self._lock_s
        return message.locked_until

    def peek(self, start: int, limit: int) -> list[StoredMessage]:
        """Return up to `limit` messages from sequence number `start` on, without locking them."""
        numbers = sorted(number for number in self._messages if number >= start)
        return [self._messages[number] for number in numbers[:limit]]

    def receive_deferred(self, numbers: Iterable[int], *, delete: bool) -> list[StoredMessage]:
        """Lock (or take away) deferred messages by number; all of them or, with a Refusal, none."""
        found = [self._deferred(number) for number in numbers]
        for message in found:
            if delete:
                self._remove(message)
            else:
                self._lock(message)
        return found

    def counts(self) -> dict[State, int]:
        """Return how many messages there are in each state."""
        states = [message.state for message in self._messages.values()]
        return {state: states.count(state) for state in State if state is not State.GONE}

    def _held(self, token: UUID) -> StoredMessage:
        message = self._locked.get(token)
        if message is None or message.locked_until <= self._clock.now():
            raise lock_lost()
        return message

    def _deferred(self, number: int) -> StoredMessage:
        message = self._messages.get(number)
        if message is None or message.state is not State.DEFERRED:
            raise message_not_found(number)
        return message

    def _make_ready(self, message: StoredMessage) -> None:
        message.state, message.token = State.ACTIVE, None
        heapq.heappush(self._ready, message.sequence_number)

    def _next_ready(self) -> StoredMessage | None:
        """Take the oldest ready message; numbers of messages that moved on are stale."""
        message = self._messages.get(heapq.heappop(self._ready))
        if message is None or message.state is not State.ACTIVE:
            return None
        if message.expires <= self._clock.now():
            self._expire(message)
            return None
        return message

    def _give(self, message: StoredMessage, receiver: Receiver) -> None:
        if receiver.deletes:
            self._remove(message)
        else:
            self._lock(message)
        receiver.deliver(message)

    def _lock(self, message: StoredMessage) -> None:
        token = uuid4()
        message.state, message.token = State.LOCKED, token
        message.locked_until = self._clock.now() + self._lock_s
        self._locked[token] = message
        self._clock.at(message.locked_until, lambda: self._check_lock(message, token))

    def _check_lock(self, message: StoredMessage, token: UUID) -> None:
        """When a lock's time is up: it was settled, renewed, or it is lost."""
        if token not in self._locked:
            return
        if message.locked_until > self._clock.now():
            self._clock.at(message.locked_until, lambda: self._check_lock(message, token))
            return
        self._count_and_return(message)
        self.pump()

    def _unlock(self, message: StoredMessage) -> None:
        if message.token is not None:
            self._locked.pop(message.token, None)

    def _count_and_return(self, message: StoredMessage) -> None:
        message.delivery_count += 1
        limit = self._properties.max_delivery_count
        if self.dead_letters and message.delivery_count >= limit:
            detail = f"Message could not be consumed after {limit} delivery attempts."
            self._bury(message, {REASON: "MaxDeliveryCountExceeded", DESCRIPTION: detail})
        else:
            self._return(message)

    def _return(self, message: StoredMessage) -> None:
        self._unlock(message)
        self._make_ready(message)
        self._expire(message)

    def _defer(self, message: StoredMessage) -> None:
        self._unlock(message)
        message.delivery_count += 1
        message.state, message.token = State.DEFERRED, None

    def _remove(self, message: StoredMessage) -> None:
        self._unlock(message)
        self._messages.pop(message.sequence_number, None)
        message.state = State.GONE

    def _expire(self, message: StoredMessage) -> None:
        """End a message whose time is over; a locked one ends when it comes back."""
        if message.state is not State.ACTIVE or message.expires > self._clock.now():
            return
        if self._properties.dead_lettering_on_message_expiration:
            detail = "The message expired and was dead lettered."
            self._bury(message, {REASON: "TTLExpiredException", DESCRIPTION: detail})
        else:
            self._remove(message)

    def _bury(self, message: StoredMessage, added: dict[str, Any]) -> None:
        if self.dead_letters is None:
            raise not_allowed("A message in a dead-letter queue cannot be dead-lettered.")
        self._remove(message)
        self.dead_letters.accept(
            StoredMessage(
                content=message.content,
                sequence_number=message.sequence_number,
                enqueued=message.enqueued,
                added={**message.added, **added},
                dead_letter_source=self.path,
                delivery_count=message.delivery_count,
            )
        )
