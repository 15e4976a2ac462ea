"""The evidence: what of the logs' answers can be used, and what is missing of it.

First step of the diagnosis: `read_evidence` turns the answers of the logs into one `Evidence`,
which all other rooms (`detection`, `findings`, `attribution`, `recovery`, ...) read. A query that
did not end well contributes no row, only a `Trouble`: half of the rows are not half of the truth.
"""

from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import msgspec

from shared.domain.diagnosis.diagnosis import Sign
from shared.domain.diagnosis.measurements import (
    ActivityRow,
    AnomalyRow,
    BurnRow,
    DependencyRow,
    IndexRow,
    OnsetRow,
    OutcomeRow,
    Row,
    SafetyRow,
    SliceRow,
    ToolRow,
    VersionRow,
)
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer

CORE = ("burn_rates", "onset")
"""Without these nothing can be said about the customers' requests."""

DECISIVE = ("tool_failures", "content_safety", "outcomes", "index_freshness")
"""Each of these may show a breach by itself; without them nobody may say that all is well."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A query that is no evidence. `empty` where it ended well, but nothing was there."""

    query: str
    sentence: str
    empty: bool = False

    @property
    def signal(self) -> Sign:
        """How a finding calls it: nothing there, or could not find out."""
        return Sign.NO_DATA if self.empty else Sign.UNKNOWN


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The usable rows of every query (fields are named as the queries), and all troubles."""

    burn_rates: tuple[BurnRow, ...] = ()
    onset: tuple[OnsetRow, ...] = ()
    slices: tuple[SliceRow, ...] = ()
    versions: tuple[VersionRow, ...] = ()
    tool_failures: tuple[ToolRow, ...] = ()
    content_safety: tuple[SafetyRow, ...] = ()
    outcomes: tuple[OutcomeRow, ...] = ()
    anomalies: tuple[AnomalyRow, ...] = ()
    dependencies: tuple[DependencyRow, ...] = ()
    index_freshness: tuple[IndexRow, ...] = ()
    activity: tuple[ActivityRow, ...] = ()
    troubles: tuple[Trouble, ...] = ()

    def trouble(self, query: str) -> Trouble | None:
        """Why this query is no evidence; None where it is."""
        return next((trouble for trouble in self.troubles if trouble.query == query), None)

    @property
    def core_trouble(self) -> Trouble | None:
        """The first trouble that makes any verdict impossible."""
        return next((trouble for trouble in self.troubles if trouble.query in CORE), None)


ROWS: dict[str, type[Row]] = {
    query: get_args(rows)[0]
    for query, rows in get_type_hints(Evidence).items()
    if query != "troubles"
}
"""The queries that a diagnosis expects; one that was not asked counts as unanswered."""

_OPTIONAL = ("activity",)

_SAID = {
    AnswerStatus.PARTIAL: "came back in part only",
    AnswerStatus.TIMED_OUT: "timed out",
    AnswerStatus.TRUNCATED: "was cut off at the row limit",
    AnswerStatus.UNAVAILABLE: "could not be asked: the logs are unavailable",
    AnswerStatus.EMPTY: "found no rows",
}


def read_evidence(answers: Mapping[str, QueryAnswer]) -> Evidence:
    """Read all answers, by query name; never raises, whatever the rows look like."""
    read = {
        query: read_rows(query, answers.get(query), row_type)
        for query, row_type in ROWS.items()
        if query in answers or query not in _OPTIONAL
    }
    troubles = tuple(one for one in read.values() if isinstance(one, Trouble))
    rows: dict[str, Any] = {q: one for q, one in read.items() if not isinstance(one, Trouble)}
    return Evidence(**rows, troubles=troubles)


def read_rows[R: Row](
    query: str, answer: QueryAnswer | None, row_type: type[R]
) -> tuple[R, ...] | Trouble:
    """Read one answer, all of it or nothing; at least one row where it is no trouble."""
    if answer is None:
        return Trouble(query=query, sentence=f"{query} was not asked")
    if answer.status is not AnswerStatus.COMPLETE:
        return _unusable(query, answer)
    try:
        rows = tuple(msgspec.convert(row, row_type) for row in answer.rows)
    except msgspec.ValidationError as error:
        return Trouble(query=query, sentence=f"{query} has unexpected columns: {error}")
    return rows or Trouble(query=query, sentence=f"{query} found no rows", empty=True)


def _unusable(query: str, answer: QueryAnswer) -> Trouble:
    detail = f" ({answer.detail})" if answer.detail else ""
    empty = answer.status is AnswerStatus.EMPTY
    return Trouble(query=query, sentence=f"{query} {_SAID[answer.status]}{detail}", empty=empty)
