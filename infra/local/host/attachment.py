"""Which receivers are attached to the bus, and a word when it goes and when it is back.

Many receivers lose the bus at once; an operator wants one line, not forty.
"""

import asyncio
import logging
from collections.abc import Iterable

log = logging.getLogger(__name__)


class Attachment:
    """Knows the receivers that are not attached; `complete` is set while there is none."""

    def __init__(self, receivers: Iterable[str]) -> None:
        self._missing = set(receivers)
        self._is_out = False
        self.complete = asyncio.Event()
        self._settle()

    def gained(self, receiver: str) -> None:
        """Note that a receiver is attached; the last one ends an outage."""
        self._missing.discard(receiver)
        self._settle()

    def lost(self, receiver: str, reason: Exception) -> None:
        """Note that a receiver lost the bus, or did not get it; the first one begins an outage."""
        self._missing.add(receiver)
        self.complete.clear()
        if not self._is_out:
            self._is_out = True
            log.warning("bus lost, trying again: %s", _one_line(reason))

    def _settle(self) -> None:
        if self._missing:
            return
        self.complete.set()
        if self._is_out:
            self._is_out = False
            log.warning("bus is back, all receivers attached")


def _one_line(reason: Exception) -> str:
    return f"{type(reason).__name__}: {reason}".partition("\n")[0]
