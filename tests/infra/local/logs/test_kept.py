"""Translations are known again after a restart, as long as nothing that made them has changed."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from infra.local.logs import engine
from infra.local.logs.kept import keep, recall

QUERY = "AppRequests | where Name == 'kept' | count"
OTHER = engine.Translation(sql="SELECT 1", names={}, reads_clock=False)


@pytest.fixture(autouse=True)
def _as_a_new_process() -> Iterator[None]:
    former = dict(engine.KNOWN)
    _forget()
    yield
    _forget()
    engine.KNOWN.update(former)


def _forget() -> None:
    engine.KNOWN.clear()
    engine.translate.cache_clear()


def test_what_was_translated_is_known_to_the_next_process(tmp_path: Path) -> None:
    made = engine.translate(QUERY)
    keep(tmp_path / "kept.json")
    _forget()

    assert recall(tmp_path / "kept.json") == 1
    assert {QUERY: made} == engine.KNOWN


def test_what_is_known_is_not_translated_again() -> None:
    engine.KNOWN[QUERY] = OTHER

    assert engine.translate(QUERY) is OTHER


def test_translations_of_other_sources_are_nobodys(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    engine.KNOWN[QUERY] = OTHER
    keep(path)
    kept = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**kept, "stamp": "of another version"}))
    _forget()

    assert recall(path) == 0
    assert engine.KNOWN == {}


@pytest.mark.parametrize("content", [None, b"", b"{}", b"half a fi"])
def test_a_file_that_cannot_be_read_is_no_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "kept.json"
    if content is not None:
        path.write_bytes(content)

    assert recall(path) == 0


def test_a_folder_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")

    keep(tmp_path / "a-file" / "kept.json")
