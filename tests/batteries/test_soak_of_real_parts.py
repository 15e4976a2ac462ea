"""The soak of real parts: Azurite and the bus emulator behind a spoiled wire and a spoiled line.

Real SDKs, real sockets, real time, so it is played only when it is asked for. Two workers take
every alert at once, while their requests are refused, lost, cut, throttled and answered wrongly.
"""

import asyncio
import gc
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from infra.local.azurite import connection_string, start_azurite
from infra.local.bus import Emulator, read_config
from infra.local.ports import free_port
from infra.local.processes import Children
from responders.alert.triage import triage
from shared.adapters.tables import TableAccount
from shared.domain.alerts.alert import Alert
from shared.domain.event import ChangeEvent
from shared.domain.incidents.incident import Incident
from shared.domain.keys import shards
from shared.errors import Conflict, Unavailable
from shared.protocol.intake import accept, read_delivery
from shared.services import TABLES, Services
from tests.batteries.lines import Line, Mishap, line_to
from tests.batteries.soak import SOAK
from tests.batteries.wire import Trouble, Wire, behind, listening
from tests.fakes import catalog_of, make_settings
from tests.fakes.scene import SERVICE, fired, message

pytestmark = [
    pytest.mark.skipif(
        "BACKSTOP_SOAK" not in os.environ,
        reason="a soak in real time, of a minute or more: set BACKSTOP_SOAK to a number to play it",
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the SDK's, on a broken connection
    pytest.mark.timeout(900),
]

TARGETS = 80
RULES = ("5xx", "latency")
WORKERS = 2
MOST_TRIES = 200
QUICK = [trouble for trouble in Trouble if trouble is not Trouble.REFUSED]
HASTY = [mishap for mishap in Mishap if mishap is not Mishap.DRIPPING]


@pytest.fixture
def azurite(tmp_path: Path) -> object:
    port = free_port()
    with Children(tmp_path) as children:
        start_azurite(children, port=port).wait_ready()
        yield port


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    made = Emulator(read_config(Path("infra/servicebus.json")))
    await made.start()
    yield made
    await made.stop()


def process(wire: Wire, line: Line, emulator: Emulator, name: str) -> Services:
    """A process that knows the tables and the bus by their spoiled doors only."""
    bus = emulator.connection_string.replace(f":{emulator.port}", f":{line.port}")
    tables = connection_string(wire.port)
    made = Services(make_settings(tables=tables, bus=bus, instance=name))
    made.__dict__["catalog"] = catalog_of(SERVICE)
    return made


async def spoil(wire: Wire, line: Line, seed: int) -> None:
    """Something goes wrong with every few requests, and with the line every few seconds."""
    chance = Random(seed)  # noqa: S311 - the same troubles, though not at the same requests
    while True:
        await asyncio.sleep(chance.uniform(0.005, 0.05))
        usual = chance.random() < 0.97
        few = [one for one in QUICK if one not in (Trouble.SILENT, Trouble.DRIPPING)]
        if not wire.troubles:
            wire.troubles.append(chance.choice(few if usual else QUICK))
        if chance.random() < 0.05:
            line.mishaps.append(chance.choice(HASTY))
            line.cut()


async def insist[T](attempt: Callable[[], Awaitable[T]]) -> T:
    """Try until it is done, as Azure Monitor and the bus do."""
    for _ in range(MOST_TRIES):
        with suppress(Unavailable, Conflict):
            return await attempt()
        await asyncio.sleep(0.05)
    raise AssertionError(f"not done in {MOST_TRIES} tries")


async def take(services: Services, alert: Alert) -> str:
    """Accept an alert and triage it; answer its delivery."""
    key, _ = await insist(lambda: accept(services, alert))
    await insist(lambda: triage(services, message("triage", key)))
    return key


@pytest.mark.parametrize("seed", range(SOAK))
async def test_behind_spoiled_doors_every_alert_is_taken_once(
    azurite: int, emulator: Emulator, seed: int
) -> None:
    account = TableAccount(connection_string(azurite))
    await account.create(*TABLES)
    alerts = [fired(rule, target=f"/sites/{n}") for n in range(TARGETS) for rule in RULES]
    async with listening(behind(azurite)) as wire, line_to(emulator.port) as line:
        workers = [process(wire, line, emulator, f"w{n}") for n in range(WORKERS)]
        spoiling = asyncio.create_task(spoil(wire, line, seed))
        taking = [take(worker, alert) for alert in alerts for worker in workers]
        keys = set(await asyncio.gather(*taking))
        spoiling.cancel()
        wire.troubles.clear()
        await check(workers[0], account, keys, len(alerts))
        await asyncio.gather(*(worker.close() for worker in workers))
    await account.close()
    gc.collect()  # here, where the warning is expected


async def check(services: Services, account: TableAccount, keys: set[str], alerts: int) -> None:
    """One delivery an alert, settled; one incident a target; one event an alert."""
    assert len(keys) == alerts
    assert not any([(await read_delivery(services, key)).value.pending for key in keys])
    state = account.table("state")
    incidents = [row.value for s in shards() for row in await state.scan(s, "incident|", Incident)]
    events = [row.value for s in shards() for row in await state.scan(s, "event|", ChangeEvent)]
    told = Counter(str(event.evidence["delivery"]) for event in events)
    assert Counter(incident.target for incident in incidents) == Counter(
        f"/sites/{n}" for n in range(TARGETS)
    )
    assert {incident.alerts for incident in incidents} == {len(RULES)}
    assert (len(told), set(told.values())) == (alerts, {1})
