"""A message that fails ten times is told, paged and listed, and is done once it is resubmitted.

The real SDK and the emulator's broker stand for the bus, fakes for everything else.
"""

import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient

from infra.local.bus import Emulator, read_config
from infra.local.bus.queue import DEAD_LETTER_SUFFIX
from responders.alert.triage import triage
from responders.people.page import page_all_due
from responders.repair.exhume import EVERY_S, exhume
from responders.repair.quarantine import resubmit, show_quarantine
from shared.adapters.bus import Bus
from shared.adapters.bus_pump import close_link
from shared.domain.message import WORK, Message
from shared.domain.views.http import Request
from shared.protocol.intake import accept, read_delivery
from shared.protocol.leftovers import find_leftovers
from shared.protocol.settle import settle
from shared.services import Services
from tests.fakes import FakeServices, Outside, make_settings
from tests.fakes.callers import person
from tests.fakes.scene import NOW, SERVICE, SNAPSHOT, fired

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.usefixtures("hasty_bus"),
]

TOPOLOGY = Path("infra/servicebus.json")
SUBSCRIPTION = "responder"
QUEUE = f"{WORK}/Subscriptions/{SUBSCRIPTION}"
MOST_DELIVERIES = 10


class Process(FakeServices):
    """A process whose bus is the real client."""

    def __init__(self, bus: Bus) -> None:
        outside = Outside(now=NOW, snapshot=SNAPSHOT, services=[SERVICE])
        super().__init__(outside, make_settings(pager_keys={"duty": "key of duty"}))
        self.bus = bus  # type: ignore[assignment] # the fake is a bus as well


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    emulator = Emulator(read_config(TOPOLOGY))
    await emulator.start()
    yield emulator
    await emulator.stop()
    gc.collect()


@pytest.fixture
async def services(emulator: Emulator) -> AsyncIterator[Process]:
    bus = Bus(emulator.connection_string)
    yield Process(bus)
    await bus.close()


class Host:
    """Takes messages as the Functions host does: an exception abandons at once."""

    def __init__(self, emulator: Emulator, services: Services) -> None:
        self._emulator = emulator
        self._services = services
        self.deliveries = 0
        self.is_broken = True

    async def run(self) -> None:
        """Hand out messages until none is left."""
        connection = self._emulator.connection_string
        client = ServiceBusClient.from_connection_string(connection, retry_total=0)
        receiver = await client.get_subscription_receiver(WORK, SUBSCRIPTION).__aenter__()
        try:
            while received := await receiver.receive_messages(1, max_wait_time=0.3):
                self.deliveries += 1
                try:
                    await settle(
                        self._services, WORK, SUBSCRIPTION, _message(received[0]), self._handle
                    )
                except ZeroDivisionError:
                    await receiver.abandon_message(received[0])
                else:
                    await receiver.complete_message(received[0])
        finally:
            await close_link(receiver)

    async def _handle(self, services: Services, message: Message) -> None:
        if self.is_broken:
            raise ZeroDivisionError  # a mistake of ours, which nobody has foreseen
        if message.subject == "triage":
            await triage(services, message)


def _message(received: ServiceBusReceivedMessage) -> Message:
    return Message(
        subject=received.subject or "",
        body=str(received),
        message_id=received.message_id or "",
    )


async def test_what_fails_ten_times_is_told_listed_and_done_once_resubmitted(
    emulator: Emulator, services: Process
) -> None:
    host = Host(emulator, services)
    delivery, _ = await accept(services, fired())

    await host.run()
    assert host.deliveries == MOST_DELIVERIES
    for _ in range(2):  # it is told once, however often somebody looks
        services.outside.wait(EVERY_S)
        await exhume(services, await find_leftovers(services))
    await page_all_due(services, await find_leftovers(services))
    assert services.pager.did() == [("key of duty", "trigger")]

    (shown,) = await listed(services)
    assert (shown["source"], shown["reason"]) == ("work/responder", "MaxDeliveryCountExceeded")
    host.is_broken = False
    body = msgspec.json.encode({"why": "mended"})
    request = Request(method="POST", path={"id": shown["id"]}, body=body, caller=person())
    await resubmit(services, request)
    await host.run()

    assert host.deliveries == MOST_DELIVERIES + 2, "triage at last, and the diagnosis it asks for"
    assert (await read_delivery(services, delivery)).value.state == "opened"
    assert emulator.broker.queue(QUEUE + DEAD_LETTER_SUFFIX).peek(0, 10) == []
    assert [one["state"] for one in await listed(services)] == ["resubmitted"]


async def listed(services: Services) -> list[dict[str, Any]]:
    """What the route shows."""
    answer = await show_quarantine(services, Request())
    found: list[dict[str, Any]] = msgspec.json.decode(answer.body)["inputs"]
    return found
