"""The bus adapter against the emulator in this process, over the real SDK and real sockets.

All tests share one bus and start with empty queues.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from azure.servicebus import ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient, ServiceBusSender

from infra.local.bus import Emulator, read_config
from infra.local.bus.content import Property
from infra.local.bus.faults import Fault
from infra.local.bus.messages import State
from infra.local.bus.queue import DEAD_LETTER_SUFFIX, Queue
from shared.adapters.bus import Bus
from shared.adapters.bus_pump import Pump
from shared.domain.message import Message
from shared.errors import NotFound, RejectedInput, Unavailable

# On a broken connection the SDK leaves its socket to the garbage collector.
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.usefixtures("hasty_bus"),
]

TOPOLOGY = Path("infra/servicebus.json")
RESPONDER = "work/Subscriptions/responder"
EXECUTOR = "work/Subscriptions/executor"
RECORD = "changes/Subscriptions/record"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_emulator() -> AsyncIterator[Emulator]:
    emulator = Emulator(read_config(TOPOLOGY))
    await emulator.start()
    yield emulator
    await emulator.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bus(shared_emulator: Emulator) -> AsyncIterator[Bus]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.adapters.bus._LOOK_S", 0.6)  # what is there comes at once
        bus = Bus(shared_emulator.connection_string)
        yield bus
        await bus.close()
    gc.collect()


@pytest.fixture
def emulator(shared_emulator: Emulator) -> Iterator[Emulator]:
    yield shared_emulator
    for path in (RESPONDER, EXECUTOR, RECORD):
        for queue in (path, path + DEAD_LETTER_SUFFIX):
            empty(shared_emulator.broker.queue(queue))


class Taker:
    """A receiver that takes all messages; unless it deletes them, it never settles one."""

    def __init__(self, *, deletes: bool) -> None:
        self.deletes = deletes

    def wants(self) -> bool:
        return True

    def deliver(self, message: object) -> None:
        """Drop it."""


def empty(queue: Queue) -> None:
    taker = Taker(deletes=True)
    queue.attach(taker)
    queue.detach(taker)


def message(number: int = 1, *, subject: str = "triage", due: datetime | None = None) -> Message:
    return Message(subject=subject, body=f"key {number}", message_id=f"m{number}", due=due)


def waiting(emulator: Emulator, path: str) -> list[str]:
    """Return the ids of the messages that wait in a subscription."""
    stored = emulator.broker.queue(path).peek(0, 10_000)
    return [str(message.content.standard(Property.MESSAGE_ID)) for message in stored]


def bury(emulator: Emulator) -> None:
    """Let the messages of the responder fail until they are dead letters."""
    queue, careless = emulator.broker.queue(RESPONDER), Taker(deletes=False)
    queue.attach(careless)
    for _ in range(10):
        emulator.broker.clock.advance(31)
    queue.detach(careless)
    assert queue.counts() == {State.ACTIVE: 0, State.LOCKED: 0, State.DEFERRED: 0}


async def test_a_subject_goes_to_the_app_that_handles_it(emulator: Emulator, bus: Bus) -> None:
    await bus.publish("work", [message(1, subject="triage"), message(2, subject="enforce")])

    assert waiting(emulator, RESPONDER) == ["m1"]
    assert waiting(emulator, EXECUTOR) == ["m2"]


async def test_what_is_published_is_what_is_stored(emulator: Emulator, bus: Bus) -> None:
    sent = Message(
        subject="page", body='{"é": 1}', message_id="id", attempt=3, only_for="responder"
    )

    await bus.publish("work", [sent])

    (stored,) = emulator.broker.queue(RESPONDER).peek(0, 2)
    assert stored.content.data_sections() == ['{"é": 1}'.encode()]
    assert stored.content.application == {"attempt": 3, "only_for": "responder"}


async def test_300_concurrent_callers_store_exactly_300_messages(
    emulator: Emulator, bus: Bus
) -> None:
    numbers = range(300)

    await asyncio.gather(
        *(bus.publish("changes", [message(number)], within_s=20) for number in numbers)
    )

    assert sorted(waiting(emulator, RECORD)) == sorted(f"m{number}" for number in numbers)


async def test_more_than_one_batch_of_messages_arrives_whole(emulator: Emulator, bus: Bus) -> None:
    large = [
        Message(subject="x", body="b" * 100_000, message_id=f"m{number}") for number in range(7)
    ]

    await bus.publish("changes", large, within_s=20)

    assert waiting(emulator, RECORD) == [f"m{number}" for number in range(7)]


async def test_a_message_that_is_due_later_comes_later(emulator: Emulator, bus: Bus) -> None:
    due = datetime.fromtimestamp(emulator.broker.clock.now(), UTC) + timedelta(seconds=90)

    await bus.publish("work", [message(1, due=due)])

    emulator.broker.clock.advance(89)
    assert waiting(emulator, RESPONDER) == []
    emulator.broker.clock.advance(2)
    assert waiting(emulator, RESPONDER) == ["m1"]


async def test_a_message_too_large_is_rejected_and_blocks_nobody(
    emulator: Emulator, bus: Bus
) -> None:
    huge = Message(subject="triage", body="x" * 300_000, message_id="huge")

    outcomes = await asyncio.gather(
        bus.publish("work", [huge], within_s=5),
        bus.publish("work", [message(2)], within_s=5),
        return_exceptions=True,
    )

    assert isinstance(outcomes[0], RejectedInput)
    assert waiting(emulator, RESPONDER) == ["m2"]


async def test_an_outage_is_told_in_time_and_recovered_from(emulator: Emulator, bus: Bus) -> None:
    await bus.warm(["work"])
    emulator.begin_outage()

    with pytest.raises(Unavailable, match=r"topic work did not accept within 0\.3 s"):
        await bus.publish("work", [message(1)], within_s=0.3)

    emulator.end_outage()
    await bus.publish("work", [message(2)], within_s=5)
    assert "m2" in waiting(emulator, RESPONDER)


async def test_an_outage_is_logged_once_and_tells_no_secret(
    emulator: Emulator, bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    await bus.warm(["changes"])
    caplog.set_level("INFO")
    emulator.begin_outage()
    for number in range(2):
        with pytest.raises(Unavailable):
            await bus.publish("changes", [message(number)], within_s=0.3)
    emulator.end_outage()
    await bus.publish("changes", [message(2)], within_s=5)

    went, came = caplog.messages
    assert went.startswith("topic changes does not accept messages: ")
    assert came == "topic changes accepts messages again"


async def test_what_nobody_waits_for_any_more_is_not_sent(emulator: Emulator, bus: Bus) -> None:
    emulator.begin_outage()
    with pytest.raises(Unavailable):
        await bus.publish("work", [message(1)], within_s=0.2)
    emulator.end_outage()

    await bus.publish("work", [message(2)], within_s=5)

    assert waiting(emulator, RESPONDER) == ["m2"]


async def test_an_outage_that_ends_in_time_is_not_noticed(emulator: Emulator, bus: Bus) -> None:
    emulator.begin_outage()
    publishing = asyncio.create_task(bus.publish("work", [message(1)], within_s=10))
    await asyncio.sleep(0)
    emulator.end_outage()

    await publishing

    assert waiting(emulator, RESPONDER) == ["m1"]


async def test_a_lost_answer_means_the_message_is_sent_again(emulator: Emulator, bus: Bus) -> None:
    emulator.broker.faults.arm(Fault.DROP_AFTER_SEND, "work")

    await bus.publish("work", [message(1)], within_s=10)

    assert waiting(emulator, RESPONDER) == ["m1", "m1"]


async def test_a_throttled_send_is_repeated(emulator: Emulator, bus: Bus) -> None:
    emulator.broker.faults.arm(Fault.SERVER_BUSY, "work")

    await bus.publish("work", [message(1)], within_s=10)

    assert waiting(emulator, RESPONDER) == ["m1"]


async def test_an_unknown_topic_is_unavailable_and_says_why(bus: Bus) -> None:
    with pytest.raises(Unavailable, match="MessagingEntityNotFoundError"):
        await bus.publish("nowhere", [message(1)])


async def test_nothing_to_publish_is_no_trouble_even_in_an_outage(
    emulator: Emulator, bus: Bus
) -> None:
    emulator.begin_outage()

    await bus.publish("work", [])

    emulator.end_outage()


async def test_closing_ends_waiting_callers(emulator: Emulator) -> None:
    bus = Bus(emulator.connection_string)
    emulator.begin_outage()
    publishing = asyncio.create_task(bus.publish("work", [message(1)], within_s=60))
    await asyncio.sleep(0)

    await bus.close()

    with pytest.raises(Unavailable, match="stopping"):
        await publishing
    emulator.end_outage()


async def test_dead_letters_are_shown_and_left_where_they_are(emulator: Emulator, bus: Bus) -> None:
    await bus.publish("work", [Message(subject="triage", body="k", message_id="m1", attempt=4)])
    bury(emulator)

    (letter,) = await bus.dead_letters("work", "responder", 10)

    assert letter.message == Message(subject="triage", body="k", message_id="m1", attempt=4)
    assert letter.reason == "MaxDeliveryCountExceeded"
    assert letter.deliveries == 10
    assert waiting(emulator, RESPONDER + DEAD_LETTER_SUFFIX) == ["m1"]


async def test_more_dead_letters_than_one_answer_holds_are_shown_up_to_the_limit(
    emulator: Emulator, bus: Bus
) -> None:
    for number in range(7):
        await bus.publish("work", [message(number)])
    bury(emulator)

    letters = await bus.dead_letters("work", "responder", 6)

    assert [letter.message.message_id for letter in letters] == [f"m{n}" for n in range(6)]


async def test_dead_letters_of_an_unknown_subscription_are_not_found(bus: Bus) -> None:
    with pytest.raises(NotFound, match="no subscription nobody on topic work"):
        await bus.dead_letters("work", "nobody")


async def test_dead_letters_cannot_be_had_in_an_outage(emulator: Emulator, bus: Bus) -> None:
    emulator.begin_outage()

    with pytest.raises(Unavailable):
        await bus.dead_letters("work", "responder")
    emulator.end_outage()


async def test_a_bus_that_says_nothing_holds_nobody_up_who_looks_for_dead_letters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setattr("shared.adapters.bus._LOOK_WITHIN_S", 0.2)
    silent = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    bus = Bus(
        f"Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName=local;"
        "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
    )

    with pytest.raises(Unavailable, match="no answer"):
        await bus.dead_letters("work", "responder")

    await bus.close()
    silent.close()


async def test_one_dead_letter_is_published_again_and_the_others_stay(
    emulator: Emulator, bus: Bus
) -> None:
    await bus.publish("work", [message(1), message(2), message(3)])
    bury(emulator)

    assert await bus.resubmit_dead_letter("work", "responder", "m2")

    assert waiting(emulator, RESPONDER) == ["m2"]
    assert waiting(emulator, RESPONDER + DEAD_LETTER_SUFFIX) == ["m1", "m3"]
    (again,) = emulator.broker.queue(RESPONDER).peek(0, 2)
    assert again.content.application == {"attempt": 1, "only_for": "responder"}


@asynccontextmanager
async def somebody_else_at(emulator: Emulator) -> AsyncIterator[None]:
    """Another process holds the locks of all dead letters of the responder."""
    async with (
        ServiceBusClient.from_connection_string(emulator.connection_string) as client,
        client.get_subscription_receiver(
            "work", "responder", sub_queue=ServiceBusSubQueue.DEAD_LETTER
        ) as receiver,
    ):
        held = await receiver.receive_messages(10, max_wait_time=1)
        yield
        for one in held:
            await receiver.abandon_message(one)


async def test_a_dead_letter_that_somebody_else_holds_is_not_believed_to_be_gone(
    emulator: Emulator, bus: Bus
) -> None:
    await bus.publish("work", [message(1)])
    bury(emulator)

    async with somebody_else_at(emulator):
        with pytest.raises(Unavailable, match="somebody else"):
            await bus.resubmit_dead_letter("work", "responder", "m1")

    assert await bus.resubmit_dead_letter("work", "responder", "m1")


async def test_the_others_are_not_let_go_before_the_one_is_published(
    emulator: Emulator, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bus.publish("work", [message(1), message(2)])
    bury(emulator)
    seen: list[dict[State, int]] = []
    publish = bus.publish

    async def look(topic: str, messages: Sequence[Message], *, within_s: float = 1.0) -> None:
        seen.append(emulator.broker.queue(RESPONDER + DEAD_LETTER_SUFFIX).counts())
        await publish(topic, messages, within_s=within_s)

    monkeypatch.setattr(bus, "publish", look)

    assert await bus.resubmit_dead_letter("work", "responder", "m1")

    assert seen[0][State.LOCKED] == 2


async def test_a_letter_that_cannot_be_published_is_let_go_at_once(
    emulator: Emulator, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bus.publish("work", [message(1)])
    bury(emulator)

    async def fail(topic: str, messages: Sequence[Message], *, within_s: float = 1.0) -> None:
        raise Unavailable("bus", "no")

    with monkeypatch.context() as patched:
        patched.setattr(bus, "publish", fail)
        with pytest.raises(Unavailable):
            await bus.resubmit_dead_letter("work", "responder", "m1")

    assert await bus.resubmit_dead_letter("work", "responder", "m1")


async def test_a_dead_letter_is_discarded_and_published_nowhere(
    emulator: Emulator, bus: Bus
) -> None:
    await bus.publish("work", [message(1), message(2)])
    bury(emulator)

    assert await bus.discard_dead_letter("work", "responder", "m1")
    assert not await bus.discard_dead_letter("work", "responder", "m1")

    assert waiting(emulator, RESPONDER) == []
    assert waiting(emulator, RESPONDER + DEAD_LETTER_SUFFIX) == ["m2"]


async def test_a_dead_letter_that_is_not_there_is_not_published(bus: Bus) -> None:
    assert await bus.dead_letters("changes", "record") == []
    assert not await bus.resubmit_dead_letter("changes", "record", "m9")


async def test_after_a_long_rest_the_link_is_new(emulator: Emulator) -> None:
    opened = []

    def new_sender() -> ServiceBusSender:
        opened.append(client.get_topic_sender("work", keep_alive=None))
        return opened[-1]

    async with ServiceBusClient.from_connection_string(emulator.connection_string) as client:
        pump = Pump("work", new_sender, longest_rest_s=-1)
        for _ in range(2):
            await pump.warm(within_s=5)
        await pump.close()

    assert len(opened) == 2


async def test_a_namespace_needs_a_credential() -> None:
    with pytest.raises(ValueError, match="credential"):
        await Bus("example.servicebus.windows.net").dead_letters("work", "responder")
