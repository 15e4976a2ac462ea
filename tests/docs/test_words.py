"""The project's words: it speaks of itself, plainly, and says aloud what is not there yet."""

import re

import pytest

from tests.docs.documents import Document, documents, read

# How the project is made is nobody's business, and praise is no information.
_FOREIGN = (
    r"\bAI[- ](assistant|agent|generated|written)",
    r"\b(language model|chatbot|copilot|prompted)\b",
    r"\b(this|my|the) session\b",
    r"\bissues? #?\d+",
    r"/work/",
    r"\b(blazing|seamless|world-class|cutting-edge|effortless|revolutionary)\w*",
)


@pytest.mark.parametrize("document", documents(), ids=lambda d: d.name)
def test_no_foreign_words(document: Document) -> None:
    found = [m[0] for word in _FOREIGN for m in re.finditer(word, document.text, re.IGNORECASE)]
    assert found == []


@pytest.mark.parametrize("document", documents(), ids=lambda d: d.name)
def test_fences_are_closed_and_there_is_one_title(document: Document) -> None:
    assert document.text.count("\n```") % 2 == 0
    assert len(re.findall(r"^# ", document.prose, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md", "CHANGELOG.md"])
def test_that_every_route_asks_who_calls_is_said_and_nothing_else(name: str) -> None:
    text = read(name).text.partition("\n## [0.1.0]")[0]  # which asked nobody
    assert re.search(r"[Ee]very route (but .* )?(asks for|needs) a (valid )?token", text)
    assert not re.search(r"\bnot (ask who|authenticate)|no route asks who", text.lower())


def test_the_first_screen_has_what_a_newcomer_needs() -> None:
    first = read("README.md").text.partition("\n## ")[0]
    for needed in (
        "```mermaid",
        "make demo",
        "make test",
        "real here",
        "never yet run on live Azure",
    ):
        assert needed in first
    assert "observes by default" in first
    assert "incident.png" in first
    assert "card.png" in first
