"""A message as one subscription holds it: the sender's content and what became of it here."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from infra.local.bus.config import SubscriptionProperties
from infra.local.bus.content import Content
from infra.local.bus.values import Int, Long, Symbol, Timestamp

NEVER = float("inf")


class State(StrEnum):
    """Where a message is in its life."""

    ACTIVE = "active"
    LOCKED = "locked"
    DEFERRED = "deferred"
    GONE = "gone"


_STATE_ON_WIRE = {State.DEFERRED: Int(1)}


@dataclass(slots=True, eq=False)
class StoredMessage:
    """Times are seconds since the epoch; `added` are properties that the broker or a receiver set.

    `token` is the key of the current lock, which holds until `locked_until`.
    """

    content: Content
    sequence_number: int
    enqueued: float
    expires: float = NEVER
    added: dict[str, Any] = field(default_factory=dict)
    dead_letter_source: str | None = None
    state: State = State.ACTIVE
    delivery_count: int = 0
    token: UUID | None = None
    locked_until: float = 0.0

    def encode(self) -> bytes:
        """Return the message as a receiver gets it."""
        return self.content.encode(
            delivery_count=self.delivery_count, annotations=self._annotations(), added=self.added
        )

    def _annotations(self) -> dict[Any, Any]:
        annotations: dict[Any, Any] = {
            Symbol("x-opt-enqueued-time"): _timestamp(self.enqueued),
            Symbol("x-opt-sequence-number"): Long(self.sequence_number),
            Symbol("x-opt-enqueue-sequence-number"): Long(self.sequence_number),
            Symbol("x-opt-message-state"): _STATE_ON_WIRE.get(self.state, Int(0)),
        }
        if self.token:
            annotations[Symbol("x-opt-locked-until")] = _timestamp(self.locked_until)
        if self.dead_letter_source:
            annotations[Symbol("x-opt-deadletter-source")] = self.dead_letter_source
        return annotations


def new_message(
    content: Content, *, number: int, now: float, properties: SubscriptionProperties, ttl_s: float
) -> StoredMessage:
    """Return `content` as a subscription stores it: the shortest time to live counts."""
    own = properties.default_message_time_to_live
    limits = [ttl_s, own.total_seconds() if own else NEVER, content.time_to_live_s]
    lives = min(limit for limit in limits if limit is not None)
    return StoredMessage(content=content, sequence_number=number, enqueued=now, expires=now + lives)


def _timestamp(seconds: float) -> Timestamp:
    return Timestamp(int(seconds * 1000))
