"""Blobs through Microsoft's SDK, on Azurite: written once, and whatever is out is said so."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from infra.local.azurite import blob_connection_string, start_blobs
from infra.local.ports import free_port
from infra.local.processes import Children
from shared.adapters.blobs import Blobs
from shared.errors import Missing, Unavailable
from tests.batteries.wire import listening, saying
from tests.fakes.blobs import FakeBlobs
from tests.fakes.turns import Turns


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    with Children(tmp_path_factory.mktemp("logs")) as children:
        start_blobs(children, port=port).wait_ready()
        yield blob_connection_string(port)


@pytest.fixture(params=["azurite", "fake"])
async def blobs(request: pytest.FixtureRequest) -> AsyncIterator[Blobs]:
    if request.param == "fake":
        yield FakeBlobs(Turns())
        return
    made = Blobs(request.getfixturevalue("account"))
    await made.prepare("seals", "ledger")
    yield made
    await made.close()


async def test_a_blob_is_written_once(blobs: Blobs) -> None:
    assert await blobs.create("seals", "once.json", b"first")
    assert not await blobs.create("seals", "once.json", b"second")
    assert await blobs.read("seals", "once.json") == b"first"


async def test_what_is_not_there_is_nothing(blobs: Blobs) -> None:
    assert await blobs.read("seals", "none.json") is None


async def test_names_are_listed_in_order_by_their_beginning(blobs: Blobs) -> None:
    for name in ("intake/b", "intake/a", "changes/c"):
        await blobs.create("ledger", name, b"x")
    assert await blobs.names("ledger", "intake/") == ["intake/a", "intake/b"]


async def test_trying_to_write_changes_nothing(blobs: Blobs) -> None:
    await blobs.try_writing("seals", "nowhere/none")
    assert await blobs.names("seals", "nowhere/") == []


async def test_not_even_where_the_blob_is_there_against_all_expectation(account: str) -> None:
    blobs = Blobs(account)
    await blobs.prepare("seals")
    await blobs.create("seals", "there/none", b"kept")
    await blobs.try_writing("seals", "there/none")
    assert await blobs.read("seals", "there/none") == b"kept"
    await blobs.close()


async def test_a_container_that_is_not_there_is_missing(account: str) -> None:
    blobs = Blobs(account)
    with pytest.raises(Missing):
        await blobs.try_writing("nowhere", "none")
    await blobs.close()


async def test_a_write_that_was_taken_against_its_condition_is_no_proof() -> None:
    async with listening(saying("201 Created")) as wire:
        blobs = Blobs(blob_connection_string(wire.port))
        with pytest.raises(Unavailable, match="written against its condition"):
            await blobs.try_writing("seals", "nowhere/none")
        await blobs.close()


async def test_containers_are_made_where_they_are_missing(account: str) -> None:
    blobs = Blobs(account)
    await blobs.prepare("more")
    await blobs.prepare("more", "seals")
    assert await blobs.names("more") == []
    await blobs.close()


async def test_an_account_that_does_not_answer_is_out() -> None:
    blobs = Blobs(blob_connection_string(free_port()), deadline_s=0.2)
    with pytest.raises(Unavailable, match="blobs is unavailable"):
        await blobs.create("seals", "name", b"x")
    with pytest.raises(Unavailable, match="blobs is unavailable"):
        await blobs.read("seals", "name")
    with pytest.raises(Unavailable, match="blobs is unavailable"):
        await blobs.names("seals")
    await blobs.close()


async def test_blobs_survive_a_stop_where_they_have_a_folder(tmp_path: Path) -> None:
    port = free_port()
    with Children(tmp_path / "logs") as children:
        child = start_blobs(children, port=port, folder=tmp_path / "blobs")
        child.wait_ready()
        blobs = Blobs(blob_connection_string(port))
        await blobs.prepare("seals")
        await blobs.create("seals", "kept", b"kept")
        child.interrupt()
        child.wait_gone()
        child.start()
        child.wait_ready()
        assert await blobs.read("seals", "kept") == b"kept"
        await blobs.close()
