"""Settle: what a bus function does with bad input and with parts that are out.

The Functions host abandons a message at once on an exception, without back-off, and Python cannot
dead-letter. So bad input is kept in quarantine and the message completes; a part that is out means
a scheduled copy and the message completes; only where that send fails too is there an exception.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import msgspec

from shared.domain.message import Message
from shared.errors import Conflict, NotFound, RejectedInput, Unavailable
from shared.services import Services

log = logging.getLogger("backstop.settle")

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 300.0
DOUBLINGS = 16

type Handler = Callable[[Services, Message], Awaitable[None]]
type BatchHandler = Callable[[Services, Sequence[Message]], Awaitable[None]]


async def settle(
    services: Services, topic: str, subscription: str, message: Message, handle: Handler
) -> None:
    """Run a handler on a message of a subscription so that returning is always right.

    Raises Unavailable only where neither the work could be done nor a later try be scheduled.
    """

    async def take(known: Services, messages: Sequence[Message]) -> None:
        await _take(known, topic, messages[0], handle)

    await settle_batch(services, topic, subscription, [message], take)


async def settle_batch(
    services: Services,
    topic: str,
    subscription: str,
    messages: Sequence[Message],
    handle: BatchHandler,
) -> None:
    """The same for a handler that takes many messages and keeps the bad ones itself.

    A topic hands every copy to all its subscriptions, so a copy says whom it is for: two consumers
    that fail together would double what is on its way at every try.
    """
    meant = [message for message in messages if message.only_for in ("", subscription)]
    if not meant:
        return
    try:
        await handle(services, meant)
    except (Unavailable, Conflict) as error:
        wait = error.retry_after_s if isinstance(error, Unavailable) else FIRST_RETRY_S
        subjects = ", ".join(sorted({message.subject for message in meant}))
        log.warning("%s %s: later, because %s", topic, subjects, error)
        copies = [_again(services, subscription, message, wait) for message in meant]
        await services.bus.publish(topic, copies)


async def _take(services: Services, topic: str, message: Message, handle: Handler) -> None:
    try:
        await handle(services, message)
    except RejectedInput as error:
        await _quarantine(services, topic, message, error)
    except NotFound as error:
        missing = RejectedInput("not-found", str(error))
        await _quarantine(services, topic, message, missing)


async def _quarantine(
    services: Services, topic: str, message: Message, error: RejectedInput
) -> None:
    from shared.protocol.quarantine import keep_message  # noqa: PLC0415 - few ever need it

    await keep_message(services, f"{topic}/{message.subject}", topic, message, error)


def _again(services: Services, subscription: str, message: Message, at_least_s: float) -> Message:
    doublings = min(message.attempt - 1, DOUBLINGS)  # days of tries are too much for a float
    backoff = min(FIRST_RETRY_S * 2**doublings, LAST_RETRY_S)
    due = services.now() + timedelta(seconds=max(backoff, min(at_least_s, LAST_RETRY_S)))
    original = message.message_id.partition("#")[0]
    attempt = message.attempt + 1
    return msgspec.structs.replace(
        message,
        message_id=f"{original}#{attempt}",
        attempt=attempt,
        due=due,
        only_for=subscription,
    )
