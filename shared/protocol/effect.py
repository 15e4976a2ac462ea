"""Effects: cards and pages, claimed before they are sent and marked when they were accepted.

The claim is a row that only one worker can insert. A claim without an end is taken up again by the
tick, so a card or a page may come twice after a crash, but never not at all.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from shared.domain.keys import shard_of_incident
from shared.domain.row import MUST_NOT_EXIST, Put, Remove, Write
from shared.errors import Conflict, RejectedInput
from shared.protocol.leftovers import Effect, Leftovers
from shared.services import Services

log = logging.getLogger("backstop.effect")

ABANDONED_AFTER = timedelta(seconds=20)  # longer than any provider's time-out

type Send = Callable[[Effect], Awaitable[str]]


def claim(services: Services, incident: str, name: str) -> Put:
    """The write that claims an effect; it conflicts where somebody has claimed it before."""
    effect = Effect(incident=incident, name=name, claimed_at=services.now())
    return Put(row=effect.open_row, value=effect, etag=MUST_NOT_EXIST)


async def claimed(services: Services, incident: str, name: str) -> bool:
    """Claim an effect that needs no other write with it; False where it is claimed or done."""
    shard = shard_of_incident(incident)
    wanted = claim(services, incident, name)
    if await services.state.read(shard, wanted.row.removeprefix("~"), Effect):
        return False
    try:
        await services.state.write(shard, [wanted])
    except Conflict:
        return False
    return True


async def deliver(services: Services, incident: str, name: str, send: Send) -> None:
    """Send a claimed effect and mark it done. Raises Unavailable where the provider is out.

    What the provider refuses is done, too: it would be refused for ever.
    """
    shard = shard_of_incident(incident)
    found = await services.state.read(shard, f"~effect|{incident}|{name}", Effect)
    if found is None:
        return
    try:
        detail = await send(found.value)
    except RejectedInput as error:
        log.error("%s of %s: %s", name, incident, error)  # noqa: TRY400 - it says all there is
        detail = f"refused: {error}"
    done = msgspec.structs.replace(found.value, done_at=services.now(), detail=detail)
    writes: list[Write] = [Remove(row=done.open_row), Put(row=done.done_row, value=done)]
    with contextlib.suppress(Conflict):  # the tick took it up meanwhile, and has said so
        await services.state.write(shard, writes)


def abandoned(services: Services, leftovers: Leftovers, prefix: str) -> list[Effect]:
    """Effects of a kind that were claimed a while ago: whoever claimed them has died."""
    before = services.now() - ABANDONED_AFTER
    return [
        effect
        for effect in leftovers.effects
        if effect.name.startswith(prefix) and effect.claimed_at < before
    ]


async def effects_of(services: Services, incident: str) -> list[Effect]:
    """All effects of an incident that are done."""
    shard = shard_of_incident(incident)
    rows = await services.state.scan(shard, f"effect|{incident}|", Effect)
    return [row.value for row in rows]
