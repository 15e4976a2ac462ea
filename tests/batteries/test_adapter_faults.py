"""Adapter faults: every call over a spoiled wire, one to five times in a row, then well again.

`ALLOWED` in `outages` is the matrix of calls and troubles; the bus, which speaks AMQP, has its own
below. A call ends while the wire is still silent, and never in an exception of an SDK.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import monotonic

import pytest

from infra.local.azurite import connection_string, start_azurite
from infra.local.foundry.seed import seed
from infra.local.foundry.world import World
from infra.local.ports import free_port
from infra.local.processes import Children
from shared.adapters import webhook
from shared.adapters.tables import TableAccount
from shared.domain.row import Put
from shared.errors import Unavailable
from tests.batteries import outages
from tests.batteries.outages import ALLOWED, GOOD, PATIENCE_S, Ask, Opened, Thing, outcome
from tests.batteries.soak import SOAK
from tests.batteries.wire import MALFORMED, Answer, Trouble, Wire, behind, listening, saying
from tests.infra.local.foundry.serving import arm_served

# azure-ai-ml notes its own calls with a function that 3.12 deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.*utcnow:DeprecationWarning:azure.ai.ml")

MOST_IN_A_ROW = 5
MOST_CALLS = 40
WELL_AGAIN = {GOOD, "complete"}
WRONG = "not allowed:"
TABLES = [name for name in ALLOWED if name.endswith(("row", "rows"))]
LOGS = (
    b'{"tables": [{"name": "PrimaryResult", "columns": [{"name": "Total", "type": "long"}],'
    b' "rows": [[7]]}]}'
)
WELL: dict[str, Answer] = {
    "query_logs": saying("200 OK", LOGS),
    "probe": saying("200 OK\r\nazureml-model-deployment: v1", b"{}"),
    "post_card": saying("202 Accepted"),
    "send_page": saying("202 Accepted", b'{"status": "success"}'),
}
ENDPOINT = ["read_endpoint", "write_traffic"]


async def _heard(ask: Ask, name: str, trouble: Trouble) -> str:
    """What one call came to; a call whose own time ran out may say what it says of silence."""
    began = monotonic()
    word = await outcome(ask)
    allowed = ALLOWED[name][trouble] | WELL_AGAIN
    if monotonic() - began >= PATIENCE_S:
        allowed |= ALLOWED[name][Trouble.SILENT]
    return word if word in allowed else f"{WRONG} {word}"


async def through(wire: Wire, ask: Ask, name: str, trouble: Trouble, times: int) -> str:
    """Call until it is good again; what broke, or "". A slow machine may need calls more."""
    cell = f"{name}, {trouble.value}, {times} in a row"
    call = partial(_heard, ask, name, trouble)
    if trouble is Trouble.REFUSED:
        await wire.leave()
        heard = [await call() for _ in range(times)]
        await wire.listen()
    else:
        wire.troubles.extend([trouble] * times)
        heard = [await call()]
    while (wire.troubles or heard[-1] not in WELL_AGAIN) and len(heard) < MOST_CALLS:
        heard.append(await call())
    wrong = [one for one in heard if one.startswith(WRONG)]
    if wrong:
        return f"{cell}: {wrong[0]}"
    if heard[-1] not in WELL_AGAIN:
        return f"{cell}: still {heard[-1]} after {len(heard)} calls"
    return ""


async def broken_cells(opened: Callable[[Wire], Opened], name: str, well: Answer) -> list[str]:
    """Every cell of one row of the matrix that does not hold, all lengths side by side."""

    async def lane(times: int) -> list[str]:
        async with listening(well) as wire, opened(wire) as ask:
            return [await through(wire, ask, name, t, times) for t in [*Trouble] * SOAK]

    lanes = await asyncio.gather(*(lane(times) for times in range(1, MOST_IN_A_ROW + 1)))
    return [line for lines in lanes for line in lines if line]


async def broken_bodies(opened: Callable[[Wire], Opened], name: str, well: Answer) -> list[str]:
    """Every malformed answer that is taken for an answer, or raises what is not ours."""
    lines = []
    async with listening(well) as wire, opened(wire) as ask:
        for body in MALFORMED:
            wire.malformed = deque([body])
            broken = await through(wire, ask, name, Trouble.MALFORMED, 1)
            lines.append(f"{broken} on {body!r}" if broken else "")
    return [line for line in lines if line]


def test_every_call_has_a_cell_for_every_trouble() -> None:
    assert [name for name, row in ALLOWED.items() if set(row) != set(Trouble)] == []
    assert set(ALLOWED) == {*TABLES, *WELL, *ENDPOINT}


@pytest.mark.parametrize("check", [broken_cells, broken_bodies])
@pytest.mark.parametrize("name", WELL)
async def test_logs_probes_cards_and_pages_end_in_our_own_words(
    name: str, check: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "_TIMEOUT_S", PATIENCE_S)

    assert await check(getattr(outages, name), name, WELL[name]) == []  # type: ignore[misc]


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder: Path = tmp_path_factory.mktemp("azurite")
    port = free_port()
    with Children(folder) as children:
        start_azurite(children, port=port).wait_ready()
        yield port


@pytest.fixture
async def tables(azurite: int) -> Answer:
    account = TableAccount(connection_string(azurite))
    await account.create("things")
    await account.table("things").write("p", [Put(row="row", value=Thing())])
    await account.close()
    return behind(azurite)


@pytest.mark.parametrize("check", [broken_cells, broken_bodies])
@pytest.mark.parametrize("name", TABLES)
async def test_tables_end_in_our_own_words(
    name: str, check: Callable[..., object], tables: Answer
) -> None:
    assert await check(getattr(outages, name), name, tables) == []  # type: ignore[misc]


async def test_what_stands_before_the_tables_does_not_set_the_clock() -> None:
    async with listening(saying("503 Service Unavailable")) as wire:
        account = TableAccount(connection_string(wire.port), retry_total=0)
        with pytest.raises(Unavailable):
            await account.table("things").read("p", "row", Thing)
        await account.close()

    assert account.clock.skew == timedelta(0)


@pytest.fixture
async def world() -> AsyncIterator[tuple[World, Answer]]:
    made = World(operation_s=0.0)
    seed(made)
    async with arm_served(made) as url:
        yield made, behind(int(url.rpartition(":")[2]))


@pytest.mark.parametrize("check", [broken_cells, broken_bodies])
@pytest.mark.parametrize("name", ENDPOINT)
async def test_the_endpoint_ends_in_our_own_words(
    name: str, check: Callable[..., object], world: tuple[World, Answer]
) -> None:
    made, well = world
    opened = partial(getattr(outages, name), world=made)

    assert await check(opened, name, well) == []  # type: ignore[misc]
