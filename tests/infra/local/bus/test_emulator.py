"""The emulator as a process among others: ports, outages, starting and stopping."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.local.bus import Emulator, read_config
from infra.local.bus.content import Section
from infra.local.bus.encode import encode
from infra.local.bus.frames import PROTOCOL_SASL
from infra.local.bus.queue import Queue
from infra.local.bus.values import Described, ULong

TOPOLOGY = Path("infra/servicebus.json")
RECORD = "changes/Subscriptions/record"


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    emulator = Emulator(read_config(TOPOLOGY))
    await emulator.start()
    yield emulator
    await emulator.stop()


async def greet(port: int) -> bytes:
    """Say hello, and return the answer; nothing when the connection breaks."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(PROTOCOL_SASL)
        return await reader.read(8)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionResetError):
            await writer.wait_closed()


def send(emulator: Emulator) -> Queue:
    emulator.broker.send("changes", [encode(Described(ULong(Section.DATA), b"body"))])
    return emulator.broker.queue(RECORD)


async def test_it_takes_a_free_port_and_says_which(emulator: Emulator) -> None:
    assert f"sb://127.0.0.1:{emulator.port};" in emulator.connection_string
    assert await greet(emulator.port) == PROTOCOL_SASL


async def test_during_an_outage_nobody_gets_in(emulator: Emulator) -> None:
    emulator.begin_outage()
    assert await greet(emulator.port) == b""

    emulator.end_outage()
    assert await greet(emulator.port) == PROTOCOL_SASL


async def test_an_outage_loses_no_message(emulator: Emulator) -> None:
    queue = send(emulator)

    emulator.begin_outage()
    emulator.end_outage()

    assert len(queue.peek(0, 9)) == 1


async def test_an_outage_breaks_open_connections(emulator: Emulator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", emulator.port)
    writer.write(PROTOCOL_SASL)
    await reader.readexactly(8)

    emulator.begin_outage()

    with contextlib.suppress(ConnectionResetError):
        await reader.read()  # returns at the end of the stream only
    assert not emulator.connections
    writer.close()
    with contextlib.suppress(ConnectionResetError):
        await writer.wait_closed()


async def test_after_stopping_the_port_is_free(emulator: Emulator) -> None:
    await emulator.stop()

    again = Emulator(read_config(TOPOLOGY), port=emulator.port)
    await again.start()
    assert await greet(again.port) == PROTOCOL_SASL
    await again.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_as_a_command_it_says_where_it_is_and_stops_when_told(number: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.local.bus", "--port", "0"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    port = int(line.split("127.0.0.1:")[1].split(";")[0])
    assert await greet(port) == PROTOCOL_SASL

    process.send_signal(number)

    assert await process.wait() == 0
