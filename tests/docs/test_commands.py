"""Commands that a document shows: make targets exist, and requests are for routes that exist."""

import re

import pytest

from tests.docs.documents import ROOT, Document, documents, routes

_MAKE = re.compile(r"(?:^|[`\s])make ([a-z-]+)(?=[`\s.,:;]|$)", re.MULTILINE)
_TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
_MODULE = re.compile(r"-m (infra\.[\w.]+)")
_CURL = re.compile(r"curl [^\n]*\"\$BACKSTOP(/[^\"?]*)[^\"]*\"([^\n]*)")


def shown(document: Document) -> str:
    """What is meant to be typed: fenced blocks and inline code."""
    inline = re.findall(r"`[^`\n]+`", document.prose)
    return "\n".join([*(block.text for block in document.blocks), *inline])


def targets() -> set[str]:
    return set(_TARGET.findall((ROOT / "Makefile").read_text()))


def requests(document: Document) -> list[tuple[str, str]]:
    """Method and path of every request that a curl command makes."""
    found = _CURL.findall(shown(document))
    return [("POST" if "--data" in rest else "GET", path) for path, rest in found]


def is_served(method: str, path: str) -> bool:
    patterns = [(verb, re.sub(r"\{\w+\}", "[^/]+", route)) for verb, route in routes()]
    return any(method == verb and re.fullmatch(route, path) for verb, route in patterns)


@pytest.mark.parametrize("document", documents(), ids=lambda d: d.name)
def test_make_targets_exist(document: Document) -> None:
    assert set(_MAKE.findall(shown(document))) - targets() == set()


@pytest.mark.parametrize("document", documents(), ids=lambda d: d.name)
def test_modules_exist(document: Document) -> None:
    places = [ROOT / name.replace(".", "/") for name in _MODULE.findall(document.text)]
    assert [p for p in places if not (p.is_dir() or p.with_suffix(".py").exists())] == []


@pytest.mark.parametrize("document", documents(), ids=lambda d: d.name)
def test_requests_are_for_routes(document: Document) -> None:
    assert [request for request in requests(document) if not is_served(*request)] == []


def test_requests_are_found_and_judged() -> None:
    text = (
        '```sh\ncurl "$BACKSTOP/api/changes?service=a"\ncurl -i "$BACKSTOP/api/no" --data x\n```\n'
    )
    found = requests(Document(path=ROOT / "x.md", text=text))
    assert found == [("GET", "/api/changes"), ("POST", "/api/no")]
    assert [is_served(*request) for request in found] == [True, False]
