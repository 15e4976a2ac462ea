"""YAML as a plain tree that knows its lines, and nothing that YAML could do to us.

First step of reading the catalog. Aliases, tags, duplicate keys, deep nesting and huge files are
refused: a reviewed file has no use for them, and what one reads must be what is meant.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from shared.errors import BackstopError

MAX_BYTES = 65_536
MAX_DEPTH = 32

type Scalar = str | int | float | bool | None

_PREFIX = "tag:yaml.org,2002:"
_NULL = _PREFIX + "null"
_WORDS = {"true": True, "false": False}
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_DECIMAL = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}")
_OPENINGS = ("MappingStartEvent", "SequenceStartEvent")
_CLOSINGS = ("MappingEndEvent", "SequenceEndEvent")


class BrokenYaml(BackstopError):
    """The file cannot be read at all; `line` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A value and the line on which its key, else the value itself, begins."""

    line: int
    value: "Scalar | list[Node] | dict[str, Node]"


def read_documents(path: Path) -> list[Node]:
    """Read all documents of a file; raises BrokenYaml. Empty documents are left out."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = _read_text(path)
        _refuse_tricks(yaml.parse(text, Loader=loader))
        roots = list(yaml.compose_all(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise BrokenYaml(line, f"not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise BrokenYaml(1, f"not YAML: {error}") from error
    return [_read(root, root.start_mark.line + 1) for root in roots if not _is_empty(root)]


def _read_text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BrokenYaml(1, f"{size} bytes; at most {MAX_BYTES} are read")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenYaml(1, f"not a text file in UTF-8: {error}") from error


def _refuse_tricks(events: Iterable[Any]) -> None:
    """Look at the flat stream of events, before anything is built that could nest or multiply."""
    depth = 0
    for event in events:
        kind, line = type(event).__name__, event.start_mark.line + 1
        depth += kind.endswith(_OPENINGS) - kind.endswith(_CLOSINGS)
        if depth > MAX_DEPTH:
            raise BrokenYaml(line, f"nested deeper than {MAX_DEPTH} levels")
        if kind == "AliasEvent":
            raise BrokenYaml(line, "an alias (*name); write the value out")
        if getattr(event, "tag", None):
            raise BrokenYaml(line, f"a tag ({event.tag}); write a plain value")


def _is_empty(root: Any) -> bool:
    return bool(root.id == "scalar" and root.tag == _NULL)


def _read(node: Any, line: int) -> Node:
    """Turn a composed node into ours; `line` is that of its key."""
    if node.id == "mapping":
        return Node(line=line, value=_members(node))
    if node.id == "sequence":
        listed = [_read(inner, inner.start_mark.line + 1) for inner in node.value]
        return Node(line=line, value=listed)
    return Node(line=line, value=_scalar(node.tag, node.value))


def _members(node: Any) -> dict[str, Node]:
    members: dict[str, Node] = {}
    for key, inner in node.value:
        line = key.start_mark.line + 1
        name = str(key.value) if key.id == "scalar" else "a key that is no word"
        if name in members:
            raise BrokenYaml(line, f"{name} occurs twice")
        members[name] = _read(inner, line)
    return members


def _scalar(tag: str, said: str) -> Scalar:
    """Read only what people mean by it: 010 is no octal number, 1:30 no count of seconds."""
    if tag == _NULL:
        return None
    if tag == _PREFIX + "bool" and said.lower() in _WORDS:
        return _WORDS[said.lower()]
    if tag == _PREFIX + "int" and _WHOLE.fullmatch(said):
        return int(said)
    if tag == _PREFIX + "float" and _DECIMAL.fullmatch(said):
        return float(said)
    return said
