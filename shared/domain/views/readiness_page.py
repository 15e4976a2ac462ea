"""The readiness page as values: the stage and what it lacks, and every check of both apps.

What failed is first, then what nobody could find out; unknown is never shown as passed. The first
page shows the same in two lines.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from shared.domain.catalog import Service
from shared.domain.readiness.check import Check, Verdict, worst
from shared.domain.readiness.report import APPS, Report
from shared.domain.readiness.stage import Missing, Stage, Standing, stage_of_all
from shared.domain.stamp import Stamp, stamp
from shared.domain.views.chart import Tone
from shared.domain.wording import duration, plain

TITLES = {Stage.PILOT: "Pilot", Stage.MVP_PROD: "MVP-Prod", Stage.SCALE: "Scale"}
MEANS = {
    Stage.PILOT: "Triage by hand, manual checks, basic alerts.",
    Stage.MVP_PROD: (
        "A rollback by one click behind a gate, to versioned endpoints; objectives with error"
        " budgets; severities and paging."
    ),
    Stage.SCALE: "Playbooks for everybody, drills, responders that act by themselves.",
}
_TONES = {Verdict.FAILED: Tone.BAD, Verdict.UNKNOWN: Tone.PLAIN, Verdict.PASSED: Tone.GOOD}
_MARKS = {Verdict.FAILED: "✕", Verdict.UNKNOWN: "?", Verdict.PASSED: "✓"}
_WORST_FIRST = tuple(_TONES)
_SAYS = {
    Verdict.FAILED: "Backstop may be unable to act: something that it needs is not as it must be.",
    Verdict.UNKNOWN: "Whether Backstop could act is not known: not everything could be checked.",
    Verdict.PASSED: "Backstop could act now.",
}


class CheckLine(msgspec.Struct, frozen=True, kw_only=True):
    """One check; `remedy` is "" for what passed."""

    what: str
    area: str
    verdict: Verdict
    mark: str
    tone: Tone
    sentence: str
    remedy: str


class AppPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one app found of itself, and when: `at` as a moment, `ago` as a length of time."""

    app: str
    verdict: Verdict
    tone: Tone
    counts: str
    at: Stamp
    ago: str
    checks: tuple[CheckLine, ...]


class StageCard(msgspec.Struct, frozen=True, kw_only=True):
    """How far one service has come; `missing` is for `next`, "" at the last stage."""

    name: str
    title: str
    stage: str
    next: str
    missing: tuple[Missing, ...]


class ReadinessCard(msgspec.Struct, frozen=True, kw_only=True):
    """The whole in two lines. `ago` is when the older of both looks was, "" before any."""

    verdict: Verdict
    tone: Tone
    sentence: str
    stage: str
    means: str
    counts: str
    ago: str


class ReadinessPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the page. `silent` are the apps that have not looked at themselves yet.

    `every` is how often they do, "" for never.
    """

    card: ReadinessCard
    apps: tuple[AppPart, ...]
    silent: tuple[str, ...]
    services: tuple[StageCard, ...]
    every: str


def present_readiness(
    reports: Sequence[Report],
    standings: Sequence[Standing],
    services: Mapping[str, Service],
    every_s: float,
    now: datetime,
) -> ReadinessPage:
    """Say what both apps found, as their reports count now."""
    return ReadinessPage(
        card=present_card(reports, standings, now),
        apps=tuple(_app(report, now) for report in reports),
        silent=tuple(app for app in APPS if app not in {report.app for report in reports}),
        services=tuple(_stage(one, services) for one in standings),
        every=duration(timedelta(seconds=every_s)) if every_s else "",
    )


def present_card(
    reports: Sequence[Report], standings: Iterable[Standing], now: datetime
) -> ReadinessCard:
    """The worst of all checks, and the stage of the whole."""
    checks = tuple(check for report in reports for check in report.checks)
    verdict, stage = worst(checks), stage_of_all(standings)
    oldest = min((report.at for report in reports), default=None)
    return ReadinessCard(
        verdict=verdict,
        tone=_TONES[verdict],
        sentence=_SAYS[verdict] if checks else "Backstop has not looked at itself yet.",
        stage=TITLES[stage],
        means=MEANS[stage],
        counts=_counts(checks),
        ago=f"{duration(now - oldest)} ago" if oldest else "",
    )


def _app(report: Report, now: datetime) -> AppPart:
    worst_first = sorted(report.checks, key=lambda check: _WORST_FIRST.index(check.verdict))
    return AppPart(
        app=report.app,
        verdict=report.verdict,
        tone=_TONES[report.verdict],
        counts=_counts(report.checks),
        at=stamp(report.at, "UTC"),
        ago=f"{duration(now - report.at)} ago",
        checks=tuple(_line(check) for check in worst_first),
    )


def _line(check: Check) -> CheckLine:
    return CheckLine(
        what=plain(f"{check.service}: {check.name}" if check.service else check.name),
        area=check.area.replace("-", " "),
        verdict=check.verdict,
        mark=_MARKS[check.verdict],
        tone=_TONES[check.verdict],
        sentence=plain(check.sentence),
        remedy=check.remedy,
    )


def _counts(checks: Iterable[Check]) -> str:
    found = Counter(check.verdict for check in checks)
    return ", ".join(f"{found[verdict]} {verdict}" for verdict in _WORST_FIRST if found[verdict])


def _stage(one: Standing, services: Mapping[str, Service]) -> StageCard:
    known = services.get(one.service)
    return StageCard(
        name=one.service,
        title=known.title if known else one.service,
        stage=TITLES[one.stage],
        next=TITLES[one.next] if one.next else "",
        missing=one.missing,
    )
