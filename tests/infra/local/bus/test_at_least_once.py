"""No message is lost between our publisher and a consumer, whatever breaks in between."""

import gc
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver
from azure.servicebus.exceptions import ServiceBusError

from infra.local.bus import Emulator, read_config
from infra.local.bus.faults import Fault
from infra.local.bus.messages import State
from shared.adapters.bus import Bus
from shared.adapters.bus_pump import close_link
from shared.domain.message import Message
from tests.infra.local.bus.conftest import CONFORMANCE

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.usefixtures("hasty_bus"),
]

TOPIC, PATH = "facts", "facts/Subscriptions/first"
MESSAGES = 20
LOCK_S = 5
SENDING = {4: Fault.DROP_AFTER_SEND, 9: Fault.DROP_BEFORE_SEND, 14: Fault.SERVER_BUSY}
SETTLING = {"m3": Fault.DROP_BEFORE_SETTLE, "m12": Fault.DROP_AFTER_SETTLE}
CRASHES = {"m7"}


class Crash(Exception):
    """The consumer dies before it settles."""


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    emulator = Emulator(read_config(CONFORMANCE))
    await emulator.start()
    yield emulator
    await emulator.stop()
    gc.collect()


class Consumer:
    """Takes messages one by one; what goes wrong goes wrong once."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.seen: Counter[str] = Counter()

    async def run(self) -> None:
        """Start again after every crash, until nothing is left."""
        while any(self._emulator.broker.queue(PATH).counts().values()):
            try:
                await self._live()
            except (Crash, ServiceBusError):
                self._emulator.broker.clock.advance(LOCK_S + 1)

    async def _live(self) -> None:
        connection = self._emulator.connection_string
        client = ServiceBusClient.from_connection_string(connection, retry_total=0)
        receiver = await client.get_subscription_receiver(TOPIC, "first").__aenter__()
        try:
            while messages := await receiver.receive_messages(1, max_wait_time=0.3):
                await self._handle(receiver, messages[0])
            self._emulator.broker.clock.advance(LOCK_S + 1)
        finally:
            await close_link(receiver)

    async def _handle(
        self, receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage
    ) -> None:
        name = message.message_id or ""
        self.seen[name] += 1
        if self.seen[name] == 1 and name in CRASHES:
            raise Crash
        if self.seen[name] == 1 and name in SETTLING:
            self._emulator.broker.faults.arm(SETTLING[name], PATH)
        await receiver.complete_message(message)


async def test_every_message_is_handled_at_least_once(emulator: Emulator) -> None:
    bus = Bus(emulator.connection_string)
    for number in range(MESSAGES):
        if number in SENDING:
            emulator.broker.faults.arm(SENDING[number], TOPIC)
        message = Message(subject="fact", body="key", message_id=f"m{number}")
        await bus.publish(TOPIC, [message], within_s=10)
    await bus.close()
    consumer = Consumer(emulator)

    await consumer.run()

    assert set(consumer.seen) == {f"m{number}" for number in range(MESSAGES)}
    assert consumer.seen["m4"] == 2, "the sender never heard that it was stored, and sent again"
    assert consumer.seen["m3"] == 2, "the bus never heard that it was completed"
    assert consumer.seen["m12"] == 1, "it was completed, though the consumer never heard"
    assert consumer.seen["m7"] == 2, "the consumer died before it was done"
    assert emulator.broker.queue(PATH).counts()[State.ACTIVE] == 0
