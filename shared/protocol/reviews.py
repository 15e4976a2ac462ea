"""Reviews as they are stored: found by their id, or all that are open.

They lie in the shards of their incidents, open ones under `~`. Reading all of them is one range
read a shard; a page asks only the shards of the services that it shows.
"""

import asyncio
from collections.abc import Iterable

from shared.domain.keys import shard_of_incident, shards
from shared.domain.reviews.review import Review, closed_row, incident_of, open_row
from shared.domain.row import Stored
from shared.errors import NotFound
from shared.protocol.unreadable import only_readable
from shared.services import Services

LANES = 8


async def read_review(services: Services, review_id: str) -> Stored[Review]:
    """The review of that id, open or closed. Raises NotFound and Unavailable."""
    shard = shard_of_incident(incident_of(review_id))
    for row in (open_row(review_id), closed_row(review_id)) if shard else ():
        found = await services.state.read(shard, row, Review)
        if found is not None:
            return found
    raise NotFound(f"no review {review_id}")


async def open_reviews(services: Services, among: Iterable[str] | None = None) -> list[Review]:
    """The reviews that are open in those shards, else in all, the first due first.

    One that cannot be read hides no other: it is left out, and told of. Raises Unavailable.
    """
    lanes = asyncio.Semaphore(LANES)

    async def one(shard: str) -> list[Review]:
        async with lanes:
            found = await services.state.scan_readable(shard, open_row(""), Review)
        return [row.value for row in only_readable(services, "state", shard, found)]

    every = sorted(set(shards() if among is None else among))
    found = await asyncio.gather(*(one(shard) for shard in every))
    return sorted((review for some in found for review in some), key=lambda one: one.due_at)
