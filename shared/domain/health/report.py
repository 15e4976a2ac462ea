"""The report of a health check: what each part of it found, and what is to be told of it.

Three verdicts: what could not be asked is unknown, which never counts as well nor as broken. A
part that is newly broken becomes a signal, and so does its end; one that stays broken is told again
after an hour.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

import msgspec

TOLD_AGAIN = timedelta(hours=1)
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


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """The last check of one service; the dependencies stand in the order of its file."""

    service: str
    at: datetime
    findings: tuple[Finding, ...] = ()

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
    knows yet, and the next check adds to it.
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


def carry_on(new: HealthReport, was: HealthReport | None) -> HealthReport:
    """The report with since when each verdict holds, and when it was told, as was known before."""
    return msgspec.structs.replace(
        new, findings=tuple(_carried(one, was, new.at) for one in new.findings)
    )


def _carried(finding: Finding, was: HealthReport | None, at: datetime) -> Finding:
    before = was.finding(finding.about) if was is not None else None
    if before is None:
        return msgspec.structs.replace(finding, since=at)
    # What cannot be asked for a while keeps what was told of it.
    known = msgspec.structs.replace(finding, told_at=before.told_at, signals=before.signals)
    same = before.verdict is finding.verdict
    return msgspec.structs.replace(known, since=before.since if same else at)


def to_be_told(report: HealthReport) -> tuple[Finding, ...]:
    """The findings of which a signal is to tell now: newly broken, long broken, or well again."""
    return tuple(one for one in report.findings if one.matters and _is_news(one, report.at))


def _is_news(finding: Finding, at: datetime) -> bool:
    told = finding.told_at
    if finding.verdict is Verdict.FAILED:
        anew = told is None or (finding.since is not None and told < finding.since)
        return anew or (told is not None and at - told >= TOLD_AGAIN)
    return finding.verdict is Verdict.PASSED and told is not None


def told(report: HealthReport, news: Iterable[Finding]) -> HealthReport:
    """The report once signals have told of these: of what is well again nothing stays told."""
    names = {one.about for one in news}
    findings = tuple(
        _told(one, report.at) if one.about in names else one for one in report.findings
    )
    return msgspec.structs.replace(report, findings=findings)


def _told(finding: Finding, at: datetime) -> Finding:
    told_at = at if finding.verdict is Verdict.FAILED else None
    return msgspec.structs.replace(finding, told_at=told_at, signals=finding.signals + 1)
