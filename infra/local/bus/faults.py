"""Faults that a test orders: each happens a given number of times, then the bus is well again."""

from collections import Counter
from enum import StrEnum

ANYWHERE = "*"


class Fault(StrEnum):
    """What can go wrong between a client and the bus."""

    DROP_BEFORE_SEND = "the connection breaks, the message was not stored"
    DROP_AFTER_SEND = "the message was stored, the connection breaks before the sender hears of it"
    DROP_BEFORE_SETTLE = "the connection breaks, the message stays locked"
    DROP_AFTER_SETTLE = "the message is settled, the connection breaks before the receiver hears"
    SERVER_BUSY = "a send is throttled"


class Faults:
    """The faults still to come, by kind and entity."""

    def __init__(self) -> None:
        self._planned: Counter[tuple[Fault, str]] = Counter()

    def arm(self, fault: Fault, path: str = ANYWHERE, *, times: int = 1) -> None:
        """Let `fault` happen the next `times` times at the entity `path`."""
        self._planned[fault, path.lower()] += times

    def take(self, fault: Fault, path: str) -> bool:
        """Whether `fault` happens now at `path`; it is used up by asking."""
        for key in ((fault, path.lower()), (fault, ANYWHERE)):
            if self._planned[key] > 0:
                self._planned[key] -= 1
                return True
        return False
