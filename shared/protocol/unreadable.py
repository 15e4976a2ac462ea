"""Unreadable: whoever finds a row of ours that it cannot read goes on.

Only who looks through many rows for what is to be done goes on so (`Table.scan_readable`).
Controls, holds and the ledger must be known as a whole, and fail closed. What is noted here the
tick tells of (`responders.repair.relay`).
"""

import logging

import msgspec

from shared.domain.alerts.unreadable import Seen
from shared.domain.row import Found, Stored
from shared.services import Services

log = logging.getLogger("backstop.unreadable")


def only_readable[T: msgspec.Struct](
    services: Services, table: str, partition: str, found: Found[T]
) -> list[Stored[T]]:
    """The rows of a range that can be read; what cannot be is noted."""
    for row in found.unreadable:
        note_unreadable(services, table, partition, row)
    return found.rows


def note_unreadable(services: Services, table: str, partition: str, row: str) -> None:
    """Log a row by its name, never its content, when it is first found; remember since when."""
    place, now = f"{table}/{partition}/{row}", services.now()
    known = services.memory.unreadable.get(place)
    if known is None or known.is_over(now):
        log.error("a row cannot be read and is left out: %s", place)
        known = Seen(first=now, last=now)
    services.memory.unreadable[place] = Seen(first=known.first, last=now)
