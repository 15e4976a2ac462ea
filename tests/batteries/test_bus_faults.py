"""Bus faults: a message is accepted or Unavailable is raised, whatever the line or the bus does.

The bus's part of the matrix in `outages`: its troubles are those of connections and of AMQP. Most
of it is waiting, so all cells are played side by side, each with a bus of its own. What the
emulator cannot do is refuse an identity, so that a 401 of the bus is in no cell.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from infra.local.bus import Emulator, read_config
from infra.local.bus.content import Property
from infra.local.bus.faults import Fault
from shared.adapters.bus import Bus
from shared.domain.message import Message
from shared.errors import Unavailable
from tests.batteries.lines import Line, Mishap, line_to
from tests.batteries.soak import SOAK

# On a broken connection the SDK leaves its socket to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

TOPOLOGY = Path("infra/servicebus.json")
RESPONDER = "work/Subscriptions/responder"
MOST_IN_A_ROW = 5
MOST_SILENT = 2 if SOAK == 1 else MOST_IN_A_ROW  # each takes the pump's three seconds
WAITING = (Mishap.SILENT, Mishap.DRIPPING)
MOST_CALLS = 60
STORED = {Fault.SERVER_BUSY: 0, Fault.DROP_BEFORE_SEND: 0, Fault.DROP_AFTER_SEND: 1}


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """What is left to the collector is closed here, where the warning is expected."""
    yield
    gc.collect()


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A bus of its own, its line and its client."""

    emulator: Emulator
    line: Line
    bus: Bus

    def stored(self, message_id: str) -> int:
        """How often a message lies in the responder's subscription."""
        waiting = self.emulator.broker.queue(RESPONDER).peek(0, 10_000)
        ids = [str(one.content.standard(Property.MESSAGE_ID)) for one in waiting]
        return ids.count(message_id)


@asynccontextmanager
async def side() -> AsyncIterator[Side]:
    """One bus behind one line, with a client that knows only the line."""
    emulator = Emulator(read_config(TOPOLOGY))
    await emulator.start()
    async with line_to(emulator.port) as line:
        address = emulator.connection_string.replace(f":{emulator.port}", f":{line.port}")
        bus = Bus(address)
        try:
            yield Side(emulator=emulator, line=line, bus=bus)
        finally:
            await bus.close()
    await emulator.stop()


def order(message_id: str) -> Message:
    return Message(subject="triage", body="key", message_id=message_id)


async def through(it: Side, mishap: Mishap, times: int) -> str:
    """Publish until it is accepted again; what broke, or ""."""
    it.line.mishaps.extend([mishap] * times)
    it.line.cut()
    for number in range(MOST_CALLS):
        sent = order(f"{mishap.name} {times} {number}")
        try:
            await it.bus.publish("work", [sent], within_s=0.5)
        except Unavailable:
            continue
        except Exception as error:  # noqa: BLE001 - a raw exception is what is looked for
            return f"{mishap.value}, {times} in a row: raw {error!r}"
        if it.stored(sent.message_id) < 1:
            return f"{mishap.value}, {times} in a row: accepted, and not there"
        if not it.line.mishaps:
            return ""
    return f"{mishap.value}, {times} in a row: not accepted in {MOST_CALLS} calls"


async def lane(mishap: Mishap, times: int) -> str:
    """One bus of its own whose next connections meet a mishap; what broke, or ""."""
    async with side() as it:
        await it.bus.warm(["work"])
        return await through(it, mishap, times)


async def taken(fault: Fault, times: int) -> int:
    """How often a message is stored by a bus that fails so often in a row."""
    async with side() as it:
        await it.bus.warm(["work"])
        it.emulator.broker.faults.arm(fault, "work", times=times)
        await it.bus.publish("work", [order("m")], within_s=60)
        return it.stored("m")


async def test_a_line_that_fails_up_to_five_times_ends_in_our_own_words() -> None:
    cells = [
        (mishap, times)
        for mishap in Mishap
        for times in range(1, MOST_IN_A_ROW + 1)
        if times <= MOST_SILENT or mishap not in WAITING
    ]

    broken = await asyncio.gather(*(lane(*cell) for cell in cells))

    assert [line for line in broken if line] == []


async def test_a_bus_that_fails_up_to_five_times_takes_a_message_in_the_end() -> None:
    cells = [(fault, times) for fault in STORED for times in range(1, MOST_IN_A_ROW + 1)]

    found = await asyncio.gather(*(taken(*cell) for cell in cells))

    assert found == [1 + STORED[fault] * times for fault, times in cells]
