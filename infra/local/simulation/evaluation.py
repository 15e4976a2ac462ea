"""One look of an alert rule: what its query answered, as Azure Monitor reads it. Pure.

Rows are told apart by the rule's dimensions and by the resource that they name; the measure of each
such time series is aggregated and compared with the threshold.
"""

import operator
import statistics
from collections.abc import Callable, Sequence

import msgspec

from infra.local.logs.engine import Result
from shared.domain.detection.rule import AlertRule

_AGGREGATE: dict[str, Callable[[Sequence[float]], float]] = {
    "Maximum": max,
    "Minimum": min,
    "Average": statistics.fmean,
    "Total": sum,
    "Count": len,
}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqual": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqual": operator.le,
    "Equal": operator.eq,
}

type Series = tuple[tuple[str, str], ...]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One time series at one look: its dimensions by name, its resource, what was measured."""

    series: Series
    target: str
    measured: float
    fires: bool


def read(rule: AlertRule, answer: Result) -> list[Reading]:
    """What a rule's query has found. A series without rows is not there, and does not fire."""
    names = [name for name, _ in answer.columns]
    found: dict[tuple[Series, str], list[float]] = {}
    for values in answer.rows:
        row = dict(zip(names, values, strict=True))
        series = tuple((one.name, str(row[one.name])) for one in rule.dimensions)
        key = (series, str(row[rule.resource_id_column]))
        found.setdefault(key, []).append(float(str(row[rule.measure_column])))
    return [_reading(rule, *key, values) for key, values in found.items()]


def _reading(rule: AlertRule, series: Series, target: str, values: Sequence[float]) -> Reading:
    measured = _AGGREGATE[rule.aggregation](values)
    fires = _COMPARE[rule.operator](measured, rule.threshold)
    return Reading(series=series, target=target, measured=measured, fires=fires)
