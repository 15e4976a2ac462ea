"""The rows of the diagnostic queries as types: what the logs measured.

`shared.domain.diagnosis.evidence` reads the answers of the logs into them. The head of each KQL
file names its columns; a field `first_seen` here is the column `FirstSeen` there.
"""

from datetime import datetime

import msgspec


def _column(field: str) -> str:
    # msgspec's own "pascal" would make T5M of t5m.
    return "".join(word[:1].upper() + word[1:] for word in field.split("_"))


class Row(msgspec.Struct, frozen=True, kw_only=True, rename=_column):
    """Base of all rows: a field `p95_ms` is the column `P95Ms`."""


class BurnRow(Row, frozen=True, kw_only=True):
    """`burn_rates`: requests (t) and bad ones (b) of one objective and slice in five windows.

    A quality indicator counts judged answers, and has in a those that could have been judged.
    """

    slo: str
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
    a5m: int | None = None
    a30m: int | None = None
    a1h: int | None = None
    a6h: int | None = None
    a3d: int | None = None


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
