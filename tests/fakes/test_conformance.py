"""The fake table does what the real one does: every rule is asked of both."""

from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from infra.local.azurite import connection_string, start_azurite
from infra.local.ports import free_port
from infra.local.processes import Children
from shared.adapters.tables import Table, TableAccount
from shared.domain.redaction.redactor import BARE
from shared.domain.row import MUST_NOT_EXIST, Put, Remove, Write
from shared.errors import Conflict, RejectedInput, Unavailable, Unreadable
from tests.fakes.tables import FakeTable
from tests.fakes.turns import Turns


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    name: str = "thing"


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """What another version has written where a thing is expected."""

    name: int = 1


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = free_port()
    with Children(tmp_path_factory.mktemp("azurite")) as children:
        start_azurite(children, port=port).wait_ready()
        yield port


@pytest.fixture(params=["fake", "real"])
async def table(request: pytest.FixtureRequest) -> AsyncIterator[Table]:
    if request.param == "fake":
        yield FakeTable("things", Turns(), BARE)
        return
    account = TableAccount(connection_string(request.getfixturevalue("azurite")))
    await account.create("things")
    yield account.table("things")
    await account.close()


@pytest.fixture
def part(request: pytest.FixtureRequest) -> str:
    """A partition that no other test writes to."""
    return str(request.node.name)


def put(row: str, name: str = "thing", etag: str | None = None) -> Put:
    return Put(row=row, value=Thing(name=name), etag=etag)


async def names(table: Table, part: str, prefix: str = "") -> list[str]:
    return [stored.row for stored in await table.scan(part, prefix, Thing)]


async def test_a_row_is_read_as_it_was_written(table: Table, part: str) -> None:
    await table.write(part, [put("a", "one")])

    stored = await table.read(part, "a", Thing)

    assert stored is not None
    assert (stored.row, stored.value) == ("a", Thing(name="one"))


async def test_what_is_secret_or_personal_is_never_stored(table: Table, part: str) -> None:
    writes = [put("a", "asked by kim@claimant.example"), put("b", "sig=Zm9sbG93")]
    await table.write(part, writes[:1])
    await table.write(part, writes)

    stored = [row.value.name for row in await table.scan(part, "", Thing)]
    assert stored == ["asked by [email]", "sig=[secret]"]


async def test_what_is_not_there_is_none(table: Table, part: str) -> None:
    assert await table.read(part, "a", Thing) is None
    assert await table.scan(part, "", Thing) == []


async def test_every_write_makes_a_new_version(table: Table, part: str) -> None:
    versions = set()
    for _ in range(3):
        await table.write(part, [put("a")])
        stored = await table.read(part, "a", Thing)
        assert stored is not None
        versions.add(stored.etag)

    assert len(versions) == 3


async def test_the_version_that_was_read_is_replaced_once(table: Table, part: str) -> None:
    await table.write(part, [put("a")])
    was = await table.read(part, "a", Thing)
    assert was is not None
    await table.write(part, [put("a", "two", was.etag)])

    with pytest.raises(Conflict):
        await table.write(part, [put("a", "three", was.etag)])


@pytest.mark.parametrize(
    "wrong",
    [
        put("there", etag=MUST_NOT_EXIST),
        put("there", etag='W/"old"'),
        put("gone", etag='W/"old"'),
    ],
    ids=["exists", "changed", "gone"],
)
@pytest.mark.parametrize("together", [False, True])
async def test_a_wrong_version_is_a_conflict_and_nothing_is_written(
    table: Table, part: str, wrong: Put, together: bool
) -> None:
    await table.write(part, [put("there", "first")])
    writes: list[Write] = [put("new"), wrong] if together else [wrong]

    with pytest.raises(Conflict):
        await table.write(part, writes)

    assert await names(table, part) == ["there"]
    stored = await table.read(part, "there", Thing)
    assert stored is not None
    assert stored.value.name == "first"


async def test_a_removal_of_what_is_gone_is_nothing_alone(table: Table, part: str) -> None:
    await table.write(part, [Remove(row="gone")])

    assert await names(table, part) == []


async def test_a_removal_of_what_is_gone_is_a_conflict_among_others(
    table: Table, part: str
) -> None:
    await table.write(part, [put("there")])

    with pytest.raises(Conflict):
        await table.write(part, [Remove(row="there"), Remove(row="gone")])

    assert await names(table, part) == ["there"]


@pytest.mark.parametrize("together", [False, True])
async def test_a_removal_of_another_version_is_a_conflict(
    table: Table, part: str, together: bool
) -> None:
    await table.write(part, [put("there", "first")])
    was = await table.read(part, "there", Thing)
    assert was is not None
    await table.write(part, [put("there", "second")])
    others: list[Write] = [put("new")] if together else []

    with pytest.raises(Conflict):
        await table.write(part, [Remove(row="there", etag=was.etag), *others])

    now = await table.read(part, "there", Thing)
    assert now is not None
    await table.write(part, [Remove(row="there", etag=now.etag)])
    assert await names(table, part) == []


async def test_a_transaction_has_up_to_a_hundred_writes(table: Table, part: str) -> None:
    await table.write(part, [put(f"{n:03d}") for n in range(100)])

    assert len(await names(table, part)) == 100


async def test_more_than_a_hundred_writes_are_refused() -> None:
    # By the fake alone: the service answers 400, Azurite an answer that no client can read.
    with pytest.raises(RejectedInput):
        await FakeTable("things", Turns(), BARE).write("p", [put(f"{n}") for n in range(101)])


async def test_a_transaction_names_each_row_once(table: Table, part: str) -> None:
    with pytest.raises(RejectedInput):
        await table.write(part, [put("a"), Remove(row="a")])

    assert await names(table, part) == []


async def test_a_range_begins_behind_a_row_and_ends_with_the_prefix(
    table: Table, part: str
) -> None:
    await table.write(part, [put(row) for row in ("a|1", "b|1", "b|2", "b|3", "c|1")])

    assert await names(table, part, "b|") == ["b|1", "b|2", "b|3"]
    behind = await table.scan(part, "b|", Thing, after="b|1", limit=1)
    assert [stored.row for stored in behind] == ["b|2"]
    assert await table.scan(part, "b|", Thing, limit=0) == []


async def test_a_flag_chooses_rows_until_it_is_written_away(table: Table, part: str) -> None:
    flagged = Put(row="a", value=Thing(), flags=("pending",))
    await table.write(part, [flagged, put("b")])
    chosen = await table.scan(part, "", Thing, flag="pending")
    assert [stored.row for stored in chosen] == ["a"]

    await table.write(part, [put("a")])

    assert await table.scan(part, "", Thing, flag="pending") == []


async def test_one_row_that_cannot_be_read_makes_a_range_unavailable(
    table: Table, part: str
) -> None:
    await table.write(part, [put("a"), Put(row="b", value=Foreign()), put("c")])

    with pytest.raises(Unreadable) as raised:
        await table.scan(part, "", Thing)

    assert raised.value.row == "b"


async def test_who_asks_for_what_is_readable_gets_it_and_the_names_of_the_rest(
    table: Table, part: str
) -> None:
    flagged = Put(row="b|3", value=Thing(name="three"), flags=("pending",))
    foreign = Put(row="b|2", value=Foreign(), flags=("pending",))
    await table.write(part, [put("a"), put("b|1", "one"), foreign, flagged])

    found = await table.scan_readable(part, "b|", Thing)
    assert [stored.value.name for stored in found.rows] == ["one", "three"]
    assert (found.unreadable, found.names) == (["b|2"], ["b|1", "b|2", "b|3"])

    behind = await table.scan_readable(part, "b|", Thing, after="b|1", limit=1)
    assert (behind.rows, behind.names) == ([], ["b|2"])

    chosen = await table.scan_readable(part, "", Thing, flag="pending")
    assert chosen.names == ["b|2", "b|3"]


async def test_the_rows_of_other_partitions_are_others(table: Table, part: str) -> None:
    await table.write(part, [put("a")])

    assert await table.read(f"{part}-other", "a", Thing) is None


async def test_a_table_that_is_out_is_unavailable() -> None:
    table = FakeTable("things", Turns(), BARE)
    table.out = True

    with pytest.raises(Unavailable):
        await table.read("p", "a", Thing)
