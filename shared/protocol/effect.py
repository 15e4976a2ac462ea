"""Effects: cards and pages, claimed before they are sent and marked when they were accepted.

The claim is a row that only one worker can insert. A claim without an end is taken up again by the
tick, so a card or a page may come twice after a crash, but never not at all. While one worker
sends, no other does.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from shared.domain.keys import shard_of_incident
from shared.domain.row import MUST_NOT_EXIST, Put, Remove, Write
from shared.errors import Conflict, RejectedInput, Unavailable
from shared.protocol.leftovers import Effect, Leftovers
from shared.services import Services

log = logging.getLogger("backstop.effect")

ABANDONED_AFTER = timedelta(seconds=20)  # longer than a pager and its fallback take to time out

type Send = Callable[[Effect], Awaitable[str]]


def claim(services: Services, incident: str, name: str) -> Put:
    """The write that claims an effect; it conflicts where somebody has claimed it before."""
    effect = Effect(incident=incident, name=name, claimed_at=services.now())
    return Put(row=effect.open_row, value=effect, etag=MUST_NOT_EXIST)


async def claimed(services: Services, incident: str, name: str) -> bool:
    """Claim an effect that needs no other write with it; False where it is claimed or done."""
    shard = shard_of_incident(incident)
    wanted = claim(services, incident, name)
    done_row = wanted.row.removeprefix("~")
    if await services.state.read(shard, done_row, Effect):
        return False
    # The second row stays: who looked before the effect was done cannot claim it anew behind that.
    once = Put(row=done_row, value=wanted.value, etag=MUST_NOT_EXIST)
    try:
        await services.state.write(shard, [wanted, once])
    except Conflict:
        return False
    return True


async def deliver(services: Services, incident: str, name: str, send: Send) -> None:
    """Send a claimed effect, unless somebody else is at it, and mark it done.

    Raises Unavailable where the provider is out. What it refuses is done, too: it would be refused
    for ever.
    """
    shard = shard_of_incident(incident)
    effect = await _take(services, shard, f"~effect|{incident}|{name}")
    if effect is None:
        return
    try:
        detail = await send(effect)
    except RejectedInput as error:
        log.error("%s of %s: %s", name, incident, error)  # noqa: TRY400 - it says all there is
        detail = f"refused: {error}"
    except Unavailable:
        await _leave(services, shard, effect)
        raise
    done = msgspec.structs.replace(
        effect, sending_until=None, done_at=services.now(), detail=detail
    )
    writes: list[Write] = [Remove(row=done.open_row), Put(row=done.done_row, value=done)]
    with contextlib.suppress(Conflict):  # the tick took it up meanwhile, and has said so
        await services.state.write(shard, writes)


async def _take(services: Services, shard: str, row: str) -> Effect | None:
    """Take an effect to send it; None where it is done, or somebody else is sending it."""
    found = await services.state.read(shard, row, Effect)
    now = services.now()
    busy_until = found.value.sending_until if found else None
    if found is None or (busy_until is not None and now < busy_until):
        return None
    taken = msgspec.structs.replace(found.value, sending_until=now + ABANDONED_AFTER)
    try:
        await services.state.write(shard, [Put(row=row, value=taken, etag=found.etag)])
    except Conflict:
        return None
    return taken


async def _leave(services: Services, shard: str, effect: Effect) -> None:
    """Let the next try be anybody's, now; without tables it is once the time is over.

    What somebody else has taken up or sent meanwhile is theirs, and is not put back.
    """
    free = msgspec.structs.replace(effect, sending_until=None)
    with contextlib.suppress(Conflict, Unavailable):
        found = await services.state.read(shard, effect.open_row, Effect)
        if found is not None and found.value.sending_until == effect.sending_until:
            put = Put(row=effect.open_row, value=free, etag=found.etag)
            await services.state.write(shard, [put])


def abandoned(services: Services, leftovers: Leftovers, prefix: str) -> list[Effect]:
    """Effects of a kind that were claimed a while ago: whoever claimed them has died."""
    before = services.now() - ABANDONED_AFTER
    return [
        effect
        for effect in leftovers.effects
        if effect.name.startswith(prefix) and effect.claimed_at < before
    ]
