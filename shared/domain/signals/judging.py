"""Judging counts: a breach by the objective's own budget, on enough requests to mean something.

The yardstick is a burn-rate alert of the objective, so that a signal fires for what the log route
will fire for if it lasts, minutes earlier. None looks further than the signal where another does
not: what burns slowly over days is no breach of one hour. However somebody says that it counted,
few requests tell nothing; Backstop's own health checks judge themselves and do not come this way.
"""

import re

from shared.domain.signals.reading import Judged
from shared.domain.slos.slo import BURN_ALERTS, BurnAlert, Sli, Slo

LONGEST_WINDOW_S = 3_600  # of a signal
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LENGTH = re.compile(r"([1-9][0-9]{0,4})([smhd])")


def seconds_of(window: str) -> int | None:
    """The seconds of a window such as 30s, 5m or 1h; None where it is none."""
    found = _LENGTH.fullmatch(window)
    return int(found[1]) * _SECONDS[found[2]] if found else None


def yardstick(slo: Slo, window_s: int) -> BurnAlert:
    """The alert with the longest short window within the signal's; with the shortest, if none."""
    by_window = sorted(slo.alerts or BURN_ALERTS, key=_short_s)
    within = [one for one in by_window if _short_s(one) <= window_s]
    return within[-1] if within else by_window[0]


def too_slow(slo: Slo) -> str:
    """Why an objective is for the logs alone, as a sentence; "" where signals may tell of it."""
    if slo.sli == Sli.QUALITY or slo.indicator.label_source:
        return "labels come late, and the logs know which share of the answers is labelled"
    if _short_s(yardstick(slo, 0)) > LONGEST_WINDOW_S:
        return "none of its alerts looks at an hour or less"
    return ""


def _short_s(alert: BurnAlert) -> int:
    return seconds_of(alert.short_window) or 0


def burn_of(slo: Slo, good: int, total: int) -> float:
    """How many times too fast the budget burns by these counts."""
    return (total - good) / total / slo.budget if total else 0.0


def judge(slo: Slo, window_s: int, good: int, total: int) -> Judged:
    """Whether so many good of so many are a breach, all right, or too few to tell."""
    alert = yardstick(slo, window_s)
    if total < alert.minimum_requests:
        return Judged.TOO_FEW
    # A wide budget cannot burn so fast at all: then everything must fail.
    fastest = min(alert.burn_rate, 1 / slo.budget)
    return Judged.BREACH if burn_of(slo, good, total) >= fastest else Judged.KEPT
