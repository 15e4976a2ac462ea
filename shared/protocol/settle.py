"""Settle: what a bus function does with bad input and with parts that are out.

The Functions host abandons a message at once on an exception, without back-off, and Python cannot
dead-letter. So bad input is kept in quarantine and the message completes; a part that is out means
a scheduled copy and the message completes; only where that send fails too is there an exception.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from shared.domain.keys import digest
from shared.domain.message import Message
from shared.domain.row import Put
from shared.errors import Conflict, NotFound, RejectedInput, Unavailable
from shared.services import Services

log = logging.getLogger("backstop.settle")

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 300.0
DOUBLINGS = 16
KEPT_BODY = 8_000
QUARANTINE = "quarantine"

type Handler = Callable[[Services, Message], Awaitable[None]]
type BatchHandler = Callable[[Services, Sequence[Message]], Awaitable[None]]


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """Input that could not be taken, kept until a person has looked at it."""

    id: str
    source: str
    reason: str
    detail: str
    body: str
    at: datetime


async def settle(services: Services, topic: str, message: Message, handle: Handler) -> None:
    """Run a handler on a message so that returning is always right.

    Raises Unavailable only where neither the work could be done nor a later try be scheduled.
    """

    async def take(known: Services, messages: Sequence[Message]) -> None:
        await _take(known, topic, messages[0], handle)

    await settle_batch(services, topic, [message], take)


async def settle_batch(
    services: Services, topic: str, messages: Sequence[Message], handle: BatchHandler
) -> None:
    """The same for a handler that takes many messages and keeps the bad ones itself."""
    try:
        await handle(services, messages)
    except (Unavailable, Conflict) as error:
        wait = error.retry_after_s if isinstance(error, Unavailable) else FIRST_RETRY_S
        subjects = ", ".join(sorted({message.subject for message in messages}))
        log.warning("%s %s: later, because %s", topic, subjects, error)
        copies = [_again(services, message, wait) for message in messages]
        await services.bus.publish(topic, copies)


async def _take(services: Services, topic: str, message: Message, handle: Handler) -> None:
    try:
        await handle(services, message)
    except RejectedInput as error:
        await quarantine(services, f"{topic}/{message.subject}", message.body, error)
    except NotFound as error:
        missing = RejectedInput("not-found", str(error))
        await quarantine(services, f"{topic}/{message.subject}", message.body, missing)


async def quarantine(services: Services, source: str, body: str, error: RejectedInput) -> str:
    """Keep bad input; answer its id. The same input twice is kept once."""
    key = digest(source, body)
    kept = Quarantined(
        id=key,
        source=source,
        reason=error.reason,
        detail=error.detail,
        body=body[:KEPT_BODY],
        at=services.now(),
    )
    log.warning("quarantined %s from %s: %s", key, source, error.reason)
    await services.deliveries.write(QUARANTINE, [Put(row=key, value=kept)])
    return key


def _again(services: Services, message: Message, at_least_s: float) -> Message:
    doublings = min(message.attempt - 1, DOUBLINGS)  # days of tries are too much for a float
    backoff = min(FIRST_RETRY_S * 2**doublings, LAST_RETRY_S)
    due = services.now() + timedelta(seconds=max(backoff, min(at_least_s, LAST_RETRY_S)))
    original = message.message_id.partition("#")[0]
    attempt = message.attempt + 1
    return msgspec.structs.replace(
        message, message_id=f"{original}#{attempt}", attempt=attempt, due=due
    )
