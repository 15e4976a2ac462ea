"""What the translator does not know yet: functions that we add to it, and their DuckDB side.

Registered once a process in the translator's own registry (its exact version is pinned: that is
internal), and once a database as DuckDB functions over JSON text. Names with `kqlx_` exist for the
rewriter only.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import duckdb
from duckdb_kql.translate import functions as registry

from infra.local.logs import series


def _anomalies(
    values: str, threshold: float, seasonality: int, trend: str, test_points: int, method: str
) -> str:
    found = series.anomalies(
        series.from_json(json.loads(values)),
        threshold,
        seasonality,
        trend=trend,
        test_points=test_points,
        method=method,
    )
    flags = [int(flag) for flag in found.flag]
    return json.dumps([flags, series.to_json(found.score), series.to_json(found.baseline)])


def _fit_line(values: str) -> str:
    fit = series.fit_line(series.from_json(json.loads(values)))
    return json.dumps([*fit[:5], fit.line.tolist()])


def _outliers(values: str, kind: str) -> str:
    return json.dumps(series.to_json(series.outliers(series.from_json(json.loads(values)), kind)))


def _fill(points: str, length: int, default: float) -> str:
    return json.dumps(series.fill(json.loads(points), length, default))


def _axis(start: datetime, step_us: int, length: int) -> str:
    return json.dumps(series.axis(start, timedelta(microseconds=step_us), length))


def _stats(values: str) -> str:
    return json.dumps(series.summary(series.from_json(json.loads(values))))


_DUCKDB: list[tuple[str, Callable[..., str], list[str]]] = [
    (
        "kqlx_anomalies",
        _anomalies,
        ["VARCHAR", "DOUBLE", "BIGINT", "VARCHAR", "BIGINT", "VARCHAR"],
    ),
    ("kqlx_fit_line", _fit_line, ["VARCHAR"]),
    ("kqlx_outliers", _outliers, ["VARCHAR", "VARCHAR"]),
    ("kqlx_fill", _fill, ["VARCHAR", "BIGINT", "DOUBLE"]),
    ("kqlx_axis", _axis, ["TIMESTAMP", "BIGINT", "BIGINT"]),
    ("kqlx_stats", _stats, ["VARCHAR"]),
]
_TEXT = "CAST({0} AS VARCHAR)"
_SCALARS = [
    (
        "kqlx_anomalies",
        f"CAST(kqlx_anomalies({_TEXT}, {{1}}, {{2}}, {{3}}, {{4}}, {{5}}) AS JSON)",
        6,
    ),
    ("kqlx_fit_line", f"CAST(kqlx_fit_line({_TEXT}) AS JSON)", 1),
    ("series_outliers", f"CAST(kqlx_outliers({_TEXT}, 'ctukey') AS JSON)", 1),
    ("series_stats_dynamic", f"CAST(kqlx_stats({_TEXT}) AS JSON)", 1),
    ("kqlx_fill", "CAST(kqlx_fill(CAST(to_json({0}) AS VARCHAR), {1}, {2}) AS JSON)", 3),
    ("kqlx_axis", "CAST(kqlx_axis({0}, {1}, {2}) AS JSON)", 3),
    ("kqlx_microseconds", "CAST(epoch_us({0}) AS BIGINT)", 1),
    ("kqlx_ceiling", "CAST(ceil({0}) AS BIGINT)", 1),
    ("kqlx_real", "CAST({0} AS DOUBLE)", 1),
    ("kqlx_slot", "CAST(floor({0}) AS BIGINT)", 1),
    ("kqlx_point", "json_array({0}, {1})", 2),
    ("row_number", "row_number() OVER ()", 0),
    ("prev", "lag({0}, {1}) OVER ()", 2),
    ("row_cumsum", "sum({0}) OVER (ROWS UNBOUNDED PRECEDING)", 1),
    ("strcmp", "CASE WHEN {0} < {1} THEN -1 WHEN {0} > {1} THEN 1 ELSE 0 END", 2),
]
_AGGREGATES = [
    ("maxif", "max({0}) FILTER (WHERE {1})", 2),
    ("minif", "min({0}) FILTER (WHERE {1})", 2),
    ("count_distinct", "count(DISTINCT {0})", 1),
]


def extend_translator() -> None:
    """Teach the translator our functions. Harmless to repeat."""
    for name, template, arity in _SCALARS:
        spec = registry.FunctionSpec(name, "template", template, (arity,))
        registry.SCALAR_FUNCTIONS[name] = spec
    for name, template, arity in _AGGREGATES:
        registry.AGGREGATE_FUNCTIONS[name] = registry.AggregateSpec(name, template, (arity,))


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the DuckDB functions in a database, and let it read text without offset as UTC."""
    for name, function, arguments in _DUCKDB:
        connection.create_function(name, function, list[Any](arguments), "VARCHAR")
    connection.execute("SET TimeZone='UTC'")
