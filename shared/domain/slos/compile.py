"""Compile an objective into the query of an alert rule.

The parts come from the service's file, and diagnosis counts by the same parts, so what pages at
night and what is explained afterwards cannot differ. A request is good where the indicator says so
and bad otherwise: what cannot be told is not good.
"""

from collections.abc import Sequence
from datetime import timedelta

from shared.domain.slos.kql import (
    DIMENSIONS,
    NOT_A_PROBE,
    counted,
    moment,
    quote,
    real,
    span,
)
from shared.domain.slos.slo import COUNTED_ANSWERS, BurnAlert, Indicator, Slo

LONGEST_RULE = timedelta(days=2)
"""How far back the query of an alert rule may look; slower burns are watched by the timer."""


_TELLS_ANSWERS = f"Name == {quote(COUNTED_ANSWERS)}"


def window_query(service: str, slo: Slo, alert: BurnAlert, dimensions: Sequence[str] = ()) -> str:
    """The query of a log alert rule: one row for each slice that burns too fast in both windows.

    `dimensions` are names of `kql.DIMENSIONS`; without them the whole service is one slice.
    Columns: one a dimension, then ShortTotal, ShortBad, LongTotal, LongBad (requests) and Burn, the
    lower rate of both windows. It reads one table once, without union, search, take or functions,
    as rules that run every minute must. So the share of the answers that are labelled is asked of
    the labels' own table, which the helper tells of both. Where nobody tells it, it is not asked.

    Raises ValueError for windows that no rule looks back over, KeyError for unknown dimensions.
    """
    columns = [DIMENSIONS[name].column for name in dimensions]
    lines = [
        *scan(service, slo, alert, dimensions),
        *rates(slo),
        *_labelled(slo),
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
    sums = ",\n    ".join([*_sums(slo, f"At >= ago({alert.short_window})"), *more])
    return [
        slo.indicator.table,
        f"| where TimeGenerated >= ago({alert.long_window}) and AppRoleName == {quote(service)}",
        f"| where {_read(slo.indicator)}",
        f"| extend {', '.join([moment(slo.indicator), *(one.reading for one in slices)])}",
        f"| where At >= ago({alert.long_window})",
        *_told_apart(slo.indicator),
        f"| summarize {sums}{by}",
    ]


def _read(indicator: Indicator) -> str:
    """The rows that are read: those that count and, of labels, those that tell of answers."""
    if not indicator.asks_share:
        return counted(indicator)
    return f"{NOT_A_PROBE} and ({_TELLS_ANSWERS} or ({indicator.where or 'true'}))"


def _told_apart(indicator: Indicator) -> list[str]:
    """What a row counts for: as labels, or as answers."""
    if not indicator.asks_share:
        return []
    answers = f"ItemCount * tolong(Properties[{quote(COUNTED_ANSWERS)}])"
    return [
        f"| extend Labels = iff({_TELLS_ANSWERS}, tolong(0), tolong(ItemCount))",
        f"| extend Answers = iff({_TELLS_ANSWERS}, {answers}, tolong(0))",
    ]


def _sums(slo: Slo, short: str) -> list[str]:
    good, shared = f"({slo.indicator.good})", slo.indicator.asks_share
    count = "Labels" if shared else "ItemCount"
    return [
        f"ShortTotal = sumif({count}, {short})",
        f"ShortGood = sumif({count}, {short} and {good})",
        f"LongTotal = sum({count})",
        f"LongGood = sumif({count}, {good})",
        *([f"ShortAnswers = sumif(Answers, {short})", "LongAnswers = sum(Answers)"] * shared),
    ]


def _labelled(slo: Slo) -> list[str]:
    """The line that leaves what enough of the answers are labelled for, in both windows."""
    if not slo.indicator.asks_share:
        return []
    least = real(slo.indicator.least_labelled)
    enough = (f"{one}Total >= {least} * {one}Answers" for one in ("Short", "Long"))
    return [f"| where {' and '.join(enough)}"]


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
