"""What is asked of the logs, and what came back: rows, or a named reason why there are none.

`shared.adapters.logs` makes a `QueryAnswer` for every query of `shared/queries`, and for those that
`shared.domain.slos` compiles; the rooms of the diagnosis read it. It never raises for the
service's trouble, and no trouble means healthy.
"""

from enum import StrEnum

import msgspec


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One query. `parameters` and `columns` map names to Kusto types, in their order.

    Parameters are put in front of the text as `let` statements.
    """

    name: str
    purpose: str
    parameters: dict[str, str]
    columns: dict[str, str]
    text: str


class AnswerStatus(StrEnum):
    """How a query ended. Only COMPLETE is evidence; EMPTY is complete and without a row."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    TIMED_OUT = "timed_out"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    UNAVAILABLE = "unavailable"


class QueryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One query's outcome. `rows` are keyed by the column names of the KQL file.

    `detail` is a sentence for people where the status is not complete; `seconds` the time it took.
    """

    name: str
    status: AnswerStatus
    rows: tuple[dict[str, object], ...] = ()
    detail: str = ""
    seconds: float = 0.0
