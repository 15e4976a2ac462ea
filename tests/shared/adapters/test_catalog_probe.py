"""The request of a service's file that its endpoints are probed with."""

from pathlib import Path

from tests.shared.adapters.test_catalog import SOUND, mistakes_of, read


def with_probe(probe: str) -> str:
    return SOUND.replace("  owner:", f"  probe: {probe}\n  owner:", 1)


def test_it_is_read_as_it_stands(tmp_path: Path) -> None:
    probe = read(tmp_path, with_probe("{input: {sum: 900, tags: [a, 1.5, true]}}")).probe

    assert probe == {"input": {"sum": 900, "tags": ["a", 1.5, True]}}


def test_a_file_need_not_have_one(tmp_path: Path) -> None:
    assert read(tmp_path, SOUND).probe == {}


def test_a_request_that_is_no_mapping_is_a_mistake(tmp_path: Path) -> None:
    (mistake,) = mistakes_of(tmp_path, with_probe("[1]"))

    assert (mistake.field, mistake.problem) == ("spec.probe", "a list or mapping is no mapping")
