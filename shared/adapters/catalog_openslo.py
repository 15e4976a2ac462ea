"""The OpenSLO documents of one file: which there are, and which refers to which.

Part of reading one service (`shared.adapters.catalog_service`). A document is found by its kind and
name, in its own file only. One that nobody refers to promises what nobody watches, and is refused.
"""

from shared.adapters.catalog_fields import NAME, Section
from shared.adapters.catalog_report import Report
from shared.adapters.catalog_tree import Node

WORDS = "(?s).{0,1000}"

_REFERENCES = {
    "SLI": "indicatorRef",
    "AlertPolicy": "alertPolicyRef",
    "AlertCondition": "conditionRef",
    "AlertNotificationTarget": "targetRef",
}
_KINDS = ("SLO", *_REFERENCES)


class Library:
    """All documents of a file after the first, by kind and name."""

    def __init__(self, report: Report, nodes: list[Node]) -> None:
        self.objectives: list[Section] = []
        self._named: dict[tuple[str, str], Section] = {}
        self._used: set[tuple[str, str]] = set()
        for node in nodes:
            self._shelve(Section(report, node))

    def meant(self, item: Section, kind: str) -> Section | None:
        """The document that a reference names, else the document that stands there itself."""
        field = _REFERENCES[kind]
        if not item.has(field):
            return item
        names = tuple(name for of, name in self._named if of == kind)
        name = item.one_of(field, names) if names else item.text(field, pattern=NAME)
        if not names:
            item.mistake(field, f"there is no {kind} in this file", "a document after ---")
        self._used.add((kind, name))
        return self._named.get((kind, name))

    def close(self) -> None:
        """Note the documents that nobody refers to."""
        for (kind, name), document in self._named.items():
            if (kind, name) not in self._used:
                by = f"{_REFERENCES[kind]}: {name}"
                document.mistake("kind", f"{kind} {name} is used by nothing", by)

    def _shelve(self, document: Section) -> None:
        document.one_of("apiVersion", ("openslo/v1",))
        before = len(document.report.mistakes)
        kind = document.one_of("kind", _KINDS)
        if len(document.report.mistakes) > before:
            return  # nobody knows what the rest means
        if kind == "SLO":
            self.objectives.append(document)
            return
        metadata = document.section("metadata")
        name = metadata.text("name", pattern=NAME)
        if (kind, name) in self._named:
            metadata.mistake("name", f"{kind} {name} occurs twice", "one document of each name")
        self._named[kind, name] = document


def head_of(document: Section, kind: str) -> tuple[Section, Section]:
    """The metadata and spec of a document, or of one that stands within another."""
    document.one_of("apiVersion", ("openslo/v1",), "openslo/v1")
    document.one_of("kind", (kind,), kind)
    metadata, spec = document.section("metadata"), document.section("spec")
    metadata.text("name", pattern=NAME)
    metadata.text("displayName", "", pattern=WORDS)
    spec.text("description", "", pattern=WORDS)
    return metadata, spec
