"""Keeps the locks of messages while their function runs, as long as host.json allows."""

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator

from azure.servicebus.aio import ServiceBusReceiver
from azure.servicebus.exceptions import ServiceBusError

from infra.local.host.deliveries import Messages
from infra.local.host.waiting import happens_within

log = logging.getLogger(__name__)

SHORTEST_RENEWAL_S = 0.5
LONGEST_RENEWAL_S = 10.0


@contextlib.asynccontextmanager
async def locks_renewed(
    link: ServiceBusReceiver, messages: Messages, renew_for: dt.timedelta
) -> AsyncIterator[None]:
    """Renew the messages' locks in the background, at half of what is left each time."""
    done = asyncio.Event()
    renewing = asyncio.create_task(_renew(link, messages, renew_for.total_seconds(), done))
    try:
        yield
    finally:
        done.set()  # rather than cancelled: a renewal under way owns the link until it is answered
        await renewing


async def _renew(
    link: ServiceBusReceiver, messages: Messages, renew_for_s: float, done: asyncio.Event
) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + renew_for_s
    while not await happens_within(done, _half_of_lock_s(messages)) and loop.time() < end:
        try:
            for message in messages:
                await link.renew_message_lock(message)
        except ServiceBusError as error:
            log.warning("lock of %s cannot be renewed: %s", messages[0].message_id, error)
            return


def _half_of_lock_s(messages: Messages) -> float:
    """Tell when to renew; never late, even where the bus's clock is ahead of ours."""
    now = dt.datetime.now(dt.UTC)
    left = [message.locked_until_utc - now for message in messages if message.locked_until_utc]
    half_s = min(left, default=dt.timedelta()).total_seconds() / 2
    return min(max(half_s, SHORTEST_RENEWAL_S), LONGEST_RENEWAL_S)
