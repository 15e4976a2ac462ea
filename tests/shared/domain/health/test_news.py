"""What is told of health checks, when: once as it breaks, and once as it is over."""

from datetime import timedelta

from shared.domain.health.news import carry_on, to_be_told, told
from shared.domain.health.report import Part, Verdict
from tests.shared.domain.decisions.worked_case import NOW
from tests.shared.domain.health.test_report import finding, report

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN
HOUR = timedelta(hours=1)


def checked(*verdicts: Verdict, every: float = 5) -> list[list[Verdict]]:
    """What is told after each of so many checks in a row, some minutes apart."""
    was, said = None, []
    for number, verdict in enumerate(verdicts):
        now = carry_on(report(finding(verdict), minutes=number * every), was)
        news = to_be_told(now)
        said.append([one.verdict for one in news])
        was = told(now, news)
    return said


def test_what_is_well_from_the_beginning_is_not_told() -> None:
    assert checked(PASSED, PASSED) == [[], []]


def test_what_breaks_is_told_once_and_so_is_its_end() -> None:
    assert checked(FAILED, FAILED, PASSED, PASSED) == [[FAILED], [], [PASSED], []]


def test_what_stays_broken_is_told_again_after_an_hour() -> None:
    assert checked(*[FAILED] * 4, every=30) == [[FAILED], [], [FAILED], []]


def test_what_breaks_again_is_told_again() -> None:
    assert checked(FAILED, PASSED, FAILED) == [[FAILED], [PASSED], [FAILED]]


def test_what_cannot_be_asked_begins_nothing_and_ends_nothing() -> None:
    assert checked(UNKNOWN, FAILED, UNKNOWN, PASSED) == [[], [FAILED], [], [PASSED]]


def test_what_does_not_matter_to_customers_is_never_told() -> None:
    found = carry_on(report(finding(FAILED, matters=False)), None)
    assert to_be_told(found) == ()


def test_since_when_it_holds_is_kept() -> None:
    first = carry_on(report(finding(PASSED)), None)
    later = carry_on(report(finding(PASSED), minutes=60), first)
    broken = carry_on(report(finding(FAILED), minutes=65), later)
    assert later.findings[0].since == NOW
    assert broken.findings[0].since == NOW + timedelta(minutes=65)
    assert later.at - NOW == HOUR


def test_what_is_gone_is_over_and_then_forgotten() -> None:
    broken = carry_on(report(finding(FAILED)), None)
    gone = carry_on(report(minutes=5), told(broken, to_be_told(broken)))
    assert [(one.about, one.breaks) for one in to_be_told(gone)] == [("dependency wordings", False)]
    assert carry_on(report(minutes=10), told(gone, to_be_told(gone))).findings == ()


def test_questions_that_nobody_asks_any_more_end_nothing() -> None:
    # Their file may have a mistake: nothing is known then, least of all that all is well.
    broken = carry_on(report(finding(FAILED, "", part=Part.ANSWERS)), None)
    unasked = carry_on(report(minutes=5), told(broken, to_be_told(broken)))
    assert to_be_told(unasked) == ()
    assert [one.verdict for one in unasked.findings] == [UNKNOWN]


def test_what_serves_again_is_told_again_as_of_then() -> None:
    broken = carry_on(report(finding(FAILED)), None)
    idle = carry_on(
        report(finding(FAILED, matters=False), minutes=5), told(broken, broken.findings)
    )
    back = carry_on(report(finding(FAILED), minutes=10), told(idle, to_be_told(idle)))
    assert [one.since for one in to_be_told(back)] == [back.at]
