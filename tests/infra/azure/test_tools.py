"""The command-line tools, as real processes: what they say, and what is said when they refuse."""

import sys
from pathlib import Path

import pytest

from infra.azure.tools import ToolFailed, az, remember


def tool(folder: Path, name: str, *lines: str) -> None:
    place = folder / name
    place.write_text("\n".join([f"#!{sys.executable} -IS", "import sys", *lines]))
    place.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_an_answer_is_read_from_json_and_no_answer_is_none(path: Path) -> None:
    tool(path, "az", "print('{\"words\": %d}' % len(sys.argv))")
    assert az("ad", "app", "list") == {"words": 6}
    tool(path, "az")
    assert az("rest", "--method", "PATCH") is None


def test_a_refusal_is_told_in_the_tool_s_own_last_words(path: Path) -> None:
    tool(path, "azd", "sys.exit('WARNING: old\\nERROR: no environment')")
    with pytest.raises(ToolFailed, match=r"^azd env set: ERROR: no environment$"):
        remember("NAME", "a secret value")


def test_a_tool_that_is_missing_is_named(path: Path) -> None:
    with pytest.raises(ToolFailed, match="az is not installed"):
        az("ad", "app", "list")
