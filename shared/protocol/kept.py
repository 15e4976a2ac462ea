"""Kept: what lies in quarantine, to be listed, read and marked as put right.

All rows lie in one shard, the lists among them, so each change of them is one transaction and a
list never names what is not there. A list holds places only: the bodies are read one by one.
"""

import asyncio
import re

import msgspec

from shared.domain.alerts.quarantine import Body, Quarantined, tell_discarded, tell_resubmitted
from shared.domain.event import ITSELF
from shared.domain.keys import shard_of
from shared.domain.message import Message
from shared.domain.row import Put, Remove, Stored, Write
from shared.errors import NotFound
from shared.protocol.commit import commit
from shared.protocol.listing import FAR
from shared.services import Services

SHARD = shard_of(ITSELF)
ALL, KEPT = "quarantine-all|", "quarantine-kept|"
WOKE = "quarantine-woke|"  # what waits and woke somebody


_KEY = re.compile("[0-9a-f]{1,64}")  # what else is asked for may be no table key


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where kept input is in a list."""

    id: str


async def find_kept(services: Services, key: str) -> Stored[Quarantined] | None:
    """What is known about input of that id; None where it was never kept."""
    return await services.state.read(SHARD, kept_row(key), Quarantined)


async def read_kept(services: Services, key: str) -> Stored[Quarantined]:
    """The same, where it must be there. Raises NotFound."""
    found = await find_kept(services, key) if _KEY.fullmatch(key) else None
    if found is None:
        raise NotFound(f"nothing in quarantine is called {key}")
    return found


async def read_body(services: Services, key: str) -> bytes:
    """The kept body itself. Raises NotFound."""
    found = await services.state.read(SHARD, body_row(key), Body)
    if found is None:
        raise NotFound(f"nothing in quarantine is called {key}")
    return found.value.content


async def list_kept(
    services: Services, *, waiting: bool = False, after: str = "", limit: int = 50
) -> tuple[list[Quarantined], str]:
    """A page of the quarantine, newest first, and the `after` of the next page.

    `waiting` leaves out what was resubmitted or discarded.
    """
    prefix = KEPT if waiting else ALL
    behind = prefix + after if after else ""
    places = await services.state.scan(SHARD, prefix, Place, after=behind, limit=limit)
    found = await asyncio.gather(*(find_kept(services, place.value.id) for place in places))
    following = places[-1].row.removeprefix(prefix) if len(places) == limit else ""
    return [one.value for one in found if one is not None], following


async def count_waiting(services: Services, limit: int) -> int:
    """How many inputs woke somebody and wait, counted up to `limit`: noise drowns none of them."""
    return len(await services.state.scan(SHARD, WOKE, Place, limit=limit))


async def mark_resubmitted(
    services: Services, was: Stored[Quarantined], now: Quarantined, why: str, body: bytes | None
) -> None:
    """Store that input was resubmitted, with the event; with a `body` send it to its topic, too.

    Raises Conflict where somebody else changed it meanwhile, and Unavailable.
    """
    copies = [] if body is None else [_copy(now, body)]
    event = tell_resubmitted(now, why)
    await commit(services, SHARD, _ended(was, now), events=[event], resubmitted=copies)


async def mark_discarded(
    services: Services, was: Stored[Quarantined], now: Quarantined, why: str
) -> None:
    """Store that nothing is to be done with input, with the event; raises the same."""
    await commit(services, SHARD, _ended(was, now), events=[tell_discarded(now, why)])


def _ended(was: Stored[Quarantined], now: Quarantined) -> list[Write]:
    """The row as it is now, and its places among those that wait."""
    lists = (KEPT, WOKE) if was.value.incident else (KEPT,)
    places = [Remove(row=name + place_of(was.value)) for name in lists]
    return [Put(row=was.row, value=now, etag=was.etag), *places]


def _copy(kept: Quarantined, body: bytes) -> tuple[str, Message]:
    """A first attempt under a name of its own: the first one's may not be a table's key."""
    name = f"resubmit:{kept.id}:{kept.times}"
    text = body.decode("utf-8", "replace")
    return kept.address.topic, Message(subject=kept.address.subject, body=text, message_id=name)


def kept_row(key: str) -> str:
    """The row of what is known about kept input."""
    return f"quarantine|{key}"


def body_row(key: str) -> str:
    """The row of its body."""
    return f"quarantine-body|{key}"


def place_of(kept: Quarantined) -> str:
    """Sorts newest first, by the millisecond: in a second many inputs may come."""
    return f"{1000 * FAR - int(1000 * kept.at.timestamp()):015d}|{kept.id}"
