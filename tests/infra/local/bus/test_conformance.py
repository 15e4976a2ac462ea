"""What the unmodified client library of Azure Service Bus may expect of a namespace.

Runs against the emulator in this process, or with `--bus-connection` against any namespace that has
the topology of conformance.json: Microsoft's emulator, or a real one. To open a link takes the
library half a second, so all tests share their links; each leaves the subscription `first` empty.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from azure.servicebus import (
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiveMode,
    ServiceBusSubQueue,
)
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessageNotFoundError,
    MessageSizeExceededError,
    MessagingEntityNotFoundError,
)

from tests.infra.local.bus.conftest import Namespace

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the library's own, on closing
    pytest.mark.usefixtures("hasty_bus"),
]

LOCK_S = 5
MAX_DELIVERIES = 3
SHORT_S, LONG_S = 0.3, 10.0


@dataclass(frozen=True)
class Links:
    """The links that all tests share."""

    sender: ServiceBusSender
    first: ServiceBusReceiver
    second: ServiceBusReceiver
    dead: ServiceBusReceiver
    orders: ServiceBusSender
    urgent: ServiceBusReceiver


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(namespace: Namespace) -> AsyncIterator[ServiceBusClient]:
    connection = namespace.connection
    async with ServiceBusClient.from_connection_string(connection, retry_total=0) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def links(client: ServiceBusClient) -> AsyncIterator[Links]:
    dead = ServiceBusSubQueue.DEAD_LETTER
    links = Links(
        client.get_topic_sender("facts"),
        client.get_subscription_receiver("facts", "first"),
        client.get_subscription_receiver("facts", "second"),
        client.get_subscription_receiver("facts", "first", sub_queue=dead),
        client.get_topic_sender("orders"),
        client.get_subscription_receiver("orders", "urgent"),
    )
    receivers = (links.first, links.second, links.dead, links.urgent)
    every = (*receivers, links.sender, links.orders)
    await asyncio.gather(*(link.__aenter__() for link in every))
    await asyncio.gather(*map(empty, receivers))
    yield links
    await asyncio.gather(*(link.close() for link in every))


@pytest.fixture
def sender(links: Links) -> ServiceBusSender:
    return links.sender


@pytest.fixture
def first(links: Links) -> ServiceBusReceiver:
    return links.first


@pytest.fixture
def second(links: Links) -> ServiceBusReceiver:
    return links.second


@pytest.fixture
def dead(links: Links) -> ServiceBusReceiver:
    return links.dead


async def empty(receiver: ServiceBusReceiver) -> None:
    while messages := await receiver.receive_messages(100, max_wait_time=SHORT_S):
        for message in messages:
            await receiver.complete_message(message)


async def settle_all(receiver: ServiceBusReceiver, count: int) -> list[ServiceBusReceivedMessage]:
    messages = await take(receiver, count)
    for message in messages:
        await receiver.complete_message(message)
    return messages


async def take(receiver: ServiceBusReceiver, count: int = 1) -> list[ServiceBusReceivedMessage]:
    """Return `count` messages, however many calls that takes."""
    taken: list[ServiceBusReceivedMessage] = []
    while len(taken) < count:
        more = await receiver.receive_messages(count - len(taken), max_wait_time=LONG_S)
        assert more, f"only {len(taken)} of {count} messages came"
        taken += more
    return taken


async def take_one(receiver: ServiceBusReceiver) -> ServiceBusReceivedMessage:
    (message,) = await take(receiver)
    return message


async def is_empty(receiver: ServiceBusReceiver) -> bool:
    return not await receiver.receive_messages(1, max_wait_time=SHORT_S)


@asynccontextmanager
async def another(
    client: ServiceBusClient, mode: ServiceBusReceiveMode
) -> AsyncIterator[ServiceBusReceiver]:
    async with client.get_subscription_receiver("facts", "first", receive_mode=mode) as receiver:
        yield receiver


async def test_every_subscription_gets_the_message_as_it_was_sent(
    sender: ServiceBusSender, first: ServiceBusReceiver, second: ServiceBusReceiver
) -> None:
    await empty(second)
    sent = ServiceBusMessage(
        b"body",
        message_id="id",
        subject="drift",
        correlation_id="c1",
        content_type="application/json",
        application_properties={"attempt": 3, "why": "x"},
    )
    await sender.send_messages(sent)

    for receiver in (first, second):
        message = await take_one(receiver)
        assert b"".join(message.body) == b"body"
        assert (message.message_id, message.subject) == ("id", "drift")
        assert (message.correlation_id, message.content_type) == ("c1", "application/json")
        assert message.application_properties == {b"attempt": 3, b"why": b"x"}
        assert message.delivery_count == 0
        assert message.sequence_number
        assert message.enqueued_time_utc
        await receiver.complete_message(message)


async def test_a_completed_message_does_not_come_back(
    sender: ServiceBusSender, first: ServiceBusReceiver, namespace: Namespace
) -> None:
    await sender.send_messages(ServiceBusMessage("once"))

    await first.complete_message(await take_one(first))

    await namespace.pass_time(LOCK_S + 1)
    assert await is_empty(first)


async def test_a_batch_arrives_whole_and_in_order(
    sender: ServiceBusSender, first: ServiceBusReceiver
) -> None:
    batch = await sender.create_message_batch()
    for number in range(50):
        batch.add_message(ServiceBusMessage(f"m{number}"))
    await sender.send_messages(batch)

    messages = await take(first, 50)

    assert [str(message) for message in messages] == [f"m{number}" for number in range(50)]
    for message in messages:
        await first.complete_message(message)


async def test_a_large_message_takes_several_frames(
    sender: ServiceBusSender, first: ServiceBusReceiver
) -> None:
    body = bytes(range(256)) * 800

    await sender.send_messages(ServiceBusMessage(body))

    message = await take_one(first)
    assert b"".join(message.body) == body
    await first.complete_message(message)


async def test_an_abandoned_message_comes_back_counted(
    sender: ServiceBusSender, first: ServiceBusReceiver
) -> None:
    await sender.send_messages(ServiceBusMessage("again"))

    await first.abandon_message(await take_one(first))

    message = await take_one(first)
    assert message.delivery_count == 1
    await first.complete_message(message)


async def test_a_dead_letter_says_why(
    sender: ServiceBusSender, first: ServiceBusReceiver, dead: ServiceBusReceiver
) -> None:
    await sender.send_messages(ServiceBusMessage("poison", message_id="p1"))

    await first.dead_letter_message(
        await take_one(first), reason="bad-schema", error_description="no field"
    )

    message = await take_one(dead)
    assert message.message_id == "p1"
    assert message.dead_letter_reason == "bad-schema"
    assert message.dead_letter_error_description == "no field"
    await dead.complete_message(message)


async def test_after_the_last_delivery_a_message_is_dead(
    sender: ServiceBusSender, first: ServiceBusReceiver, dead: ServiceBusReceiver
) -> None:
    await sender.send_messages(ServiceBusMessage("poison"))

    for _ in range(MAX_DELIVERIES):
        await first.abandon_message(await take_one(first))

    message = await take_one(dead)
    assert message.dead_letter_reason == "MaxDeliveryCountExceeded"
    await dead.complete_message(message)
    assert await is_empty(first)


async def test_a_lock_that_runs_out_is_lost_and_the_message_comes_back(
    sender: ServiceBusSender, first: ServiceBusReceiver, namespace: Namespace
) -> None:
    await sender.send_messages(ServiceBusMessage("slow"))
    late = await take_one(first)

    await namespace.pass_time(LOCK_S + 1)

    again = await take_one(first)
    assert again.delivery_count == 1
    with pytest.raises(MessageLockLostError):
        await first.complete_message(late)
    await first.complete_message(again)


async def test_a_renewed_lock_holds_longer(
    sender: ServiceBusSender, first: ServiceBusReceiver, namespace: Namespace
) -> None:
    await sender.send_messages(ServiceBusMessage("long"))
    message = await take_one(first)

    for _ in range(3):
        await namespace.pass_time(LOCK_S * 0.6)
        await first.renew_message_lock(message)

    assert await is_empty(first)
    await first.complete_message(message)


async def test_a_message_is_locked_for_one_receiver_only(
    sender: ServiceBusSender, first: ServiceBusReceiver, client: ServiceBusClient
) -> None:
    await sender.send_messages(ServiceBusMessage("mine"))
    message = await take_one(first)

    async with another(client, ServiceBusReceiveMode.PEEK_LOCK) as other:
        assert await is_empty(other)

    await first.complete_message(message)


async def test_receive_and_delete_needs_no_settlement(
    sender: ServiceBusSender, first: ServiceBusReceiver, client: ServiceBusClient
) -> None:
    await sender.send_messages(ServiceBusMessage("gone"))

    async with another(client, ServiceBusReceiveMode.RECEIVE_AND_DELETE) as other:
        assert str(await take_one(other)) == "gone"

    assert await is_empty(first)


async def test_scheduled_messages_come_in_time_unless_cancelled(
    sender: ServiceBusSender, first: ServiceBusReceiver, namespace: Namespace
) -> None:
    due = datetime.now(UTC) + timedelta(seconds=3)
    if namespace.emulator is not None:
        due = datetime.fromtimestamp(namespace.emulator.broker.clock.now() + 3, UTC)
    await sender.schedule_messages(ServiceBusMessage("later"), due)
    numbers = await sender.schedule_messages(ServiceBusMessage("never"), due)
    await sender.cancel_scheduled_messages(numbers)
    await sender.send_messages(ServiceBusMessage("by property", scheduled_enqueue_time_utc=due))
    assert await is_empty(first)

    await namespace.pass_time(4)

    messages = await take(first, 2)
    assert sorted(map(str, messages)) == ["by property", "later"]
    for message in messages:
        await first.complete_message(message)


async def test_a_cancelled_message_cannot_be_cancelled_again(
    sender: ServiceBusSender,
) -> None:
    due = datetime.now(UTC) + timedelta(days=1)
    numbers = await sender.schedule_messages(ServiceBusMessage("never"), due)
    await sender.cancel_scheduled_messages(numbers)

    with pytest.raises(MessageNotFoundError):
        await sender.cancel_scheduled_messages(numbers)


async def test_a_deferred_message_waits_until_it_is_asked_for(
    sender: ServiceBusSender, first: ServiceBusReceiver
) -> None:
    await sender.send_messages(ServiceBusMessage("deferred"))
    message = await take_one(first)
    assert message.sequence_number is not None
    await first.defer_message(message)
    assert await is_empty(first)

    (deferred,) = await first.receive_deferred_messages(message.sequence_number)

    assert str(deferred) == "deferred"
    await first.complete_message(deferred)


async def test_peeking_shows_messages_and_takes_none(
    sender: ServiceBusSender, first: ServiceBusReceiver
) -> None:
    await sender.send_messages([ServiceBusMessage("one"), ServiceBusMessage("two")])

    peeked = await first.peek_messages(10)

    assert [str(message) for message in peeked] == ["one", "two"]
    assert [str(message) for message in await settle_all(first, 2)] == ["one", "two"]


async def test_messages_between_two_receives_are_not_counted_as_delivered(
    sender: ServiceBusSender, first: ServiceBusReceiver
) -> None:
    assert await is_empty(first)

    await sender.send_messages([ServiceBusMessage(f"m{number}") for number in range(5)])

    messages = await settle_all(first, 5)
    assert [message.delivery_count for message in messages] == [0] * 5


async def test_an_expired_message_is_a_dead_letter(
    sender: ServiceBusSender,
    first: ServiceBusReceiver,
    dead: ServiceBusReceiver,
    namespace: Namespace,
) -> None:
    await sender.send_messages(ServiceBusMessage("brief", time_to_live=timedelta(seconds=1)))

    await namespace.pass_time(3)

    assert await is_empty(first)
    message = await take_one(dead)
    assert message.dead_letter_reason == "TTLExpiredException"
    await dead.complete_message(message)


async def test_only_what_a_rule_admits_comes_through(links: Links) -> None:
    def turn(body: str, severity: str) -> ServiceBusMessage:
        return ServiceBusMessage(
            body, subject="turn", application_properties={"severity": severity}
        )

    await links.orders.send_messages(
        [
            ServiceBusMessage("no rule", subject="go"),
            ServiceBusMessage("half a rule", subject="turn"),
            turn("another value", "low"),
            ServiceBusMessage("subject", subject="stop"),
            turn("both", "high"),
        ]
    )

    messages = await settle_all(links.urgent, 2)

    assert [str(message) for message in messages] == ["subject", "both"]
    assert await is_empty(links.urgent)


async def test_more_than_256_kilobytes_are_refused(sender: ServiceBusSender) -> None:
    with pytest.raises(MessageSizeExceededError):
        await sender.send_messages(ServiceBusMessage(b"x" * 300 * 1024))


async def test_an_unknown_topic_is_told_by_name(client: ServiceBusClient) -> None:
    name = f"no-{uuid4().hex}"
    unknown = client.get_topic_sender(name)

    with pytest.raises(MessagingEntityNotFoundError, match=name):
        await unknown.send_messages(ServiceBusMessage("lost"))
