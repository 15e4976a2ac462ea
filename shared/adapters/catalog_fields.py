"""Fields of a catalog file: asked for by name and type, and every mistake kept with its line.

A reader never stops at a mistake: it notes what is wrong and what is allowed, and answers something
of the right type, so that one run shows all that is to be mended. `Section.close` finds what nobody
asked for.
"""

import re
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from shared.adapters.catalog_report import Mentioned, Report
from shared.adapters.catalog_tree import Node

NAME = "[a-z0-9][a-z0-9-]{1,62}"
MINUTE, HOUR, DAY = 60, 3_600, 86_400

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")


class Section:
    """One mapping of a file. A `default` of None means that the field must be there."""

    def __init__(self, report: Report, node: Node, path: str = "", *, quiet: bool = False) -> None:
        self.report = report
        self.line = node.line
        self.path = path
        self._asked: set[str] = set()
        self._members = node.value if isinstance(node.value, dict) else {}
        self._quiet = quiet or not isinstance(node.value, dict)  # it is a mistake as a whole
        if not isinstance(node.value, dict):
            report.note(node.line, path, "is no mapping", "names and values, one a line")

    def has(self, name: str) -> bool:
        """Whether the field is there, whatever it holds."""
        self._asked.add(name)
        return name in self._members

    def mistake(self, name: str, problem: str, allowed: str = "") -> None:
        """Note a mistake of a field, where the field stands."""
        self.report.note(self._line(name), self._path(name), problem, allowed)

    def advise(self, name: str, problem: str, allowed: str = "") -> None:
        """Note what is to be mended in a field, though it does no harm to read it."""
        self.report.advise(self._line(name), self._path(name), problem, allowed)

    def mention(self, what: Mentioned, name: str, text: str) -> None:
        """Keep a field's text for whoever can check it."""
        self.report.mention(what, self._line(name), self._path(name), text)

    def text(
        self, name: str, default: str | None = None, *, pattern: str = ".{1,300}", form: str = ""
    ) -> str:
        """Read a text that matches the pattern as a whole; "" where it does not.

        `form` says for people what the pattern means.
        """
        node = self._ask(name, required=default is None)
        if node is None:
            return default or ""
        if not isinstance(node.value, str):
            self.mistake(name, f"{_shown(node)} is no text", "a text; quote it if need be")
            return ""
        if not re.fullmatch(pattern, node.value):
            self.mistake(name, f"{_shown(node)} is not allowed", form or f"text like {pattern}")
            return ""
        return node.value

    def choice[E: StrEnum](self, name: str, kind: type[E], default: E | None = None) -> E:
        """Read one of an enumeration's values."""
        said = self.one_of(name, tuple(kind), default)
        return kind(said)

    def one_of(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Read one of some words."""
        node = self._ask(name, required=default is None)
        if node is None:
            return default or allowed[0]
        if node.value in allowed:
            return str(node.value)
        self.mistake(name, f"{_shown(node)} is unknown", _meant(str(node.value), allowed))
        return allowed[0]

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Read a whole number from low to high."""
        node = self._ask(name, required=default is None)
        if node is None:
            return default or low
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        allowed = f"a whole number from {low} to {high}"
        self.mistake(name, f"{_shown(node)} is not allowed", allowed)
        return low

    def number(self, name: str, low: float, high: float, default: float | None = None) -> float:
        """Read a number above low and at most high."""
        node = self._ask(name, required=default is None)
        if node is None:
            return low if default is None else default
        value = node.value
        if isinstance(value, int | float) and not isinstance(value, bool) and low < value <= high:
            return float(value)
        allowed = f"a number above {low:g} and at most {high:g}"
        self.mistake(name, f"{_shown(node)} is not allowed", allowed)
        return low

    def seconds(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Read a duration such as 15m or 24h, in seconds."""
        node = self._ask(name, required=default is None)
        if node is None:
            return low if default is None else default
        match = _DURATION.fullmatch(str(node.value))
        seconds = int(match[1]) * _SECONDS[match[2]] if match else -1
        if not low <= seconds <= high:
            allowed = f"a duration from {_duration(low)} to {_duration(high)}, such as 15m"
            self.mistake(name, f"{_shown(node)} is not allowed", allowed)
        return seconds

    def flag(self, name: str, *, default: bool) -> bool:
        """Read true or false."""
        node = self._ask(name, required=False)
        if node is None:
            return default
        if not isinstance(node.value, bool):
            self.mistake(name, f"{_shown(node)} is neither true nor false", "true or false")
        return bool(node.value)

    def texts(self, name: str, *, pattern: str = ".{1,300}", form: str = "") -> tuple[str, ...]:
        """Read a list of texts; an empty one where the field is missing."""
        found = [node.value for node in self._list(name, required=False)]
        for value in found:
            if not isinstance(value, str) or not re.fullmatch(pattern, value):
                allowed = form or f"texts like {pattern}"
                self.mistake(name, f"{value!r:.80} is not allowed", allowed)
        return tuple(str(value) for value in found)

    def wholes(self, name: str, low: int, high: int) -> tuple[int, ...]:
        """Read a list of whole numbers from low to high, at least one."""
        found = [node.value for node in self._list(name, required=True)]
        good = tuple(n for n in found if type(n) is int and low <= n <= high)
        if len(good) < max(1, len(found)):
            self.mistake(name, "is not allowed", f"a list of whole numbers from {low} to {high}")
        return good

    def names(self) -> tuple[str, ...]:
        """The names of all fields, where it is the file that chooses them."""
        return tuple(self._members)

    def anything(self, name: str) -> dict[str, Any]:
        """Read a mapping of whatever it holds; an empty one, and a mistake, where it is none."""
        node = self._ask(name, required=True)
        if node is None:
            return {}
        if not isinstance(node.value, dict):
            self.mistake(name, f"{_shown(node)} is no mapping", "names and values, one a line")
            return {}
        return {key: _plain(inner) for key, inner in node.value.items()}

    def section(self, name: str, *, required: bool = True) -> "Section":
        """Read a mapping inside; an empty one where it is missing, and a mistake if required."""
        node = self._ask(name, required=required)
        found = node or Node(line=self.line, value={})
        return Section(self.report, found, self._path(name), quiet=node is None)

    def sections(self, name: str, *, required: bool = True) -> list["Section"]:
        """Read a list of mappings."""
        listed = enumerate(self._list(name, required=required))
        return [Section(self.report, node, f"{self._path(name)}[{i}]") for i, node in listed]

    def close(self) -> None:
        """Note every field that nobody asked for, with the one that may be meant."""
        for name in self._members.keys() - self._asked:
            self.mistake(name, "is unknown", _meant(name, tuple(sorted(self._asked))))

    def _line(self, name: str) -> int:
        return self._members[name].line if name in self._members else self.line

    def _path(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _ask(self, name: str, *, required: bool) -> Node | None:
        self._asked.add(name)
        node = self._members.get(name)
        if node is not None and node.value is not None:
            return node
        if required and not self._quiet:
            self.mistake(name, "is missing")
        return None

    def _list(self, name: str, *, required: bool) -> list[Node]:
        node = self._ask(name, required=required)
        if node is None:
            return []
        if not isinstance(node.value, list):
            self.mistake(name, "is no list", "items that begin with a dash")
            return []
        return node.value


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {name: _plain(inner) for name, inner in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(inner) for inner in node.value]
    return node.value


def _shown(node: Node) -> str:
    if isinstance(node.value, dict | list):
        return "a list or mapping"
    return f"{node.value!r:.80}"


def _meant(said: str, allowed: tuple[str, ...]) -> str:
    near = get_close_matches(said, allowed, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{hint}one of {', '.join(allowed)}"


def _duration(seconds: int) -> str:
    unit = max((u for u in _SECONDS if seconds % _SECONDS[u] == 0), key=_SECONDS.__getitem__)
    return f"{seconds // _SECONDS[unit]}{unit}"
