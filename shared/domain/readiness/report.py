"""Reports: what one app found of itself, when it is to look again, and what has fallen since.

`responders.watching.ready_responder` and `ready_executor` keep the last report of each app in
`state`. A look that could not tell changes nothing of what was known: `held` is carried on, so that
passed, unknown, failed still falls.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from shared.domain.event import ITSELF
from shared.domain.incidents.incident import Incident, Severity, State, Step, tell_opening
from shared.domain.keys import digest
from shared.domain.readiness.check import TOLD_ELSEWHERE, Check, Verdict, worst

APPS = ("responder", "executor")
SETTLES = timedelta(minutes=30)
"""How long after a change of roles every look is a whole one: rights take minutes to arrive."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What an app found. `roles_changed_at` is the last change of roles that it knew of.

    `since` is when it began to look at itself without a gap; see `shared.domain.readiness.age`.
    """

    app: str
    at: datetime
    checks: tuple[Check, ...]
    roles_changed_at: datetime | None = None
    exercised: dict[str, datetime] = {}  # by service, when its traffic was last rolled back
    since: datetime | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of its checks."""
        return worst(self.checks)


def is_due(last: Report | None, changed_at: datetime | None, every_s: float, now: datetime) -> bool:
    """Whether to look again: never looked, long ago, or roles have changed a while ago."""
    if last is None or now - last.at >= timedelta(seconds=every_s):
        return True
    if changed_at is None:
        return False
    return changed_at != last.roles_changed_at or now - changed_at < SETTLES


def remembering(last: Report | None, checks: Iterable[Check]) -> tuple[Check, ...]:
    """The checks with what is held of each: its own verdict, or the last one that told."""
    held = {check.key: check.held for check in last.checks} if last else {}
    return tuple(
        msgspec.structs.replace(
            check,
            held=held.get(check.key) if check.verdict is Verdict.UNKNOWN else check.verdict,
        )
        for check in checks
    )


def fallen(last: Report | None, checks: Iterable[Check]) -> tuple[Check, ...]:
    """What fails now and passed before: what failed from the beginning is for `make doctor`."""
    held = {check.key: check.held for check in last.checks} if last else {}
    return tuple(
        check
        for check in checks
        if check.verdict is Verdict.FAILED
        and held.get(check.key) is Verdict.PASSED
        and check.area not in TOLD_ELSEWHERE
    )


def open_unready(app: str, lost: tuple[Check, ...], shard: str, now: datetime) -> Step:
    """Open the incident that wakes the duty contact; it is a person's from the beginning."""
    first = lost[0]
    unique = digest("unready", app, *first.key, now.isoformat())[:8].upper()
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    incident = Incident(
        id=f"INC-{shard}-{now:%y%m%d}-{unique}",
        service=ITSELF,
        target="",
        title=f"The {app} is not ready any more: {first.area}, {first.sentence}{more}",
        severity=Severity.SEV2,
        severity_reasons=("what Backstop needs was there and is not: it may not act when it must",),
        state=State.ESCALATED,
        opened_at=now,
        changed_at=now,
        sentence=f"To mend it: {first.remedy}. See the runbook readiness.",
    )
    told = [f"{check.area} {check.name}: {check.sentence}" for check in lost]
    return tell_opening(
        incident, incident.title, happened_at=now, evidence={"app": app, "failed": told[:20]}
    )
