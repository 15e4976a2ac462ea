"""Relay: what the bus did not take when it was committed is sent, or kept in quarantine.

Both apps' ticks run it. Last it tells of rows that cannot be read: each app looks through them,
because one may know what the other does not.
"""

import contextlib
from collections.abc import Sequence

from shared.domain.alerts.unreadable import open_unreadable
from shared.domain.message import CHANGES, WORK
from shared.errors import Conflict, RejectedInput, Unavailable
from shared.protocol.commit import PUBLISH_WITHIN_S, RELAY_AFTER, commit, forget_sent
from shared.protocol.leftovers import Leftovers, OutboxEntry
from shared.protocol.quarantine import keep_message
from shared.protocol.waking import SHARD, wake
from shared.services import Services

UNREADABLE = "unreadable|rows"  # names the incident that tells of all


async def relay(services: Services, leftovers: Leftovers) -> None:
    """Send what is late. Raises Unavailable where what nobody can read cannot be told now."""
    now = services.now()
    for shard, entries in leftovers.messages.items():
        late = [entry for entry in entries if now - entry.committed_at > RELAY_AFTER]
        for topic in (WORK, CHANGES):
            await _relay(services, shard, [entry for entry in late if entry.topic == topic])
    await _tell_unreadable(services)


async def _relay(services: Services, shard: str, entries: Sequence[OutboxEntry]) -> None:
    """Send what is for one topic; where a message is refused, one by one, so it alone stays."""
    if not entries:
        return
    with contextlib.suppress(Unavailable):  # the next tick goes on
        try:
            messages = [entry.message for entry in entries]
            await services.bus.publish(entries[0].topic, messages, within_s=PUBLISH_WITHIN_S)
        except RejectedInput as error:
            if len(entries) > 1:
                for entry in entries:
                    await _relay(services, shard, [entry])
                return
            await _quarantine(services, entries[0], error)
        await forget_sent(services, shard, entries)


async def _quarantine(services: Services, entry: OutboxEntry, error: RejectedInput) -> None:
    source = f"outbox/{entry.message.subject}"
    await keep_message(services, source, entry.topic, entry.message, error)


async def _tell_unreadable(services: Services) -> None:
    """Wake a person for what has lasted, or leave it to the incident that is open."""
    memory, now = services.memory, services.now()
    found = {place: seen for place, seen in memory.unreadable.items() if not seen.is_over(now)}
    memory.unreadable = found
    places = sorted(place for place, seen in found.items() if seen.lasts(now))
    if not places:
        return
    waking = await wake(services, UNREADABLE, now, lambda: open_unreadable(places, SHARD, now))
    if waking.events:
        with contextlib.suppress(Conflict):  # the other app has just told of it
            await commit(services, SHARD, waking.writes, events=waking.events)
