"""Age: how long a look counts, and since when an app has looked without a gap.

A look that is long over proves nothing of now: what passed then is unknown until somebody looks
again. And an app that was itself away, as when everything was stopped, cannot tell whether the
other one is late before that had its time, too.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.readiness.check import Check, Verdict
from shared.domain.readiness.report import Report

GRACE = timedelta(minutes=15)  # ticks come late, and looks take their time


def is_late(at: datetime, every_s: float, now: datetime) -> bool:
    """Whether the look after this one is overdue by a whole period."""
    return now - at > timedelta(seconds=2 * every_s) + GRACE


def unbroken_since(last: Report | None, every_s: float, now: datetime) -> datetime:
    """Since when an app has looked at itself without a gap; now where its last look is too old."""
    if last is None or is_late(last.at, every_s, now):
        return now
    return last.since or last.at


def aged(report: Report, every_s: float, now: datetime) -> Report:
    """The report as it counts now: nothing has passed that nobody has looked at since."""
    if not is_late(report.at, every_s, now):
        return report
    checks = tuple(_forgotten(check, report) for check in report.checks)
    return msgspec.structs.replace(report, checks=checks)


def _forgotten(check: Check, report: Report) -> Check:
    if check.verdict is not Verdict.PASSED:
        return check
    return msgspec.structs.replace(
        check,
        verdict=Verdict.UNKNOWN,
        sentence=f"it passed at {report.at:%Y-%m-%d %H:%M} UTC, and nobody has looked since",
        remedy=f"look at the log of the {report.app}: does it run, does its timer?",
    )
