"""What reading one file of the catalog finds: mistakes, advice, and what the file mentions.

A mistake keeps the service out. Advice is what its owner should mend, told by the lint. A mention
is checked where more is known than the file: against the other files, or by tools of development.
"""

from enum import StrEnum

import msgspec

from shared.domain.catalog import CatalogMistake


class Mentioned(StrEnum):
    """What a file may mention that is checked elsewhere."""

    TARGET = "target"  # owned by one file only
    DEPENDENCY = "dependency"  # the name of another file
    QUERY = "query"  # KQL that Microsoft's analyser reads
    OBJECTIVE = "objective"  # its name; the rules that are made of it may ask what no rule can


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """A text that the file holds, and where."""

    what: Mentioned
    line: int
    field: str
    text: str


class Report:
    """What was found in one file; `service` is the name under which mistakes are looked up."""

    def __init__(self, file: str, service: str) -> None:
        self.file = file
        self.service = service
        self.mistakes: list[CatalogMistake] = []
        self.advice: list[CatalogMistake] = []
        self.mentions: list[Mention] = []

    def note(self, line: int, field: str, problem: str, allowed: str = "") -> None:
        """Keep one mistake; once, though a document that others refer to may be read again."""
        self._keep(self.mistakes, self._mistake(line, field, problem, allowed))

    def advise(self, line: int, field: str, problem: str, allowed: str = "") -> None:
        """Keep what does no harm to read and is to be mended all the same."""
        self._keep(self.advice, self._mistake(line, field, problem, allowed))

    def mention(self, what: Mentioned, line: int, field: str, text: str) -> None:
        """Keep a text that is checked elsewhere."""
        mention = Mention(what=what, line=line, field=field, text=text)
        if mention not in self.mentions:
            self.mentions.append(mention)

    def mentioned(self, what: Mentioned) -> list[Mention]:
        """All that the file mentions of a kind."""
        return [one for one in self.mentions if one.what is what]

    def _keep(self, kept: list[CatalogMistake], mistake: CatalogMistake) -> None:
        if mistake not in kept:
            kept.append(mistake)

    def _mistake(self, line: int, field: str, problem: str, allowed: str) -> CatalogMistake:
        return CatalogMistake(
            file=self.file,
            line=line,
            field=field,
            problem=problem,
            allowed=allowed,
            service=self.service,
        )
