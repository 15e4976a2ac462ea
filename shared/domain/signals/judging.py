"""Judging counts: a breach by the objective's own budget, on enough requests to mean something.

The yardstick is the burn-rate alert of the objective whose short window holds the signal's, so that
a signal fires for what the log route would fire for, minutes earlier.
"""

import re

from shared.domain.signals.reading import Judged, Source
from shared.domain.slos.slo import BURN_ALERTS, BurnAlert, Slo

LEAST_CHECKED = 20  # answers to known questions tell more than as many customers' requests
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LENGTH = re.compile(r"([1-9][0-9]{0,4})([smhd])")


def seconds_of(window: str) -> int | None:
    """The seconds of a window such as 30s, 5m or 1h; None where it is none."""
    found = _LENGTH.fullmatch(window)
    return int(found[1]) * _SECONDS[found[2]] if found else None


def yardstick(slo: Slo, window_s: int) -> BurnAlert:
    """The alert with the shortest short window that holds the signal's, else with the longest."""
    by_window = sorted(slo.alerts or BURN_ALERTS, key=_short_s)
    return next((one for one in by_window if _short_s(one) >= window_s), by_window[-1])


def _short_s(alert: BurnAlert) -> int:
    return seconds_of(alert.short_window) or 0


def burn_of(slo: Slo, good: int, total: int) -> float:
    """How many times too fast the budget burns by these counts."""
    return (total - good) / total / slo.budget if total else 0.0


def judge(slo: Slo, source: Source, window_s: int, good: int, total: int) -> Judged:
    """Whether so many good of so many are a breach, all right, or too few to tell."""
    alert = yardstick(slo, window_s)
    checked = source is Source.HEALTH_CHECK
    least = min(alert.minimum_requests, LEAST_CHECKED) if checked else alert.minimum_requests
    if total < least:
        return Judged.TOO_FEW
    # A wide budget cannot burn so fast at all: then everything must fail.
    fastest = min(alert.burn_rate, 1 / slo.budget)
    return Judged.BREACH if burn_of(slo, good, total) >= fastest else Judged.KEPT
