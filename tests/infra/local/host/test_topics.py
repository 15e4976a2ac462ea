"""Messages are settled as Azure's host does: completed on return, abandoned at once on a raise.

The bus runs on the test's own loop, so that a test can look into it and break it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from infra.local.bus import Emulator
from tests.infra.local.host.sample import (
    ONE_TOPIC,
    said,
    starting_with_bus,
    topology,
    write_app,
)

pytestmark = pytest.mark.usefixtures("hasty_bus")

QUEUE = "work/Subscriptions/all"


@asynccontextmanager
async def running(config: dict[str, Any]) -> AsyncIterator[Emulator]:
    emulator = Emulator(config)
    await emulator.start()
    yield emulator
    await emulator.stop()


@pytest.fixture
async def bus() -> AsyncIterator[Emulator]:
    async with running(topology()) as emulator:
        yield emulator


async def send(emulator: Emulator, *messages: ServiceBusMessage) -> None:
    async with (
        ServiceBusClient.from_connection_string(emulator.connection_string) as client,
        client.get_topic_sender("work") as sender,
    ):
        await sender.send_messages(list(messages))


def held_by(emulator: Emulator, path: str = QUEUE) -> int:
    return len(emulator.broker.queue(path).peek(0, 1000))


async def emptied(emulator: Emulator) -> None:
    """Wait until all messages are settled for good: that follows the function's return."""
    async with asyncio.timeout(10):
        while held_by(emulator):  # noqa: ASYNC110 - the bus tells nobody
            await asyncio.sleep(0.02)


async def test_a_message_arrives_with_its_properties(tmp_path: Path, bus: Emulator) -> None:
    app = write_app(
        tmp_path,
        """
@app.service_bus_topic_trigger(
    arg_name="msg", topic_name="%TOPIC%", subscription_name="all", connection="BUS"
)
async def take(msg: func.ServiceBusMessage, context: func.Context) -> None:
    print("id", msg.message_id, "subject", msg.subject, "delivery", msg.delivery_count, flush=True)
    print("attempt", msg.application_properties["attempt"], flush=True)
    print("trace", context.trace_context.trace_parent, flush=True)
    print("enqueued", msg.enqueued_time_utc.tzinfo is not None, flush=True)
    print("body", msg.get_body(), flush=True)
""",
    )
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with starting_with_bus(app, bus, TOPIC="work") as host:
        await send(
            bus,
            ServiceBusMessage(
                "größer",
                message_id="e1:2",
                subject="triage",
                application_properties={"attempt": 2, "Diagnostic-Id": trace},
            ),
        )
        assert await said(host, "body ") == [f"body {'größer'.encode()!r}"]
        assert await said(host, "id ") == ["id e1:2 subject triage delivery 1"]
        assert await said(host, "attempt ") == ["attempt 2"]
        assert await said(host, "trace ") == [f"trace {trace}"]


async def test_a_message_whose_function_returned_is_gone(tmp_path: Path, bus: Emulator) -> None:
    app = write_app(tmp_path, ONE_TOPIC)
    with starting_with_bus(app, bus) as host:
        await send(bus, *(ServiceBusMessage(f"m{number}") for number in range(20)))
        took = await said(host, "took m", times=20)
        await emptied(bus)
    assert len(set(took)) == 20


async def test_a_message_whose_function_raised_comes_again_at_once_until_it_is_dead(
    tmp_path: Path,
) -> None:
    app = write_app(tmp_path, ONE_TOPIC + "    raise RuntimeError('no luck')\n")
    async with running(topology(max_deliveries=3)) as bus:
        with starting_with_bus(app, bus) as host:
            await send(bus, ServiceBusMessage("m", message_id="m1"))
            await said(host, "take failed (delivery 3 of m1): RuntimeError: no luck")
            took = await said(host, "took m")
            assert took == [f"took m delivery {number}" for number in (1, 2, 3)]
            await emptied(bus)
            assert held_by(bus, f"{QUEUE}/$DeadLetterQueue") == 1


BATCHES = """
first = True

@app.service_bus_topic_trigger(
    arg_name="msgs",
    topic_name="work",
    subscription_name="all",
    connection="BUS",
    cardinality=func.Cardinality.MANY,
)
async def take(msgs: typing.List[func.ServiceBusMessage]) -> None:
    global first
    bodies = " ".join(msg.get_body().decode() for msg in msgs)
    print("took", len(msgs), bodies, msgs[0].message_id, msgs[-1].delivery_count, flush=True)
    fails, first = first, False
    if fails:
        raise RuntimeError("first batch fails")
"""


async def test_a_batch_is_settled_as_one(tmp_path: Path, bus: Emulator) -> None:
    messages = [ServiceBusMessage(f"m{number}", message_id=f"i{number}") for number in range(3)]
    await send(bus, *messages)
    with starting_with_bus(write_app(tmp_path, BATCHES), bus) as host:
        took = await said(host, "took ", times=2)
        await emptied(bus)
    assert took == ["took 3 m0 m1 m2 i0 1", "took 3 m0 m1 m2 i0 2"]


async def test_a_batch_is_no_larger_than_host_json_allows(tmp_path: Path, bus: Emulator) -> None:
    host_json = '{"version": "2.0", "extensions": {"serviceBus": {"maxMessageBatchSize": 2}}}'
    await send(bus, *(ServiceBusMessage(f"m{number}", message_id="i") for number in range(3)))
    app = write_app(tmp_path, BATCHES.replace("first = True", "first = False"), host_json)
    with starting_with_bus(app, bus) as host:
        took = await said(host, "took ", times=2)
    assert took == ["took 2 m0 m1 i 1", "took 1 m2 i 1"]


async def test_one_message_at_a_time_where_host_json_says_so(tmp_path: Path, bus: Emulator) -> None:
    host_json = '{"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentCalls": 1}}}'
    slow = ONE_TOPIC + "    await asyncio.sleep(0.05)\n    print('left', flush=True)\n"
    await send(bus, *(ServiceBusMessage(f"m{number}") for number in range(4)))
    with starting_with_bus(write_app(tmp_path, slow, host_json), bus) as host:
        await said(host, "left", times=4)
        steps = [line.split()[0] for line in host.output() if line.startswith(("took", "left"))]
    assert steps == ["took", "left"] * 4


async def test_messages_run_side_by_side_by_default(tmp_path: Path, bus: Emulator) -> None:
    meeting = (
        "meeting = asyncio.Barrier(4)\n"
        + ONE_TOPIC
        + "    await meeting.wait()\n    print('met', flush=True)\n"
    )
    with starting_with_bus(write_app(tmp_path, meeting), bus) as host:
        await send(bus, *(ServiceBusMessage(f"m{number}") for number in range(4)))
        await said(host, "met", times=4)


async def test_a_lock_is_renewed_while_the_function_runs(tmp_path: Path) -> None:
    slow = ONE_TOPIC + "    await asyncio.sleep(1.6)\n    print('done', flush=True)\n"
    app = write_app(tmp_path, slow)
    async with running(topology(lock="PT1S")) as bus:
        with starting_with_bus(app, bus) as host:
            await send(bus, ServiceBusMessage("m"))
            await said(host, "done")
            await emptied(bus)
        assert [line for line in host.output() if "took" in line] == ["took m delivery 1"]


async def test_a_lock_is_not_renewed_for_longer_than_host_json_allows(tmp_path: Path) -> None:
    none = '"maxAutoLockRenewalDuration": "00:00:00"'
    host_json = f'{{"version": "2.0", "extensions": {{"serviceBus": {{{none}}}}}}}'
    slow = ONE_TOPIC + "    await asyncio.sleep(1.3 if msg.delivery_count == 1 else 0)\n"
    app = write_app(tmp_path, slow, host_json)
    async with running(topology(lock="PT1S")) as bus:
        with starting_with_bus(app, bus) as host:
            await send(bus, ServiceBusMessage("m"))
            await said(host, "took m delivery 2")
            await said(host, "lost its lock and will come again")
            await emptied(bus)


async def test_a_stopping_host_finishes_the_call_that_runs(tmp_path: Path, bus: Emulator) -> None:
    slow = ONE_TOPIC + "    await asyncio.sleep(0.3)\n    print('done', flush=True)\n"
    with starting_with_bus(write_app(tmp_path, slow), bus) as host:
        await send(bus, ServiceBusMessage("m"))
        await said(host, "took m")
        host.interrupt()
        await asyncio.to_thread(host.wait_gone)
    assert host.output()[-1] == "done"
    assert host.returncode == 0
    assert held_by(bus) == 0


async def test_an_outage_of_the_bus_is_survived_and_told_in_two_lines(
    tmp_path: Path, bus: Emulator
) -> None:
    with starting_with_bus(write_app(tmp_path, ONE_TOPIC), bus) as host:
        await said(host, "ready http")
        bus.begin_outage()
        await said(host, "bus lost, trying again")
        bus.end_outage()
        await said(host, "bus is back, all receivers attached")
        await send(bus, ServiceBusMessage("after"))
        await said(host, "took after delivery 1")
        told = [line for line in host.output() if "attachment" in line]
    assert len(told) == 2


async def test_the_host_is_ready_only_when_the_bus_is(tmp_path: Path, bus: Emulator) -> None:
    bus.begin_outage()
    with starting_with_bus(write_app(tmp_path, ONE_TOPIC), bus) as host:
        await said(host, "bus lost, trying again")
        assert not any(line.startswith("ready") for line in host.output())
        bus.end_outage()
        await said(host, "ready http")
