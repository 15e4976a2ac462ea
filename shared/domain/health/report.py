"""The report of a health check: what each part of it found.

Three verdicts: what could not be asked is unknown, which never counts as well nor as broken.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from math import sqrt

import msgspec

_Z = 1.96  # of 95 %


class Verdict(StrEnum):
    """What one part of the check found."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Part(StrEnum):
    """What was looked at."""

    ANSWERS = "answers"  # the golden cases
    DEPLOYMENT = "deployment"  # one version, asked by name
    DEPENDENCY = "dependency"  # one thing that the service needs, an index by its watermark


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the check. `low` and `high` bound the pass rate; `matters`: customers feel it.

    `since` is since when the verdict holds, `told_at` when a signal told that it is broken, None
    where none did or it is well again; `signals` counts what was told of this part in all.
    """

    part: Part
    name: str
    verdict: Verdict
    sentence: str
    good: int = 0
    total: int = 0
    low: float | None = None
    high: float | None = None
    matters: bool = True
    since: datetime | None = None
    told_at: datetime | None = None
    signals: int = 0

    @property
    def about(self) -> str:
        """What a signal about it is called: "deployment v2"."""
        return f"{self.part.value} {self.name}".strip()

    @property
    def breaks(self) -> bool:
        """Whether customers feel that it is broken, which a signal tells."""
        return self.matters and self.verdict is Verdict.FAILED


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """The last check of one service; the dependencies stand in the order of its file.

    `unread` are the endpoints of which nobody could say what they serve.
    """

    service: str
    at: datetime
    findings: tuple[Finding, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Broken where anything is, unknown where nothing is known."""
        found = {one.verdict for one in self.findings if one.matters}
        worst = (Verdict.FAILED, Verdict.PASSED, Verdict.UNKNOWN)
        return next((one for one in worst if one in found), Verdict.UNKNOWN)

    @property
    def first_failing(self) -> str:
        """The first dependency in the chain that fails; "" where none does."""
        chain = (one for one in self.findings if one.part is Part.DEPENDENCY)
        return next((one.name for one in chain if one.verdict is Verdict.FAILED), "")

    def finding(self, about: str) -> Finding | None:
        """What was found about one part."""
        return next((one for one in self.findings if one.about == about), None)


def interval(good: int, total: int) -> tuple[float, float]:
    """Between which shares the true one lies, with 95 % confidence (Wilson); 0 to 1 for nothing."""
    if not total:
        return 0.0, 1.0
    share, squared = good / total, _Z * _Z
    middle = (share + squared / (2 * total)) / (1 + squared / total)
    spread = sqrt(share * (1 - share) / total + squared / (4 * total * total))
    half = _Z * spread / (1 + squared / total)
    return max(0.0, middle - half), min(1.0, middle + half)


def judge_answers(troubles: Iterable[tuple[str, str]], pass_share: float) -> Finding:
    """The golden cases, each with what was wrong with its answer, "" where it passed.

    Failed where the share surely is too low, passed where it is high enough; between them nobody
    knows, and each check is judged by itself.
    """
    judged = list(troubles)
    wrong = [(name, trouble) for name, trouble in judged if trouble]
    good, total = len(judged) - len(wrong), len(judged)
    low, high = interval(good, total)
    verdict = Verdict.UNKNOWN
    if total and high < pass_share:
        verdict = Verdict.FAILED
    elif total and good / total >= pass_share:
        verdict = Verdict.PASSED
    named = "; ".join(f"{name}: {trouble}" for name, trouble in wrong[:3])
    counted = f"{good} of {total} known questions are answered rightly, {low:.0%} to {high:.0%}"
    return Finding(
        part=Part.ANSWERS,
        name="",
        verdict=verdict,
        sentence=f"{counted}; {named}" if named else counted,
        good=good,
        total=total,
        low=round(low, 4),
        high=round(high, 4),
    )


def unheard() -> Finding:
    """The golden cases of an endpoint that nobody can find."""
    said = "the endpoint could not be read, so nothing was asked"
    return Finding(part=Part.ANSWERS, name="", verdict=Verdict.UNKNOWN, sentence=said)
