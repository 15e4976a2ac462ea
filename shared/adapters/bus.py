"""The bus: publish messages to topics, and look after those that nobody could take.

Messages are received by the Functions host, not here. Senders belong to pumps (see `bus_pump`).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender
from azure.servicebus.exceptions import MessagingEntityNotFoundError, ServiceBusError
from msgspec import structs

from shared.adapters.bus_pump import NO_RIGHT, Pump, close_link
from shared.domain.message import DeadLetter, Message
from shared.errors import NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

type _Property = int | float | bytes | bool | str | UUID

_ATTEMPT = "attempt"
_ONLY_FOR = "only_for"
_LOOK_S = 1.0
_LOOK_MESSAGES = 100
_LOOK_WITHIN_S = 10.0  # a link that does not open must not hold up whoever looks

# The SDK writes every state of every link; what matters becomes an error of ours.
logging.getLogger("azure.servicebus").setLevel(logging.CRITICAL)


class Bus:
    """One namespace: a connection string, or a fully qualified name with a credential."""

    def __init__(self, connection: str, credential: "AsyncTokenCredential | None" = None) -> None:
        self._connection = connection
        self._credential = credential
        self._opened: ServiceBusClient | None = None
        self._pumps: dict[str, Pump] = {}

    async def publish(
        self, topic: str, messages: Sequence[Message], *, within_s: float = 1.0
    ) -> None:
        """Return once `topic` has accepted all `messages`: delivery is at least once.

        Raises Unavailable when it has not within `within_s` seconds; a message may then still
        arrive. Raises RejectedInput when a message is larger than the bus takes.
        """
        if messages:
            outgoing = [_outgoing(message) for message in messages]
            await self._pump(topic).send(outgoing, within_s=within_s)

    async def warm(self, topics: Sequence[str], *, within_s: float = 5.0) -> None:
        """Open the links to `topics`, so that the first message need not wait half a second."""
        await asyncio.gather(*(self._pump(topic).warm(within_s=within_s) for topic in topics))

    async def dead_letters(
        self, topic: str, subscription: str, limit: int = 20
    ) -> list[DeadLetter]:
        """Return up to `limit` dead letters, oldest first, without touching them.

        Raises NotFound for an unknown subscription, Unavailable when the bus does not answer.
        """
        async with self._dead_letter_receiver(topic, subscription) as receiver:
            try:
                async with asyncio.timeout(_LOOK_WITHIN_S):
                    found = await _peek(receiver, limit)
            except TimeoutError:
                detail = f"dead letters of {topic}/{subscription}: no answer"
                raise Unavailable("bus", detail) from None
        return [_dead_letter(message) for message in found]

    async def resubmit_dead_letter(self, topic: str, subscription: str, message_id: str) -> bool:
        """Publish a dead letter to its topic again, as a first attempt, then remove it.

        Returns False when there is no such dead letter. The copy is for its subscription only:
        the others took theirs. Raises as `dead_letters` and `publish` do, and
        Unavailable while somebody else has it locked.
        """
        return await self._take_out(topic, subscription, message_id, again=True)

    async def discard_dead_letter(self, topic: str, subscription: str, message_id: str) -> bool:
        """Remove a dead letter for good; returns and raises as `resubmit_dead_letter` does."""
        return await self._take_out(topic, subscription, message_id, again=False)

    async def _take_out(
        self, topic: str, subscription: str, message_id: str, *, again: bool
    ) -> bool:
        locked: list[ServiceBusReceivedMessage] = []
        async with self._dead_letter_receiver(topic, subscription) as receiver:
            try:
                found = await _find(receiver, message_id, locked)
                if found is None:
                    return False
                if again:
                    again_for = structs.replace(_first_attempt(found), only_for=subscription)
                    await self.publish(topic, [again_for])
                await receiver.complete_message(found)
                locked = [one for one in locked if one is not found]
            finally:
                await _let_go(receiver, locked)
        return True

    async def close(self) -> None:
        """Close all links together; publishing ends with Unavailable."""
        pumps, self._pumps = self._pumps, {}
        await asyncio.gather(*(pump.close() for pump in pumps.values()))
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    def _client(self) -> ServiceBusClient:
        if self._opened is None:
            self._opened = self._new_client()
        return self._opened

    def _new_client(self) -> ServiceBusClient:
        # Pumps try again themselves, and callers of the rest retry the whole operation.
        if "Endpoint=" in self._connection:
            return ServiceBusClient.from_connection_string(self._connection, retry_total=0)
        if self._credential is None:
            raise ValueError("a namespace without a connection string needs a credential")
        return ServiceBusClient(self._connection, self._credential, retry_total=0)

    def _pump(self, topic: str) -> Pump:
        def new_sender() -> ServiceBusSender:
            # With a keep-alive task the SDK takes a second longer to notice a broken link.
            return self._client().get_topic_sender(topic, keep_alive=None)

        if topic not in self._pumps:
            self._pumps[topic] = Pump(topic, new_sender)
        return self._pumps[topic]

    @asynccontextmanager
    async def _dead_letter_receiver(
        self, topic: str, subscription: str
    ) -> AsyncIterator[ServiceBusReceiver]:
        receiver = self._client().get_subscription_receiver(
            topic, subscription, sub_queue=ServiceBusSubQueue.DEAD_LETTER
        )
        try:
            yield receiver
        except MessagingEntityNotFoundError as error:
            raise NotFound(f"no subscription {subscription} on topic {topic}") from error
        except ServiceBusError as error:
            detail = f"dead letters of {topic}/{subscription}: {type(error).__name__}"
            kind = Refused if isinstance(error, NO_RIGHT) else Unavailable
            raise kind("bus", detail) from error
        finally:
            await close_link(receiver)


async def _peek(receiver: ServiceBusReceiver, limit: int) -> list[ServiceBusReceivedMessage]:
    """Look at the oldest messages, in as many answers as the service makes of them."""
    found: list[ServiceBusReceivedMessage] = []
    following = 1
    while len(found) < limit and (
        more := await receiver.peek_messages(limit - len(found), sequence_number=following)
    ):
        found += more
        following = (more[-1].sequence_number or following) + 1
    return found


async def _find(
    receiver: ServiceBusReceiver, message_id: str, locked: list[ServiceBusReceivedMessage]
) -> ServiceBusReceivedMessage | None:
    """Lock dead letters, all of which are added to `locked`, until the right one is among them.

    None where it is gone. Raises Unavailable where somebody else has locked it.
    """
    while batch := await _receive(receiver):
        locked += batch
        for received in batch:
            if received.message_id == message_id:
                return received
    if await _is_there(receiver, message_id):
        raise Unavailable("bus", f"somebody else is at the dead letter {message_id}")
    return None


async def _is_there(receiver: ServiceBusReceiver, message_id: str) -> bool:
    """Whether a dead letter is in its queue, locked by whomever."""
    following = 1
    while more := await receiver.peek_messages(_LOOK_MESSAGES, sequence_number=following):
        if any(one.message_id == message_id for one in more):
            return True
        following = (more[-1].sequence_number or following) + 1
    return False


async def _let_go(receiver: ServiceBusReceiver, locked: list[ServiceBusReceivedMessage]) -> None:
    """Let others have them; where that fails their locks end by themselves."""
    with suppress(ServiceBusError, ValueError):
        for one in locked:
            await receiver.abandon_message(one)


async def _receive(receiver: ServiceBusReceiver) -> list[ServiceBusReceivedMessage]:
    return await receiver.receive_messages(_LOOK_MESSAGES, max_wait_time=_LOOK_S)


def _outgoing(message: Message) -> ServiceBusMessage:
    return ServiceBusMessage(
        message.body,
        subject=message.subject,
        message_id=message.message_id,
        application_properties=_properties(message),
        scheduled_enqueue_time_utc=message.due,
    )


def _properties(message: Message) -> dict[str | bytes, _Property]:
    properties: dict[str | bytes, _Property] = {_ATTEMPT: message.attempt}
    if message.only_for:
        properties[_ONLY_FOR] = message.only_for
    return properties


def _first_attempt(received: ServiceBusReceivedMessage) -> Message:
    return Message(
        subject=received.subject or "",
        body=str(received),
        message_id=received.message_id or "",
    )


def _dead_letter(received: ServiceBusReceivedMessage) -> DeadLetter:
    properties = received.application_properties or {}
    attempt = properties.get(_ATTEMPT.encode(), 1)
    return DeadLetter(
        message=structs.replace(_first_attempt(received), attempt=int(str(attempt))),
        reason=received.dead_letter_reason or "",
        detail=received.dead_letter_error_description or "",
        deliveries=received.delivery_count or 0,
        enqueued=received.enqueued_time_utc or datetime.fromtimestamp(0, UTC),
    )
