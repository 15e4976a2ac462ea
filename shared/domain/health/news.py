"""The news of a health check: what a signal is to tell, by what is known from the check before.

A part that is newly broken becomes a signal, and so does its end; one that stays broken is told
again after an hour. What cannot be asked begins nothing and ends nothing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from shared.domain.health.report import Finding, HealthReport, Part, Verdict

TOLD_AGAIN = timedelta(hours=1)


def carry_on(new: HealthReport, was: HealthReport | None) -> HealthReport:
    """The report with since when each verdict holds, and when it was told, as was known before.

    What a signal told of, and this check has not found, stays in it until its end is told.
    """
    before = was.findings if was is not None else ()
    lost = (one for one in before if one.told_at is not None and new.finding(one.about) is None)
    found = (*new.findings, *(_lost(one, new) for one in lost))
    return msgspec.structs.replace(new, findings=tuple(_carried(one, was, new.at) for one in found))


def _lost(finding: Finding, new: HealthReport) -> Finding:
    """Unknown where nothing could be asked; what nobody has any more, no customer feels."""
    unread = finding.part is Part.DEPLOYMENT and bool(new.unread)
    hidden = finding.part is Part.ANSWERS or unread  # whose file may have a mistake just now
    said = "could not be asked" if hidden else "is not there any more"
    return Finding(
        part=finding.part,
        name=finding.name,
        verdict=Verdict.UNKNOWN,
        sentence=f"{finding.about}: {said}",
        matters=hidden,
    )


def _carried(finding: Finding, was: HealthReport | None, at: datetime) -> Finding:
    before = was.finding(finding.about) if was is not None else None
    if before is None:
        return msgspec.structs.replace(finding, since=at)
    # What cannot be asked for a while keeps what was told of it.
    known = msgspec.structs.replace(finding, told_at=before.told_at, signals=before.signals)
    same = (before.verdict, before.matters) == (finding.verdict, finding.matters)
    return msgspec.structs.replace(known, since=before.since if same else at)


def to_be_told(report: HealthReport) -> tuple[Finding, ...]:
    """The findings of which a signal is to tell now: newly broken, long broken, or over."""
    return tuple(one for one in report.findings if _is_news(one, report.at))


def _is_news(finding: Finding, at: datetime) -> bool:
    """What serves nobody any more is over for customers, however it answers."""
    told = finding.told_at
    if finding.breaks:
        anew = told is None or (finding.since is not None and told < finding.since)
        return anew or (told is not None and at - told >= TOLD_AGAIN)
    over = finding.verdict is Verdict.PASSED or not finding.matters
    return over and told is not None


def told(report: HealthReport, news: Iterable[Finding]) -> HealthReport:
    """The report once signals have told of these: of what is over nothing stays told."""
    names = {one.about for one in news}
    findings = tuple(
        _told(one, report.at) if one.about in names else one for one in report.findings
    )
    return msgspec.structs.replace(report, findings=findings)


def _told(finding: Finding, at: datetime) -> Finding:
    told_at = at if finding.breaks else None
    return msgspec.structs.replace(finding, told_at=told_at, signals=finding.signals + 1)
