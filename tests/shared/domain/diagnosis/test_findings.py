"""Every query becomes findings: bad, good, too little traffic, no data, or could not find out."""

import msgspec
import pytest

from shared.domain.diagnosis.breach import BreachKind
from shared.domain.diagnosis.comparison import slice_findings
from shared.domain.diagnosis.detection import find_breaches
from shared.domain.diagnosis.diagnosis import Finding, Sign
from shared.domain.diagnosis.evidence import DECISIVE, ROWS, Evidence, read_evidence
from shared.domain.diagnosis.findings import find_all, outcome_breaches
from shared.domain.diagnosis.measurements import OnsetRow
from shared.domain.diagnosis.parts import part_breaches
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from tests.shared.domain.diagnosis.telemetry_story import (
    BLOCKED,
    OVERFLOWS,
    SERVICE,
    SLOW,
    START,
    THROTTLED,
    TOOL_FAILS,
    Request,
    Split,
    answer,
    answers_of,
    fails,
    now_of,
    outcome_rows,
    seconds,
    serve,
)

HALF: list[tuple[float, Split]] = [(0, {"v1": 1}), (100, {"v1": 0.5, "v2": 0.5})]
HEALTHY = serve(HALF, until=240)
QUERIES = sorted(set(ROWS) - {"activity"})


def findings(
    requests: list[Request] = HEALTHY, *, index_age_s: float = 12, **replaced: QueryAnswer
) -> tuple[Finding, ...]:
    answers = {**answers_of(requests, index_age_s=index_age_s), **replaced}
    evidence = read_evidence(answers)
    return find_all(evidence, find_breaches(evidence, SERVICE), SERVICE, now_of(requests))


def bad(found: tuple[Finding, ...]) -> dict[tuple[str, str], Finding]:
    return {(one.kind, one.subject): one for one in found if one.signal is Sign.BAD}


def test_healthy_traffic_is_good_in_every_respect() -> None:
    found = findings()

    assert {one.signal for one in found} == {Sign.GOOD}
    assert {one.kind for one in found} == {
        "burn-rate",
        "partial-outage",
        "version",
        "latency",
        "tool",
        "content-safety",
        "outcome",
        "anomaly",
        "dependency",
        "index",
    }


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize(
    "status", [one for one in AnswerStatus if one is not AnswerStatus.COMPLETE]
)
def test_a_query_without_a_usable_answer_never_looks_healthy(
    query: str, status: AnswerStatus
) -> None:
    answers = {**answers_of(HEALTHY), query: QueryAnswer(name=query, status=status)}

    found = find_all(read_evidence(answers), (), SERVICE, now_of(HEALTHY))

    said = [one.signal for one in found if one.query == query]
    assert said == [Sign.NO_DATA if status is AnswerStatus.EMPTY else Sign.UNKNOWN]


def test_bad_findings_come_first() -> None:
    found = findings(serve(HALF, until=240, trouble=fails(OVERFLOWS, share=0.4, version="v2")))

    signals = [one.signal is Sign.BAD for one in found]
    assert signals[0]
    assert signals == sorted(signals, reverse=True)


def test_a_region_that_fails_while_the_total_looks_green_is_a_partial_outage() -> None:
    trouble = fails(OVERFLOWS, share=0.13, since=100, region="swedencentral")

    found = bad(findings(serve([(0, {"v1": 1})], until=400, trouble=trouble)))

    outage = found["partial-outage", "region=swedencentral"]
    assert "the total looks green" in outage.sentence
    assert outage.required == pytest.approx(0.04)
    assert outage.total > 400


def test_a_bad_prompt_version_is_told_apart_from_the_good_one() -> None:
    found = bad(findings(serve(HALF, until=240, trouble=fails(OVERFLOWS, share=0.4, version="v2"))))

    assert ("partial-outage", "prompt_version=p-v2") in found
    assert ("version", "version=v2 (p-v2)") in found
    assert ("partial-outage", "prompt_version=p-v1") not in found


def test_a_slice_that_fails_no_more_than_the_rest_is_no_partial_outage() -> None:
    rows = tuple(
        OnsetRow(at=START, deployment="v1", region=region, total=total, failed=failed)
        for region, total, failed in [("westeurope", 500, 40), ("northeurope", 200, 7)]
    )

    found = slice_findings(Evidence(onset=rows), SERVICE, None)

    regions = [one.signal for one in found if one.subject.startswith("region=")]
    assert regions == [Sign.GOOD, Sign.GOOD]


def test_a_slice_with_few_requests_is_neither_good_nor_bad() -> None:
    found = findings(serve(HALF, until=240, per_second=0.1))

    regions = [one for one in found if one.subject.startswith("region=") and one.query == "onset"]
    assert {one.signal for one in regions} == {Sign.LOW_TRAFFIC}
    assert "too few to tell" in regions[0].sentence


def test_a_slow_version_is_a_finding_of_latency() -> None:
    found = bad(findings(serve(HALF, until=240, trouble=fails(SLOW, share=0.9, version="v2"))))

    slow = found["latency", "version=v2 (p-v2)"]
    assert slow.sentence == "v2 (p-v2) answers 95 % within 2900 ms of 2000 ms"
    assert ("latency", "version=v1 (p-v1)") not in found


def test_a_burn_names_the_slice_that_burns_fastest() -> None:
    trouble = fails(OVERFLOWS, share=0.5, region="swedencentral")

    burn = bad(findings(serve([(0, {"v1": 1})], until=300, trouble=trouble)))[
        "burn-rate", "fnol-availability"
    ]

    assert "for region=swedencentral over 5m and 1h" in burn.sentence
    assert burn.observed == pytest.approx(50, rel=0.2)
    assert burn.required == SERVICE.policy.burn_rate


def test_a_burn_of_few_requests_is_low_traffic_and_of_none_no_data() -> None:
    few = findings(serve([(0, {"v1": 1})], until=100, per_second=0.2))
    row = {**answers_of(HEALTHY)["burn_rates"].rows[0], "Slo": "fnol-latency", "Sli": "latency"}
    only_latency = findings(burn_rates=answer("burn_rates", [row]))

    assert [one.signal for one in few if one.kind == "burn-rate"] == [Sign.LOW_TRAFFIC] * 2
    assert [one.signal for one in only_latency if one.subject == "fnol-availability"] == [
        Sign.NO_DATA
    ]


def test_a_failing_tool_names_the_versions_that_suffer() -> None:
    found = bad(
        findings(serve(HALF, until=240, trouble=fails(TOOL_FAILS, share=0.4, version="v2")))
    )

    tool = found["tool", "policy_lookup"]
    assert tool.sentence.startswith("policy_lookup fails ")
    assert tool.sentence.endswith(" calls of v2")
    assert ("tool", "coverage_check") not in found


def test_content_safety_that_blocks_a_versions_answers_is_a_breach() -> None:
    requests = serve(HALF, until=240, trouble=fails(BLOCKED, share=0.3, version="v2"))

    (breach,) = part_breaches(read_evidence(answers_of(requests)), SERVICE, now_of(requests))

    assert breach.kind is BreachKind.CONTENT_SAFETY
    assert (breach.versions, breach.fine_versions) == (("v2",), ("v1",))
    assert ("content-safety", "content safety") in bad(findings(requests))


def test_a_throttling_target_is_named_with_its_answer() -> None:
    trouble = fails(THROTTLED, share=0.4, region="swedencentral")

    found = bad(findings(serve(HALF, until=240, trouble=trouble)))

    assert found["dependency", "swedencentral.openai"].sentence.startswith(
        "swedencentral.openai answers 429 to "
    )


def test_a_refusal_that_is_the_callers_fault_is_no_finding_about_the_target() -> None:
    trouble = fails(OVERFLOWS, share=0.4, region="swedencentral")

    found = bad(findings(serve(HALF, until=240, trouble=trouble)))

    assert not [kind for kind, _ in found if kind == "dependency"]


@pytest.mark.parametrize(("age_s", "stale"), [(3600, False), (3601, True)])
def test_an_index_is_stale_beyond_the_age_that_the_service_allows(
    age_s: float, stale: bool
) -> None:
    evidence = read_evidence(answers_of(HEALTHY, index_age_s=age_s))

    kinds = [one.kind for one in part_breaches(evidence, SERVICE, now_of(HEALTHY))]

    assert kinds == ([BreachKind.INDEX] if stale else [])
    assert (("index", "policy-wordings") in bad(findings(index_age_s=age_s))) is stale


def anomaly(flag: int, age_s: float = 60, failed: int = 40) -> QueryAnswer:
    row = {
        "TimeGenerated": now_of(HEALTHY) - seconds(age_s),
        "Region": "swedencentral",
        "Failed": failed,
        "Total": 90,
        "Flag": flag,
        "Score": 12.5,
        "Baseline": 0.4,
    }
    return answer("anomalies", [row])


def test_failures_above_their_baseline_are_an_anomaly() -> None:
    found = bad(findings(anomalies=anomaly(1)))

    assert found["anomaly", "region=swedencentral"].sentence == (
        "swedencentral: 40 failures a bin against 0.4 as usual"
    )


@pytest.mark.parametrize(
    "answered", [anomaly(0), anomaly(-1), anomaly(1, age_s=1200), anomaly(1, failed=4)]
)
def test_calm_long_past_or_single_failures_are_no_anomaly(answered: QueryAnswer) -> None:
    assert not [one for one in bad(findings(anomalies=answered)) if one[0] == "anomaly"]


def test_one_swing_of_outcomes_is_one_breach() -> None:
    rows = outcome_rows(
        now={"accepted": 100, "rejected": 100}, before={"accepted": 970, "rejected": 30}
    )
    answers = {**answers_of(HEALTHY), "outcomes": answer("outcomes", rows)}

    (breach,) = outcome_breaches(read_evidence(answers))

    assert breach.kind is BreachKind.OUTCOME
    assert (breach.count.total, breach.count.bad) == (200, 94)


def test_what_may_show_a_breach_by_itself_is_decisive() -> None:
    shown_by = {"tool_failures", "content_safety", "outcomes", "index_freshness"}

    assert set(DECISIVE) == shown_by


def test_a_service_without_objectives_still_gets_findings() -> None:
    evidence = read_evidence(answers_of(HEALTHY))
    bare = msgspec.structs.replace(SERVICE, slos=())

    found = find_all(evidence, (), bare, now_of(HEALTHY))

    assert "burn-rate" not in {one.kind for one in found}
    assert {one.signal for one in found} == {Sign.GOOD}
