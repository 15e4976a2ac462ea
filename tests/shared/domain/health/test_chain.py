"""The chain: each thing that a service needs, judged by itself and in the order of its file."""

from datetime import timedelta

import msgspec
import pytest

from shared.domain.catalog import Dependency
from shared.domain.decisions.endpoint import ProbeReport
from shared.domain.health.chain import (
    Watermark,
    judge_deployment,
    judge_index,
    judge_service,
    unasked,
)
from shared.domain.health.report import Finding, HealthReport, Part, Verdict
from tests.shared.domain.decisions.worked_case import GOOD_PROBE, NOW, SERVICE, SNAPSHOT, ago

INDEX = Dependency(name="wordings", kind="index", endpoint="https://s.example", watermark="at")
SEARCH = Dependency(name="policy-search")
HOUR = 3600


def mark(age_s: float | None) -> Watermark:
    return Watermark(documents=48_000, newest=None if age_s is None else ago(age_s))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (mark(5), Verdict.PASSED),
        (mark(HOUR), Verdict.PASSED),
        (mark(HOUR + 1), Verdict.FAILED),
        (mark(-5), Verdict.PASSED),
        (mark(None), Verdict.FAILED),
        (None, Verdict.UNKNOWN),
    ],
)
def test_an_index_is_as_fresh_as_its_newest_document(
    found: Watermark | None, verdict: Verdict
) -> None:
    assert judge_index(INDEX, SERVICE, found, NOW).verdict is verdict


def test_a_stale_index_says_how_old_it_is() -> None:
    said = judge_index(INDEX, SERVICE, mark(2 * HOUR), NOW).sentence
    assert said == "index wordings: 48,000 documents, the newest 2 h old, 1 h are allowed"


@pytest.mark.parametrize("own", [Verdict.PASSED, Verdict.FAILED])
def test_another_service_is_as_it_says_itself_and_tells_of_it_itself(own: Verdict) -> None:
    found = Finding(part=Part.ANSWERS, name="", verdict=own, sentence="")
    report = HealthReport(service="policy-search", at=ago(60), findings=(found,))
    judged = judge_service(SEARCH, report, NOW)
    assert (judged.verdict, judged.matters) == (own, False)


def test_what_another_service_said_long_ago_says_nothing() -> None:
    old = HealthReport(service="policy-search", at=NOW - timedelta(minutes=31))
    assert judge_service(SEARCH, old, NOW).verdict is Verdict.UNKNOWN
    assert judge_service(SEARCH, None, NOW).verdict is Verdict.UNKNOWN


def test_what_has_no_address_is_unknown() -> None:
    finding = unasked(Dependency(name="lookup", kind="tool"))
    assert (finding.verdict, finding.sentence) == (
        Verdict.UNKNOWN,
        "tool lookup: its file gives no way to ask it",
    )


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        (GOOD_PROBE, Verdict.PASSED),
        (msgspec.structs.replace(GOOD_PROBE, passed=1), Verdict.PASSED),
        (msgspec.structs.replace(GOOD_PROBE, passed=0), Verdict.FAILED),
        (msgspec.structs.replace(GOOD_PROBE, sent=0, passed=0), Verdict.UNKNOWN),
        (None, Verdict.UNKNOWN),
    ],
)
def test_a_version_is_available_where_it_answers_by_name(
    report: ProbeReport | None, verdict: Verdict
) -> None:
    assert judge_deployment("v1", report, SNAPSHOT).verdict is verdict


def test_customers_feel_only_a_version_that_serves() -> None:
    assert judge_deployment("V2", None, SNAPSHOT).matters
    assert not judge_deployment("old", None, SNAPSHOT).matters
