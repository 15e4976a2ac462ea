"""The report: three verdicts, and the pass rate with its interval."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.health.report import (
    Finding,
    HealthReport,
    Part,
    Verdict,
    interval,
    judge_answers,
)
from tests.shared.domain.decisions.worked_case import NOW

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN


def answers(good: int, total: int, pass_share: float = 0.95) -> Finding:
    troubles = [(f"c{n}", "" if n < good else "HTTP 424") for n in range(total)]
    return judge_answers(troubles, pass_share)


def finding(verdict: Verdict, name: str = "wordings", **changes: object) -> Finding:
    usual = Finding(part=Part.DEPENDENCY, name=name, verdict=verdict, sentence="said")
    return msgspec.structs.replace(usual, **changes)


def report(*findings: Finding, minutes: float = 0) -> HealthReport:
    return HealthReport(
        service="fnol-summary", at=NOW + timedelta(minutes=minutes), findings=findings
    )


@pytest.mark.parametrize(
    ("good", "total", "low", "high"),
    [(20, 20, 0.8389, 1.0), (17, 20, 0.6396, 0.9476), (0, 20, 0.0, 0.1611), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilsons(good: int, total: int, low: float, high: float) -> None:
    assert interval(good, total) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share(counts: tuple[int, int]) -> None:
    good, total = counts
    low, high = interval(good, total)
    assert 0 <= low <= good / total + 1e-9
    assert good / total - 1e-9 <= high <= 1


@pytest.mark.parametrize(
    ("good", "verdict"), [(24, PASSED), (23, PASSED), (22, UNKNOWN), (20, FAILED), (0, FAILED)]
)
def test_answers_fail_where_the_share_surely_is_too_low(good: int, verdict: Verdict) -> None:
    assert answers(good, 24).verdict is verdict


@pytest.mark.parametrize(("wrong", "verdict"), [(1, PASSED), (2, UNKNOWN), (3, FAILED)])
def test_of_the_fewest_questions_that_a_file_may_have(wrong: int, verdict: Verdict) -> None:
    assert answers(20 - wrong, 20).verdict is verdict


def test_the_answers_say_what_was_wrong() -> None:
    assert answers(22, 24).sentence == (
        "22 of 24 known questions are answered rightly, 74% to 98%; c22: HTTP 424; c23: HTTP 424"
    )


def test_nothing_asked_is_nothing_known() -> None:
    assert answers(0, 0).verdict is UNKNOWN
    assert report().verdict is UNKNOWN


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ((PASSED, UNKNOWN), PASSED),
        ((PASSED, FAILED, UNKNOWN), FAILED),
        ((UNKNOWN,), UNKNOWN),
    ],
)
def test_the_worst_that_customers_feel_is_the_verdict(
    verdicts: tuple[Verdict, ...], worst: Verdict
) -> None:
    found = [finding(one, str(n)) for n, one in enumerate(verdicts)]
    assert report(*found, finding(FAILED, "idle", matters=False)).verdict is worst


def test_the_first_of_the_chain_that_fails_is_named() -> None:
    found = report(
        finding(FAILED, "v2", part=Part.DEPLOYMENT),
        finding(UNKNOWN, "lookup"),
        finding(FAILED, "wordings"),
        finding(FAILED, "policy-search"),
    )
    assert found.first_failing == "wordings"
    assert report(finding(PASSED)).first_failing == ""
