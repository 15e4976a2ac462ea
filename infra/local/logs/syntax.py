"""Reading KQL text by its parse tree: the few questions that the rewriter asks of a node.

The tree is the translator's own, made by Microsoft's grammar, and untyped; it goes no further than
here and the rewriter.
"""

from typing import Any, NamedTuple

import duckdb_kql

type Node = Any

_OPENING = "([{"
_CLOSING = ")]}"
_QUOTES = "\"'"


class Named(NamedTuple):
    """An expression of an operator's list: `names = text`, or only `text`."""

    names: list[str]
    text: str


class Source:
    """One KQL text with its parse tree. Raises KqlSyntaxError when it does not parse."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree = duckdb_kql.parse(text).tree

    def find(self, kind: str) -> list[Node]:
        """Return the nodes of a kind, the last in the text first, so that each can be replaced."""
        found: list[Node] = []
        _collect(self._tree, kind, found)
        return sorted(found, key=lambda node: -node.start.start)

    def text_of(self, node: Node) -> str:
        """Return a node's text as written."""
        return self.text[node.start.start : node.stop.stop + 1]

    def between(self, node: Node, end: Node) -> str:
        """Return the text from one node's start to the start of another."""
        return self.text[node.start.start : end.start.start]

    def named(self, node: Node) -> Named:
        """Read a NamedExpression: `a = x`, `(a, b) = f(x)` or `x`."""
        text = self.text_of(children(node, "UnnamedExpression")[0])
        clause = children(node, "NamedExpressionNameClause")
        if not clause:
            return Named([], text)
        names = self.text_of(clause[0]).rstrip("=").strip().strip("()")
        return Named([name.strip() for name in names.split(",")], text)


def kind_of(node: Node) -> str:
    """Return the grammar's name of a node."""
    return type(node).__name__.removesuffix("Context")


def children(node: Node, kind: str) -> list[Node]:
    """Return a node's direct children of a kind."""
    return [child for child in node.children or [] if kind_of(child) == kind]


def split_arguments(text: str) -> list[str]:
    """Split a call's arguments at its top-level commas; strings and brackets stay whole."""
    parts: list[str] = []
    start = depth = 0
    quote = ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in _QUOTES:
            quote = character
        elif character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
        depth += _depth_change(character, quoted=bool(quote))
    rest = text[start:].strip()
    return [*parts, rest] if rest else parts


def _depth_change(character: str, *, quoted: bool) -> int:
    if quoted:
        return 0
    return (character in _OPENING) - (character in _CLOSING)


def _collect(node: Node, kind: str, found: list[Node]) -> None:
    if not getattr(node, "children", None):
        return
    if kind_of(node) == kind:
        found.append(node)
    for child in node.children:
        _collect(child, kind, found)
