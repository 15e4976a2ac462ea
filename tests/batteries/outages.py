"""Outages: what each adapter is asked while its wire is spoiled, and what it may answer then.

`ALLOWED` is the matrix: a row for every call of an adapter to the outside, a column for every
trouble, in each cell the outcomes that its documentation promises. "good" needs no permission: the
adapter may outlast a short trouble by itself, as long as the good answer is the true one.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec

from infra.local.azurite import connection_string
from infra.local.foundry.seed import SERVICE
from infra.local.foundry.world import World
from shared.adapters.endpoint import Endpoints
from shared.adapters.logs import Logs
from shared.adapters.pager import Pager
from shared.adapters.scoring import Scoring
from shared.adapters.tables import Table, TableAccount
from shared.adapters.teams import Teams
from shared.domain.decisions.endpoint import WriteVerdict, parse_target
from shared.domain.diagnosis.telemetry import AnswerStatus
from shared.domain.row import MUST_NOT_EXIST, Put, Remove
from shared.errors import Conflict, RejectedInput, Unavailable
from tests.batteries.wire import Trouble, Wire

PATIENCE_S = 0.1  # an adapter's own deadline, where it can be given one
GOOD = "good"
UNAVAILABLE, REJECTED, CONFLICT = "Unavailable", "RejectedInput", "Conflict"

type Ask = Callable[[], Awaitable[str]]
type Opened = AbstractAsyncContextManager[Ask]


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    name: str = "thing"


async def outcome(ask: Ask) -> str:
    """What became of one call, in a word; what is not in our words is told as it is."""
    try:
        return await ask()
    except Unavailable:
        return UNAVAILABLE
    except RejectedInput:
        return REJECTED
    except Conflict:
        return CONFLICT
    except Exception as error:  # noqa: BLE001 - a raw exception is what is looked for
        return f"raw {error!r}"


@asynccontextmanager
async def _table(wire: Wire) -> AsyncIterator[Table]:
    account = TableAccount(connection_string(wire.port), deadline_s=PATIENCE_S)
    yield account.table("things")
    await account.close()


@asynccontextmanager
async def read_row(wire: Wire) -> AsyncIterator[Ask]:
    async with _table(wire) as table:

        async def ask() -> str:
            found = await table.read("p", "row", Thing)
            return GOOD if found and found.value == Thing() else f"wrong: {found}"

        yield ask


@asynccontextmanager
async def scan_rows(wire: Wire) -> AsyncIterator[Ask]:
    async with _table(wire) as table:

        async def ask() -> str:
            found = [row.value for row in await table.scan("p", "row", Thing)]
            return GOOD if found == [Thing()] else f"wrong: {found}"

        yield ask


@asynccontextmanager
async def scan_readable_rows(wire: Wire) -> AsyncIterator[Ask]:
    async with _table(wire) as table:

        async def ask() -> str:
            found = await table.scan_readable("p", "row", Thing)
            good = [row.value for row in found.rows] == [Thing()] and not found.unreadable
            return GOOD if good else f"wrong: {found}"

        yield ask


@asynccontextmanager
async def insert_row(wire: Wire) -> AsyncIterator[Ask]:
    """Insert a new row and take it away again, by which POST and DELETE are tried."""
    async with _table(wire) as table:

        async def ask() -> str:
            row = uuid4().hex
            await table.write("p", [Put(row=row, value=Thing(), etag=MUST_NOT_EXIST)])
            await table.write("p", [Remove(row=row)])
            return GOOD

        yield ask


@asynccontextmanager
async def write_rows(wire: Wire) -> AsyncIterator[Ask]:
    async with _table(wire) as table:

        async def ask() -> str:
            await table.write("p", [Put(row=name, value=Thing()) for name in ("one", "two")])
            return GOOD

        yield ask


@asynccontextmanager
async def try_writing_rows(wire: Wire) -> AsyncIterator[Ask]:
    async with _table(wire) as table:

        async def ask() -> str:
            await table.try_writing("nowhere")
            return GOOD

        yield ask


@asynccontextmanager
async def query_logs(wire: Wire) -> AsyncIterator[Ask]:
    logs = Logs("workspace", endpoint=wire.url, timeout_s=PATIENCE_S)

    async def ask() -> str:
        since = datetime(2026, 11, 23, tzinfo=UTC) - timedelta(hours=1)
        answer = await logs.query("versions", Service="fnol-summary", Since=since)
        true = answer.status is not AnswerStatus.COMPLETE or len(answer.rows) == 1
        return answer.status.value if true else f"wrong: {answer}"

    yield ask
    await logs.close()


@asynccontextmanager
async def probe(wire: Wire) -> AsyncIterator[Ask]:
    scoring = Scoring("key")

    async def ask() -> str:
        report = await scoring.probe(
            f"{wire.url}/score", deployment="v1", region=None, payloads=[{}], timeout_s=PATIENCE_S
        )
        return GOOD if report.ok else "not passed" if report.detail else "wrong: no detail"

    yield ask
    await scoring.close()


@asynccontextmanager
async def post_card(wire: Wire) -> AsyncIterator[Ask]:
    teams = Teams(f"{wire.url}/flow")

    async def ask() -> str:
        return GOOD if (await teams.post({"type": "message"})).by == "teams" else "wrong"

    yield ask
    await teams.close()


@asynccontextmanager
async def send_page(wire: Wire) -> AsyncIterator[Ask]:
    pager = Pager(f"{wire.url}/v2/enqueue")

    async def ask() -> str:
        return GOOD if (await pager.send({"routing_key": "k" * 32})).by == "pager" else "wrong"

    yield ask
    await pager.close()


@asynccontextmanager
async def read_endpoint(wire: Wire, world: World) -> AsyncIterator[Ask]:
    endpoints = Endpoints(None, wire.url, poll_s=0.05, read_timeout_s=PATIENCE_S)
    target = parse_target(world.endpoint(SERVICE).id)

    async def ask() -> str:
        snapshot = await endpoints.read(target)
        return GOOD if snapshot.served() == "v1" else f"wrong: {snapshot}"

    yield ask
    await endpoints.close()


@asynccontextmanager
async def write_traffic(wire: Wire, world: World) -> AsyncIterator[Ask]:
    endpoints = Endpoints(None, wire.url, poll_s=0.05, read_timeout_s=PATIENCE_S)
    target = parse_target(world.endpoint(SERVICE).id)

    async def ask() -> str:
        answer = await endpoints.write_traffic(target, {"v1": 100}, deadline_s=PATIENCE_S)
        return GOOD if answer.verdict is WriteVerdict.ACCEPTED else answer.verdict.value

    yield ask
    await endpoints.close()


_FOR_GOOD = {Trouble.EXPIRED, Trouble.FORBIDDEN}


def _row(usual: str, *others: str, for_good: str = "") -> dict[Trouble, set[str]]:
    """One row of the matrix: what every trouble may come to, and what a refused identity does."""
    return {
        trouble: {for_good} if for_good and trouble in _FOR_GOOD else {usual, *others}
        for trouble in Trouble
    }


ALLOWED: dict[str, dict[Trouble, set[str]]] = {
    "read_row": _row(UNAVAILABLE),
    "scan_rows": _row(UNAVAILABLE),
    "scan_readable_rows": _row(UNAVAILABLE),
    "insert_row": _row(UNAVAILABLE) | {Trouble.LOST: {UNAVAILABLE, CONFLICT}},
    "write_rows": _row(UNAVAILABLE),
    "try_writing_rows": _row(UNAVAILABLE),
    "query_logs": _row("unavailable", "timed_out"),
    "probe": _row("not passed"),
    "post_card": _row(UNAVAILABLE, for_good=REJECTED) | {Trouble.MALFORMED: {GOOD}},
    "send_page": _row(UNAVAILABLE, for_good=REJECTED) | {Trouble.MALFORMED: {GOOD}},
    "read_endpoint": _row(UNAVAILABLE),
    "write_traffic": _row("unknown", for_good="refused"),
}
