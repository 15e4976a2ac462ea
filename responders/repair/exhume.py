"""Exhume: what the bus buried is found, kept in quarantine and told, once each.

The responder's tick looks at the dead letters of every subscription now and then. They stay where
they are: only a resubmit takes one out. Where a subscription does not answer, the others go on.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from itertools import batched

from shared.domain.alerts.quarantine import BadInput, is_known
from shared.domain.alerts.unread import tell_full
from shared.domain.incidents.incident import Incident
from shared.domain.message import SUBSCRIPTIONS
from shared.errors import Conflict, NotFound, Unavailable
from shared.protocol.kept import find_kept
from shared.protocol.leftovers import Leftovers
from shared.protocol.quarantine import bad_letter, keep_input
from shared.protocol.revise import Revision, revise
from shared.services import Services

log = logging.getLogger("backstop.exhume")

EVERY_S = 120.0  # each look opens a link a subscription
MOST = 500  # dead letters of a subscription that are looked at; more come when these are gone
AT_ONCE = 25  # that are new and told in one tick: the others of the tick wait meanwhile


async def exhume(services: Services, _: Leftovers) -> None:
    """Keep and tell the dead letters that nobody knows of yet, when it is time again."""
    turns, now = services.memory.turns, services.now()
    if not turns.is_due("exhume", EVERY_S, now):
        return
    told = await asyncio.gather(*(_look(services, *one) for one in SUBSCRIPTIONS))
    if all(count < AT_ONCE for count in told):  # or the next tick goes on
        turns.take("exhume", now)


async def _look(services: Services, topic: str, subscription: str) -> int:
    """Tell what is new in one subscription; answer how much it was."""
    seen_at = services.now()
    try:
        letters = await services.bus.dead_letters(topic, subscription, MOST)
    except (NotFound, Unavailable) as error:
        log.warning("dead letters cannot be looked at: %s", error)
        return 0
    found = {
        (bad.id, letter.enqueued): bad
        for letter in letters
        for bad in [bad_letter(topic, subscription, letter, seen_at)]
    }
    known = services.memory.known_letters.setdefault(f"{topic}/{subscription}", set())
    known.intersection_update(found)  # what was resubmitted and is back was enqueued anew
    new = await _unknown(services, [bad for name, bad in found.items() if name not in known])
    for bad in new:
        await keep_input(services, bad)
    if len(new) < AT_ONCE:
        known.update(found)
    if len(letters) >= MOST:
        await _tell_full(services, next(iter(found.values())))
    return len(new)


async def _tell_full(services: Services, bad: BadInput) -> None:
    log.warning("%d dead letters or more in %s: no more can be seen", MOST, bad.source)
    kept = await find_kept(services, bad.id)
    if kept is not None and kept.value.incident:

        def take(incident: Incident) -> Revision:
            return Revision(step=tell_full(incident, bad.source, MOST, services.now()))

        with suppress(Conflict, NotFound):  # the next look says it
            await revise(services, kept.value.incident, take)


async def _unknown(services: Services, found: Sequence[BadInput]) -> list[BadInput]:
    """The first of those that nobody was told of."""
    new: list[BadInput] = []
    for some in batched(found, AT_ONCE, strict=False):
        rows = await asyncio.gather(*(find_kept(services, bad.id) for bad in some))
        pairs = zip(some, rows, strict=True)
        new += [bad for bad, row in pairs if not is_known(row.value if row else None, bad)]
        if len(new) >= AT_ONCE:
            break
    return new[:AT_ONCE]
