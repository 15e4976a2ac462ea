"""Leftovers: what a killed process or a part that was out left behind, found by every tick.

Everything unfinished lies under `~` in the shard of the state that it belongs to: messages that the
bus has not taken, cards and pages that were claimed and not sent, intents that have not ended,
mandatory reviews that nobody has closed. One range read a shard finds them all; where that is cut
off, one more a kind, so that many cards that wait hide no intent. A tick reads the shards where
something can be, those of the catalog's services, of Backstop's own and of open incidents, and a
few others in turn, so none is forgotten.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.domain.event import ITSELF
from shared.domain.keys import shard_of, shard_of_incident, shards
from shared.domain.message import Message
from shared.domain.reviews.review import Review
from shared.domain.row import Found
from shared.protocol.listing import open_pointers
from shared.protocol.records import CONTROLS
from shared.protocol.unreadable import only_readable
from shared.services import Services

LANES = 8
IN_TURN = 8  # shards that every tick reads beside the likely ones
MOST = 200  # rows of a kind in a shard and tick
KINDS = ("~effect|", "~intent|", "~out|", "~review|")  # in key order


class OutboxEntry(msgspec.Struct, frozen=True, kw_only=True, tag="message"):
    """A message that belongs to committed state and has not been taken by the bus yet."""

    topic: str
    message: Message
    committed_at: datetime

    @property
    def row(self) -> str:
        """Where it lies in the shard of the state that it belongs to."""
        return f"~out|{self.message.message_id}"


class Effect(msgspec.Struct, frozen=True, kw_only=True, tag="effect"):
    """One card or page of an incident. `name` is unique in the incident, such as "card-opened".

    Until `sending_until` one worker is at it, and nobody else sends it.
    """

    incident: str
    name: str
    claimed_at: datetime
    sending_until: datetime | None = None
    done_at: datetime | None = None
    detail: str = ""

    @property
    def open_row(self) -> str:
        """Where it lies until the provider has accepted it."""
        return f"~effect|{self.incident}|{self.name}"

    @property
    def done_row(self) -> str:
        """Where it lies for good."""
        return f"effect|{self.incident}|{self.name}"


class OpenIntent(msgspec.Struct, frozen=True, kw_only=True, tag="intent"):
    """A marker for an intent that has not ended."""

    service: str
    plan: str

    @property
    def row(self) -> str:
        """Where it lies until the intent has ended."""
        return f"~intent|{self.plan}"


type Leftover = OutboxEntry | Effect | OpenIntent | Review
ANY: Any = OutboxEntry | Effect | OpenIntent | Review  # the tag of a row tells which it is


class Leftovers(msgspec.Struct, frozen=True, kw_only=True):
    """What one tick found, by shard for the messages. `turn` counts the ticks of a process."""

    turn: int = 0
    messages: dict[str, list[OutboxEntry]]
    effects: list[Effect]
    intents: list[OpenIntent]
    reviews: list[Review] = []


async def find_leftovers(services: Services) -> Leftovers:
    """Read what is unfinished; of a row that nobody can read its place. Raises Unavailable."""
    lanes, turn = asyncio.Semaphore(LANES), next(services.memory.ticks)

    async def one(shard: str) -> tuple[str, list[Leftover]]:
        async with lanes:
            return shard, await _read_shard(services, shard)

    found = await asyncio.gather(*(one(shard) for shard in await _shards(services, turn)))
    services.memory.shut_out_since = None
    every = [leftover for _, leftovers in found for leftover in leftovers]
    return Leftovers(
        turn=turn,
        messages={
            shard: [left for left in leftovers if isinstance(left, OutboxEntry)]
            for shard, leftovers in found
        },
        effects=[left for left in every if isinstance(left, Effect)],
        intents=[left for left in every if isinstance(left, OpenIntent)],
        reviews=[left for left in every if isinstance(left, Review)],
    )


async def _read_shard(services: Services, shard: str) -> list[Leftover]:
    first = await _scan(services, shard, "~", "", MOST)
    found, names = [first], first.names
    if len(names) == MOST:
        for kind in KINDS:
            known = [name for name in names if name.startswith(kind)]
            after = known[-1] if known else kind
            if names[-1] <= after and len(known) < MOST:  # the first read did not reach its end
                found.append(await _scan(services, shard, kind, after, MOST - len(known)))
    return [row.value for some in found for row in some.rows]


async def _scan(
    services: Services, shard: str, prefix: str, after: str, limit: int
) -> Found[Leftover]:
    found = await services.state.scan_readable(shard, prefix, ANY, after=after, limit=limit)
    only_readable(services, "state", shard, found)
    return found


async def _shards(services: Services, turn: int) -> list[str]:
    owned = {shard_of(service) for service in (ITSELF, *services.catalog.services)}
    opened: set[str] = set()
    async for pointers in open_pointers(services):
        opened |= {shard_of_incident(pointer.value.incident) for pointer in pointers}
    return sorted(owned | opened | in_turn(shards(), turn, IN_TURN) | {CONTROLS})


def in_turn(names: Sequence[str], turn: int, count: int) -> set[str]:
    """Some of the names, others at every turn, so that each comes up however often one looks."""
    return {names[(turn * count + number) % len(names)] for number in range(count)}
