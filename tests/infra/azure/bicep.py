"""Bicep as the tests of this folder read it: parsed by its grammar, looked at by names.

No compiler is needed. What the grammar cannot tell (types, properties) the compiler tells in the
user's own pipeline: docs/deploy.md.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import tree_sitter
import tree_sitter_bicep

from infra.package.package import ROOT

AZURE = ROOT / "infra" / "azure"
_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))

Node = tree_sitter.Node


def files() -> list[Path]:
    return [AZURE / "main.bicep", *sorted((AZURE / "modules").glob("*.bicep"))]


@cache
def root(path: Path) -> Node:
    return _PARSER.parse(path.read_bytes()).root_node


def text(node: Node) -> str:
    return (node.text or b"").decode()


def walk(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += found.children


def declared(path: Path, kind: str) -> dict[str, Node]:
    """The declarations of a kind (parameter, variable, resource, module, output) by name."""
    found = (node for node in walk(root(path)) if node.type == f"{kind}_declaration")
    return {text(node.named_children[0]): node for node in found}


def type_of(node: Node) -> str:
    """What a resource or a module is an instance of: the text in its head."""
    head = next(child for child in node.named_children if child.type == "string")
    return text(head).strip("'")


def body_of(node: Node) -> Node:
    """The object of a declaration, behind `if` and `for`."""
    while node.type != "object":
        inner = [one for one in node.named_children if one.type in BODIES]
        node = inner[-1]
    return node


BODIES = {"object", "for_statement", "if_statement", "parenthesized_expression"}


def properties(node: Node) -> dict[str, Node]:
    """The properties of an object with their values."""
    pairs = [one.named_children for one in node.named_children if one.type == "object_property"]
    return {text(pair[0]).strip("'"): pair[-1] for pair in pairs if len(pair) > 1}


def value(node: Node, path: str) -> str:
    """The text of the property at a dotted path, empty where there is none."""
    for name in path.split("."):
        if node.type != "object" or name not in properties(node):
            return ""
        node = properties(node)[name]
    return text(node).strip("'")


def resources(prefix: str) -> list[tuple[Path, Node]]:
    """Every resource that is made here (not those that exist) of a type that begins so."""
    return [
        (path, node)
        for path in files()
        for node in declared(path, "resource").values()
        if type_of(node).split("@")[0] == prefix and not is_existing(node)
    ]


def is_existing(node: Node) -> bool:
    return any(text(child) == "existing" for child in node.children)
