"""README's lines of `make demo` are lines that the demo prints: their fixed parts are compared."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.docs.documents import ROOT, read

ROOMS = sorted((ROOT / "infra/local/demo").glob("*.py"))
FOUND_OUT = "v2 fails "  # the diagnosis's own sentence, which the demo hands on as it is
_LINE = re.compile(r"^ *\d+\.\d s  (.+)$", re.MULTILINE)


def output() -> list[str]:
    """The lines that the README shows, without their times."""
    blocks = [block.text for block in read("README.md").blocks if block.language == "text"]
    shown = next(text for text in blocks if _LINE.match(text))
    return _LINE.findall(shown)


@cache
def templates() -> list[str]:
    """A pattern for every text that the demo says, with anything where it fills something in."""
    nodes = [node for room in ROOMS for node in ast.walk(ast.parse(room.read_text()))]
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    said = [call.args[0] for call in calls if _name(call.func) in {"say", "fact"} and call.args]
    return [pattern for one in said if (pattern := "".join(_parts(one))).replace(".+", "")]


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _parts(text: ast.expr) -> Iterator[str]:
    for part in text.values if isinstance(text, ast.JoinedStr) else [text]:
        fixed = isinstance(part, ast.Constant) and isinstance(part.value, str)
        yield re.escape(ast.literal_eval(part)) if fixed else ".+"


def test_about_ten_lines_are_shown() -> None:
    assert 8 <= len(output()) <= 12


@pytest.mark.parametrize("line", [x for x in output() if not x.startswith(FOUND_OUT)])
def test_the_demo_prints_such_a_line(line: str) -> None:
    assert any(re.fullmatch(pattern, line) for pattern in templates())


def test_other_lines_are_told_apart() -> None:
    assert not any(re.fullmatch(pattern, "something else happened") for pattern in templates())
