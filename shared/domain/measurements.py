"""The rows of the diagnostic queries as types, and what is missing of them.

First step of the diagnosis: `read_evidence` turns the answers of the logs into one `Evidence`,
which all other rooms (`detection`, `findings`, `attribution`, `recovery`, ...) read. A query that
did not end well contributes no row, only a `Trouble`: half of the rows are not half of the truth.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from shared.domain.diagnosis import Signal
from shared.domain.telemetry import AnswerStatus, QueryAnswer

CORE = ("burn_rates", "onset")
"""Without these nothing can be said about the customers' requests."""

DECISIVE = ("tool_failures", "content_safety", "outcomes", "index_freshness")
"""Each of these may show a breach by itself; without them nobody may say that all is well."""


def _column(field: str) -> str:
    # msgspec's own "pascal" would make T5M of t5m.
    return "".join(word[:1].upper() + word[1:] for word in field.split("_"))


class Row(msgspec.Struct, frozen=True, kw_only=True, rename=_column):
    """Base of all rows: a field `p95_ms` is the column `P95Ms`."""


class BurnRow(Row, frozen=True, kw_only=True):
    """`burn_rates`: requests (t) and bad ones (b) of one slice in five windows."""

    sli: str
    dimension: str
    value: str
    t5m: int
    b5m: int
    t30m: int
    b30m: int
    t1h: int
    b1h: int
    t6h: int
    b6h: int
    t3d: int
    b3d: int


class OnsetRow(Row, frozen=True, kw_only=True):
    """`onset`: one bin of one deployment in one region; `at` is where the bin begins."""

    at: datetime = msgspec.field(name="TimeGenerated")
    deployment: str
    region: str
    total: int
    failed: int
    p95_ms: float | None = None


class SliceRow(Row, frozen=True, kw_only=True):
    """`slices`: the same without time, but with the moment of the first failure."""

    region: str
    deployment: str
    total: int
    failed: int
    p95_ms: float | None = None
    first_failure: datetime | None = None


class VersionRow(Row, frozen=True, kw_only=True):
    """`versions`: one combination of deployment, model and prompt, side by side."""

    deployment: str
    model_version: str
    prompt_version: str
    total: int
    failed: int
    p50_ms: float | None = None
    p95_ms: float | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None


class ToolRow(Row, frozen=True, kw_only=True):
    """`tool_failures`: calls of one tool."""

    tool: str
    deployment: str
    region: str
    total: int
    failed: int


class SafetyRow(Row, frozen=True, kw_only=True):
    """`content_safety`: answers that were judged, and those that were blocked."""

    prompt_version: str
    deployment: str
    total: int
    blocked: int


class OutcomeRow(Row, frozen=True, kw_only=True):
    """`outcomes`: one business outcome now (x1 of n1) and in the baseline weeks (x0 of n0)."""

    outcome: str
    n1: int
    x1: int
    n0: int
    x0: int


class AnomalyRow(Row, frozen=True, kw_only=True):
    """`anomalies`: one point of a decomposed series; `flag` is 1 above, -1 below, 0 as expected."""

    at: datetime = msgspec.field(name="TimeGenerated")
    region: str
    failed: float
    total: float
    flag: float
    score: float
    baseline: float


class DependencyRow(Row, frozen=True, kw_only=True):
    """`dependencies`: calls of one target that ended with one result code."""

    target: str
    kind: str
    deployment: str
    region: str
    result_code: str
    total: int
    failed: int


class IndexRow(Row, frozen=True, kw_only=True):
    """`index_freshness`: the newest document that an index had when it reported last."""

    index: str
    watermark: datetime
    reported_at: datetime


class ActivityRow(Row, frozen=True, kw_only=True):
    """`activity`: a write on one of the service's resources, several rows a correlation."""

    at: datetime = msgspec.field(name="TimeGenerated")
    operation: str
    status: str
    caller: str
    resource_id: str
    correlation_id: str


class TenantRow(Row, frozen=True, kw_only=True):
    """`tenants`: requests of one tenant since the onset; `served` counts all tenants."""

    tenant: str
    total: int
    failed: int
    slow: int
    served: int


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A query that is no evidence. `empty` where it ended well, but nothing was there."""

    query: str
    sentence: str
    empty: bool = False

    @property
    def signal(self) -> Signal:
        """How a finding calls it: nothing there, or could not find out."""
        return Signal.NO_DATA if self.empty else Signal.UNKNOWN


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
    "burn_rates": BurnRow,
    "onset": OnsetRow,
    "slices": SliceRow,
    "versions": VersionRow,
    "tool_failures": ToolRow,
    "content_safety": SafetyRow,
    "outcomes": OutcomeRow,
    "anomalies": AnomalyRow,
    "dependencies": DependencyRow,
    "index_freshness": IndexRow,
    "activity": ActivityRow,
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
    rows: dict[str, Any] = {}
    troubles = []
    for query, row_type in ROWS.items():
        if query in _OPTIONAL and query not in answers:
            continue
        read = read_rows(query, answers.get(query), row_type)
        if isinstance(read, Trouble):
            troubles.append(read)
        else:
            rows[query] = read
    return Evidence(**rows, troubles=tuple(troubles))


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
