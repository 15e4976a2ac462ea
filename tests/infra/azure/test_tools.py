"""The command-line tools, as real processes: what they say, and what is said when they refuse."""

import sys
from pathlib import Path

import pytest

from infra.azure.tools import GRAPH, ToolFailed, az, every, remember


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


def test_of_a_long_refusal_the_line_that_says_why_is_told(path: Path) -> None:
    """az ends some of its errors with a bracket."""
    said = "WARNING: old\\nERROR: (Forbidden) no role\\nInner error: {\\n}"
    tool(path, "az", f"sys.exit('{said}')")
    with pytest.raises(ToolFailed, match=r"^az keyvault secret: ERROR: \(Forbidden\) no role$"):
        az("keyvault", "secret", "list")


def test_all_pages_of_an_answer_are_read(path: Path) -> None:
    tool(
        path,
        "az",
        "more = 'after=2' in ' '.join(sys.argv)",
        f"link = '' if more else '\"@odata.nextLink\": \"{GRAPH}/users?after=2\",'",
        "print('{%s \"value\": [%d]}' % (link, 2 if more else 1))",
    )
    assert every("users") == [1, 2]


def test_a_tool_that_is_missing_is_named(path: Path) -> None:
    with pytest.raises(ToolFailed, match="az is not installed"):
        az("ad", "app", "list")
