"""What stands between a queue and those who read from it: a receiver, and what it may decide."""

from enum import StrEnum
from typing import Protocol

from infra.local.bus.messages import StoredMessage


class Settlement(StrEnum):
    """What a receiver may do with a message that it holds."""

    COMPLETE = "complete"
    ABANDON = "abandon"
    RELEASE = "release"
    DEFER = "defer"
    DEAD_LETTER = "dead-letter"


class Receiver(Protocol):
    """Someone who takes messages; `deletes` when taking is already settling."""

    deletes: bool

    def wants(self) -> bool:
        """Whether one more message is welcome now."""

    def deliver(self, message: StoredMessage) -> None:
        """Take one message."""
