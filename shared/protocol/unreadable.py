"""Unreadable: whoever finds a row of ours that it cannot read goes on, and a tick tells of it.

Only who looks through many rows for what is to be done goes on so (`Table.scan_readable`).
Controls, holds and the ledger must be known as a whole, and fail closed. Both apps look, because
one may know what the other does not.
"""

import contextlib
import logging

from shared.domain.alerts.unreadable import Seen, open_unreadable
from shared.errors import Conflict
from shared.services import Services

log = logging.getLogger("backstop.unreadable")

ROW = "unreadable|rows"  # names the incident that tells of all


def note_unreadable(services: Services, table: str, partition: str, row: str) -> None:
    """Log a row by its name, never its content, when it is first found; remember since when."""
    place, now = f"{table}/{partition}/{row}", services.now()
    known = services.memory.unreadable.get(place)
    if known is None or known.is_over(now):
        log.error("a row cannot be read and is left out: %s", place)
        known = Seen(first=now, last=now)
    services.memory.unreadable[place] = Seen(first=known.first, last=now)


async def tell_unreadable(services: Services) -> None:
    """Wake a person for what has lasted, or leave it to the incident that is open.

    Raises Unavailable: the next tick tells of it.
    """
    from shared.protocol.commit import commit  # noqa: PLC0415 - its relay tells by this room
    from shared.protocol.waking import SHARD, wake  # noqa: PLC0415 - it lists, which notes here

    memory, now = services.memory, services.now()
    found = {place: seen for place, seen in memory.unreadable.items() if not seen.is_over(now)}
    memory.unreadable = found
    places = sorted(place for place, seen in found.items() if seen.lasts(now))
    if not places:
        return
    waking = await wake(services, ROW, now, lambda: open_unreadable(places, SHARD, now))
    if waking.events:
        with contextlib.suppress(Conflict):  # the other app has just told of it
            await commit(services, SHARD, waking.writes, events=waking.events)
