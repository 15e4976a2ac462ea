"""Kusto's time series functions in numpy, as far as our queries use them.

Where Kusto's documentation leaves the arithmetic open, the constants here reproduce numbers that a
real cluster printed; the tests hold those numbers.
"""

import math
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

type Series = npt.NDArray[np.float64]
type Trend = Literal["avg", "linefit", "none"]

# The custom Tukey score counts in units of the 10-90 % range, scaled so that it compares with the
# usual quartile fences. The factor is what real clusters' scores imply.
_CTUKEY_SCALE = 1.6702443406674186 * 8.3 / 5.0
_SCORE_LIMIT = 1e9


class LineFit(NamedTuple):
    """What `series_fit_line` answers, in its column order."""

    rsquare: float
    slope: float
    variance: float
    rvariance: float
    interception: float
    line: Series


class Anomalies(NamedTuple):
    """What `series_decompose_anomalies` answers, in its column order."""

    flag: Series
    score: Series
    baseline: Series


def fit_line(y: Series) -> LineFit:
    """Fit a straight line through points that, as in Kusto, are numbered from 1."""
    x = np.arange(1, len(y) + 1, dtype=float)
    slope, interception = np.polyfit(x, y, 1) if len(y) > 1 else (0.0, float(y[0]))
    line = slope * x + interception
    variance = float(np.var(y, ddof=1)) if len(y) > 1 else 0.0
    rvariance = float(np.var(y - line, ddof=1)) if len(y) > 1 else 0.0
    rsquare = 1 - rvariance / variance if variance else 0.0
    return LineFit(rsquare, float(slope), variance, rvariance, float(interception), line)


def outliers(y: Series, kind: str = "ctukey") -> Series:
    """Score each point: 0 inside the fences, else its distance to them in units of their range."""
    low, high, scale = (10, 90, _CTUKEY_SCALE) if kind == "ctukey" else (25, 75, 1.0)
    lower, upper = np.nanpercentile(y, [low, high])
    spread = upper - lower
    distance = np.where(y > upper, y - upper, np.where(y < lower, y - lower, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        score = distance / spread * scale
    bounded: Series = np.nan_to_num(score, nan=0.0, posinf=_SCORE_LIMIT, neginf=-_SCORE_LIMIT)
    return bounded


def decompose(
    y: Series, seasonality: int = 0, trend: str = "avg", test_points: int = 0
) -> tuple[Series, Series]:
    """Split a series into its baseline (season + trend) and the residual around it.

    Raises ValueError for seasonality -1: Kusto would search for the period, we want it said.
    """
    if seasonality < 0:
        raise ValueError("name the period or 0: seasonality is not detected here")
    learned = len(y) - test_points
    season = np.zeros(len(y))
    if seasonality > 0:
        medians = [np.median(y[:learned][phase::seasonality]) for phase in range(seasonality)]
        season = np.array(medians)[np.arange(len(y)) % seasonality]
    baseline = season + _trend(y - season, learned, trend)
    return baseline, y - baseline


def _trend(y: Series, learned: int, trend: str) -> Series:
    if trend == "avg":
        return np.full(len(y), y[:learned].mean())
    if trend == "linefit":
        slope, interception = np.polyfit(np.arange(learned, dtype=float), y[:learned], 1)
        return np.asarray(slope * np.arange(len(y)) + interception)
    return np.zeros(len(y))


def anomalies(
    y: Series,
    threshold: float = 1.5,
    seasonality: int = 0,
    *,
    trend: str = "avg",
    test_points: int = 0,
    method: str = "ctukey",
) -> Anomalies:
    """Flag +1 above, -1 below and 0 within the threshold of what the decomposition expects."""
    baseline, residual = decompose(y, seasonality, trend, test_points)
    score = outliers(residual, method)
    flag = np.where(score > threshold, 1.0, np.where(score < -threshold, -1.0, 0.0))
    return Anomalies(flag, score, baseline)


def fill(points: list[tuple[int, float | None]], length: int, default: float) -> list[float]:
    """Lay (index, value) points on an axis of `length`, the gaps filled with `default`."""
    values = [default] * length
    for index, value in points:
        if 0 <= index < length and value is not None:
            values[index] = value
    return values


def axis(start: datetime, step: timedelta, length: int) -> list[str]:
    """Return the axis of a made series: `length` times in Kusto's spelling, seven digits and Z."""
    return [f"{start + step * i:%Y-%m-%dT%H:%M:%S.%f}0Z" for i in range(length)]


def summary(y: Series) -> dict[str, float]:
    """Return what `series_stats_dynamic` answers."""
    return {
        "min": float(np.nanmin(y)),
        "min_idx": int(np.nanargmin(y)),
        "max": float(np.nanmax(y)),
        "max_idx": int(np.nanargmax(y)),
        "avg": float(np.nanmean(y)),
        "stdev": float(np.nanstd(y, ddof=1)) if len(y) > 1 else 0.0,
        "variance": float(np.nanvar(y, ddof=1)) if len(y) > 1 else 0.0,
        "sum": float(np.nansum(y)),
        "len": len(y),
    }


def from_json(values: list[float | str | None]) -> Series:
    """Return a series from JSON, where Kusto writes a missing number as null or "NaN"."""
    return np.array([math.nan if v is None or v == "NaN" else float(v) for v in values], float)


def to_json(values: Series) -> list[float | None]:
    """Return a series as JSON values, with null for a missing number."""
    return [None if math.isnan(value) else value for value in values.tolist()]
