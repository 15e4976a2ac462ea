"""What a document points to is there: files, headings, folders, names of code."""

import re
import string

import pytest

from tests.docs.documents import ROOT, Document, documents

_INLINE = re.compile(r"`([^`\n]+)`")
_ROOMS = ("responders/", "shared/", "infra/", "tests/", "docs/")


def named_paths(document: Document) -> list[str]:
    """The repository's paths among the inline code; patterns and commands are none."""
    named = (name for name in _INLINE.findall(document.prose) if name.startswith(_ROOMS))
    return [name for name in named if set(name) <= {*string.ascii_letters, *string.digits, *"/._-"}]


def resolves(document: Document, link: str) -> bool:
    path, _, fragment = link.partition("#")
    target = document.path.parent / path if path else document.path
    if not target.exists():
        return False
    if not fragment:
        return True
    return fragment in Document(path=target, text=target.read_text()).anchors


@pytest.mark.parametrize("document", documents(), ids=lambda d: d.name)
def test_links_lead_somewhere(document: Document) -> None:
    own = [link for link in document.links if not link.startswith(("https:", "mailto:"))]
    assert [link for link in own if not resolves(document, link)] == []


@pytest.mark.parametrize("document", documents(), ids=lambda d: d.name)
def test_paths_that_are_named_exist(document: Document) -> None:
    assert [name for name in named_paths(document) if not (ROOT / name).exists()] == []


def test_nothing_is_linked_by_plain_http() -> None:
    plain = [link for document in documents() for link in document.links if link[:5] == "http:"]
    assert plain == []


def test_a_link_without_a_target_is_seen() -> None:
    readme = Document(path=ROOT / "README.md", text="# One two\n[a](LICENSE)")
    assert resolves(readme, "LICENSE")
    assert not resolves(readme, "LICENCE")
    assert not resolves(readme, "README.md#no-such-heading")
    assert readme.anchors == {"one-two"}


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs/decisions"
    listed = (folder / "README.md").read_text()
    records = [path.name for path in folder.glob("0*.md")]
    assert records
    assert [name for name in records if f"({name})" not in listed] == []
