"""Compile an objective into the query of an alert rule.

The parts come from the service's file, and diagnosis counts by the same parts, so what pages at
night and what is explained afterwards cannot differ. A request is good where the indicator says so
and bad otherwise: what cannot be told is not good.
"""

from collections.abc import Sequence
from datetime import timedelta

from shared.domain.slos.kql import DIMENSIONS, counted, moment, quote, real, span
from shared.domain.slos.slo import BurnAlert, Slo

LONGEST_RULE = timedelta(days=2)
"""How far back the query of an alert rule may look; slower burns are watched by the timer."""


def window_query(service: str, slo: Slo, alert: BurnAlert, dimensions: Sequence[str] = ()) -> str:
    """The query of a log alert rule: one row for each slice that burns too fast in both windows.

    `dimensions` are names of `kql.DIMENSIONS`; without them the whole service is one slice.
    Columns: one a dimension, then ShortTotal, ShortBad, LongTotal, LongBad (requests) and Burn, the
    lower rate of both windows. It reads one table once, without union, search, take or functions,
    as rules that run every minute must. How many answers were judged is not asked, only that enough
    labels came: that would take a second table.

    Raises ValueError for windows that no rule looks back over, KeyError for unknown dimensions.
    """
    columns = [DIMENSIONS[name].column for name in dimensions]
    lines = [
        *scan(service, slo, alert, dimensions),
        *rates(slo),
        too_fast(alert),
        f"| project {', '.join([*columns, *COLUMNS])}",
    ]
    return "\n".join(lines)


COLUMNS = ("ShortTotal", "ShortBad", "LongTotal", "LongBad", "Burn")
"""What is counted of a slice, and how fast it burns."""


def scan(
    service: str, slo: Slo, alert: BurnAlert, dimensions: Sequence[str], more: Sequence[str] = ()
) -> list[str]:
    """The first lines of a rule's query: one scan of the table, and the sums of each slice.

    `more` are further aggregates of a slice. Raises as `window_query` does.
    """
    if not span(alert.short_window) < span(alert.long_window) <= LONGEST_RULE:
        raise ValueError(f"{slo.name}: no rule looks back over {alert.long_window}")
    slices = [DIMENSIONS[name] for name in dimensions]
    by = f"\n  by {', '.join(one.column for one in slices)}" if slices else ""
    good, short = f"({slo.indicator.good})", f"At >= ago({alert.short_window})"
    sums = ",\n    ".join(
        (
            f"ShortTotal = sumif(ItemCount, {short})",
            f"ShortGood = sumif(ItemCount, {short} and {good})",
            "LongTotal = sum(ItemCount)",
            f"LongGood = sumif(ItemCount, {good})",
            *more,
        )
    )
    return [
        slo.indicator.table,
        f"| where TimeGenerated >= ago({alert.long_window}) and AppRoleName == {quote(service)}",
        f"| where {counted(slo.indicator)}",
        f"| extend {', '.join([moment(slo.indicator), *(one.reading for one in slices)])}",
        f"| where At >= ago({alert.long_window})",
        f"| summarize {sums}{by}",
    ]


def rates(slo: Slo) -> list[str]:
    """The lines that add what was bad, and how fast the budget burns in both windows."""
    return [
        "| extend ShortBad = ShortTotal - ShortGood, LongBad = LongTotal - LongGood",
        f"| extend Burn = min_of({_rate('Short', slo)}, {_rate('Long', slo)})",
    ]


def too_fast(alert: BurnAlert) -> str:
    """The line that leaves only slices that burn so fast, on enough requests."""
    least = max(alert.minimum_requests, 1)
    return f"| where ShortTotal >= {least} and Burn >= {real(alert.burn_rate)}"


def _rate(window: str, slo: Slo) -> str:
    return f"{window}Bad / ({window}Total * {real(slo.budget)})"
