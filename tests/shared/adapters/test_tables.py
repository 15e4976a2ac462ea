"""Typed rows over the real SDK and Azurite: versions, transactions, ranges, and errors of ours."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from infra.local.azurite import connection_string, start_azurite
from infra.local.ports import free_port
from infra.local.processes import Children
from shared.adapters.table_clock import TableClock
from shared.adapters.tables import CHUNK, Table, TableAccount
from shared.domain.row import MUST_NOT_EXIST, Put, Remove
from shared.errors import Conflict, Unavailable


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    text: str = ""


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder: Path = tmp_path_factory.mktemp("azurite")
    port = free_port()
    with Children(folder) as children:
        start_azurite(children, port=port).wait_ready()
        yield port


@pytest.fixture
async def table(azurite: int) -> AsyncIterator[Table]:
    account = TableAccount(connection_string(azurite))
    await account.create("things")
    yield account.table("things")
    await account.close()


@pytest.fixture
def partition(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


async def test_reads_what_was_put(table: Table, partition: str) -> None:
    await table.write(partition, [Put(row="a", value=Thing(name="one"))])

    stored = await table.read(partition, "a", Thing)

    assert stored is not None
    assert stored.value == Thing(name="one")


async def test_a_row_that_is_not_there_is_none(table: Table, partition: str) -> None:
    assert await table.read(partition, "missing", Thing) is None


async def test_keeps_texts_longer_than_a_property(table: Table, partition: str) -> None:
    long = Thing(name="long", text="ä😀" * CHUNK)

    await table.write(partition, [Put(row="a", value=long)])

    stored = await table.read(partition, "a", Thing)
    assert stored is not None
    assert stored.value == long


async def test_a_shorter_value_leaves_nothing_of_the_longer(table: Table, partition: str) -> None:
    await table.write(partition, [Put(row="a", value=Thing(name="x", text="y" * 3 * CHUNK))])
    await table.write(partition, [Put(row="a", value=Thing(name="x"))])

    stored = await table.read(partition, "a", Thing)
    assert stored is not None
    assert stored.value == Thing(name="x")


async def test_an_insert_of_what_exists_is_a_conflict(table: Table, partition: str) -> None:
    put = Put(row="a", value=Thing(name="one"), etag=MUST_NOT_EXIST)
    await table.write(partition, [put])

    with pytest.raises(Conflict):
        await table.write(partition, [put])


async def test_replacing_an_old_version_is_a_conflict(table: Table, partition: str) -> None:
    await table.write(partition, [Put(row="a", value=Thing(name="one"))])
    old = await table.read(partition, "a", Thing)
    assert old is not None
    await table.write(partition, [Put(row="a", value=Thing(name="two"), etag=old.etag)])

    with pytest.raises(Conflict):
        await table.write(partition, [Put(row="a", value=Thing(name="three"), etag=old.etag)])


@pytest.mark.parametrize("cause", ["exists", "changed", "gone"])
async def test_a_transaction_goes_together_or_not_at_all(
    table: Table, partition: str, cause: str
) -> None:
    await table.write(partition, [Put(row="there", value=Thing(name="one"))])
    wrongs: dict[str, Put | Remove] = {
        "exists": Put(row="there", value=Thing(name="two"), etag=MUST_NOT_EXIST),
        "changed": Put(row="there", value=Thing(name="two"), etag='W/"old"'),
        "gone": Remove(row="not-there"),
    }

    with pytest.raises(Conflict):
        await table.write(partition, [Put(row="new", value=Thing(name="new")), wrongs[cause]])

    assert await table.read(partition, "new", Thing) is None


async def test_a_transaction_of_all_kinds(table: Table, partition: str) -> None:
    await table.write(partition, [Put(row="a", value=Thing(name="a"))])
    was = await table.read(partition, "a", Thing)
    assert was is not None

    await table.write(
        partition,
        [
            Put(row="a", value=Thing(name="b"), etag=was.etag),
            Put(row="b", value=Thing(name="b"), etag=MUST_NOT_EXIST),
            Put(row="c", value=Thing(name="c")),
        ],
    )

    names = [stored.value.name for stored in await table.scan(partition, "", Thing)]
    assert names == ["b", "b", "c"]


async def test_removing_what_is_gone_does_nothing(table: Table, partition: str) -> None:
    await table.write(partition, [Remove(row="never-there")])


async def test_scans_a_prefix_in_order_and_in_pages(table: Table, partition: str) -> None:
    rows = [f"k|{number:02d}" for number in range(7)]
    others = ["j|99", "l|00"]
    await table.write(partition, [Put(row=row, value=Thing(name=row)) for row in (*rows, *others)])

    first = await table.scan(partition, "k|", Thing, limit=3)
    rest = await table.scan(partition, "k|", Thing, after=first[-1].row)

    assert [stored.row for stored in first] == rows[:3]
    assert [stored.row for stored in rest] == rows[3:]


async def test_a_limit_of_none_asks_for_nothing(table: Table, partition: str) -> None:
    await table.write(partition, [Put(row="a", value=Thing(name="a"))])

    assert await table.scan(partition, "", Thing, limit=0) == []


async def test_scans_more_than_one_page_of_the_service(table: Table, partition: str) -> None:
    for start in range(0, 1200, 100):
        puts = [Put(row=f"{n:05d}", value=Thing(name="x")) for n in range(start, start + 100)]
        await table.write(partition, puts)

    assert len(await table.scan(partition, "", Thing, limit=5000)) == 1200


async def test_every_answer_tells_the_services_time(azurite: int) -> None:
    slow = TableClock(here=lambda: datetime.now(UTC) - timedelta(minutes=10))
    account = TableAccount(connection_string(azurite), clock=slow)
    await account.create("things")
    await account.close()

    assert timedelta(minutes=9, seconds=50) < slow.skew < timedelta(minutes=10, seconds=10)


async def test_tables_that_never_answer_are_unavailable_by_their_deadline() -> None:
    async def keep_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    account = TableAccount(connection_string(port), deadline_s=0.2)
    with pytest.raises(Unavailable, match=r"no answer in 0\.2 s"):
        await account.table("things").write("p", [Put(row="a", value=Thing(name="one"))])
    await account.close()
    server.close()
    server.abort_clients()
    await server.wait_closed()


async def test_a_row_that_is_none_of_ours_is_unavailable(table: Table, partition: str) -> None:
    class Other(msgspec.Struct, frozen=True, kw_only=True):
        number: int

    await table.write(partition, [Put(row="a", value=Thing(name="one"))])

    with pytest.raises(Unavailable, match="row a cannot be read"):
        await table.read(partition, "a", Other)


async def test_tables_that_are_out_are_unavailable() -> None:
    account = TableAccount(connection_string(free_port()), retry_total=0)
    try:
        with pytest.raises(Unavailable):
            await account.table("things").read("p", "r", Thing)
    finally:
        await account.close()


async def test_trying_to_write_changes_nothing(table: Table, partition: str) -> None:
    await table.try_writing(partition)
    assert await table.scan(partition, "", Thing) == []


async def test_not_even_where_the_row_is_there_against_all_expectation(
    table: Table, partition: str
) -> None:
    await table.write(partition, [Put(row="none", value=Thing(name="one"))])
    with pytest.raises(Conflict):
        await table.try_writing(partition)
    assert [row.value for row in await table.scan(partition, "", Thing)] == [Thing(name="one")]
