"""What the readiness page says: the worst first, and unknown never as passed."""

from datetime import timedelta

import pytest

from shared.domain.readiness.check import Area, Check, Verdict, failed, passed, unknown
from shared.domain.readiness.report import Report
from shared.domain.readiness.stage import Missing, Stage, Standing
from shared.domain.views.chart import Tone
from shared.domain.views.readiness_page import MEANS, TITLES, ReadinessPage, present_readiness
from tests.shared.domain.incidents.situations import NOW, SERVICE

GOOD = passed(Area.TABLES, "state", "state answers")
BAD = failed(Area.KNOWN_GOOD, "ep", "no version to go back to is known", "let one soak", "fnol")
DARK = unknown(Area.LOGS, "the workspace", "it could not be asked", "look whether it is up")
LACK = Missing(what="a playbook", remedy="write one", unknown=True)


def report(*checks: Check, app: str = "responder", minutes_ago: int = 3) -> Report:
    return Report(app=app, at=NOW - timedelta(minutes=minutes_ago), checks=checks)


def page(
    *reports: Report, every_s: float = 86_400.0, stage: Stage = Stage.MVP_PROD
) -> ReadinessPage:
    standing = Standing(service=SERVICE.name, stage=stage, next=Stage.SCALE, missing=(LACK,))
    return present_readiness(reports, [standing], {SERVICE.name: SERVICE}, every_s, NOW)


def test_what_failed_is_first_then_what_nobody_knows() -> None:
    (app,) = page(report(GOOD, DARK, BAD)).apps

    assert [(one.verdict, one.mark) for one in app.checks] == [
        (Verdict.FAILED, "✕"),
        (Verdict.UNKNOWN, "?"),
        (Verdict.PASSED, "✓"),
    ]
    assert (app.checks[0].what, app.checks[0].area) == ("fnol: ep", "known good")
    assert app.checks[0].remedy == "let one soak"
    assert (app.counts, app.ago) == ("1 failed, 1 unknown, 1 passed", "3 min ago")


@pytest.mark.parametrize(
    ("checks", "verdict", "tone"),
    [
        ((GOOD,), Verdict.PASSED, Tone.GOOD),
        ((GOOD, DARK), Verdict.UNKNOWN, Tone.PLAIN),
        ((GOOD, DARK, BAD), Verdict.FAILED, Tone.BAD),
        ((), Verdict.UNKNOWN, Tone.PLAIN),
    ],
)
def test_the_whole_is_as_good_as_its_worst_check(
    checks: tuple[Check, ...], verdict: Verdict, tone: Tone
) -> None:
    card = page(report(*checks)).card
    assert (card.verdict, card.tone) == (verdict, tone)
    assert ("could act now" in card.sentence) is (verdict is Verdict.PASSED)


def test_an_app_that_has_not_looked_is_named() -> None:
    assert page().silent == ("responder", "executor")
    assert page(report(GOOD)).silent == ("executor",)
    assert page().card.sentence == "Backstop has not looked at itself yet."
    assert (page().card.ago, page(every_s=0.0).every) == ("", "")


def test_the_whole_was_looked_at_when_its_older_look_was() -> None:
    shown = page(report(GOOD), report(GOOD, app="executor", minutes_ago=90))
    assert shown.card.ago == "1 h 30 min ago"
    assert shown.every == "24 h"


def test_the_stage_says_what_it_means_and_what_is_missing() -> None:
    shown = page(report(GOOD))
    (service,) = shown.services

    assert (shown.card.stage, shown.card.means) == ("MVP-Prod", MEANS[Stage.MVP_PROD])
    assert (service.title, service.stage, service.next) == (SERVICE.title, "MVP-Prod", "Scale")
    assert service.missing == (LACK,)
    assert set(TITLES) == set(MEANS) == set(Stage)


def test_what_a_part_said_is_made_readable() -> None:
    said = unknown(Area.TABLES, "state", "refused by " + "a1" * 20, "again")
    assert page(report(said)).apps[0].checks[0].sentence == "refused by …"
