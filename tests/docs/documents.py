"""The project's documents as the tests of this folder read them: text, links, fenced examples."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

import function_app

ROOT = Path(__file__).resolve().parents[2]

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_IMAGE = re.compile(r"<img [^>]*src=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """One fenced block: its language and its text."""

    language: str
    text: str


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One Markdown file."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def blocks(self) -> list[Block]:
        return [Block(language=m[1], text=m[2]) for m in _FENCED.finditer(self.text)]

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return _FENCED.sub("", self.text)

    @property
    def links(self) -> list[str]:
        return [*_LINK.findall(self.prose), *_IMAGE.findall(self.prose)]

    @property
    def headings(self) -> list[str]:
        return _HEADING.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """The headings as GitHub turns them into fragments."""
        lowered = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in self.headings)
        return {heading.replace(" ", "-") for heading in lowered}


def read(name: str) -> Document:
    path = ROOT / name
    return Document(path=path, text=path.read_text())


def documents() -> list[Document]:
    """Every document of the project, those beside the code among them."""
    return [read(str(path.relative_to(ROOT))) for path in sorted(_paths())]


def routes() -> list[tuple[str, str]]:
    """Method and path of every route, as a caller sees them."""
    plain = {function_app.ROOT: ""}
    return [(method, f"/{plain.get(route, route)}") for _, method, route, _ in function_app.ROUTES]


def _paths() -> Iterator[Path]:
    yield from ROOT.glob("*.md")
    for folder in ("docs", "shared", "responders", "infra"):
        yield from (ROOT / folder).rglob("*.md")
