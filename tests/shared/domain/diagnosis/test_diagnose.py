"""One verdict and one sentence: breached, healthy, or it could not be found out."""

from collections.abc import Mapping

import pytest

from shared.domain.decisions.release import Change, KnownGood
from shared.domain.diagnosis.diagnose import diagnose
from shared.domain.diagnosis.diagnosis import Cause, Diagnosis, Health, Sign
from shared.domain.diagnosis.evidence import CORE, DECISIVE
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from tests.shared.domain.diagnosis.telemetry_story import (
    OVERFLOWS,
    REGIONS,
    SERVICE,
    SLOW,
    START,
    V1_GOOD,
    Request,
    Split,
    Trouble,
    answer,
    answers_of,
    fails,
    incident,
    no_trouble,
    now_of,
    outcome_rows,
    seconds,
    serve,
)

CUT_OVER: list[tuple[float, Split]] = [(0, {"v1": 1}), (180, {"v2": 1})]
FUSE = fails(OVERFLOWS, share=0.5, since=205, version="v2", region="swedencentral")
USABLE = {AnswerStatus.COMPLETE, AnswerStatus.EMPTY}


def story(
    trouble: Trouble = no_trouble, until: float = 260, per_second: float = 8
) -> list[Request]:
    return serve(CUT_OVER, until=until, trouble=trouble, per_second=per_second)


def diagnosed(
    requests: list[Request],
    *,
    changes: tuple[Change, ...] = (),
    known_good: KnownGood | None = V1_GOOD,
    replaced: Mapping[str, QueryAnswer] | None = None,
    index_age_s: float = 12,
) -> Diagnosis:
    return diagnose(
        incident=incident(),
        service=SERVICE,
        answers={**answers_of(requests, index_age_s=index_age_s), **(replaced or {})},
        changes=changes,
        known_good=known_good,
        now=now_of(requests),
    )


def unusable(query: str, status: AnswerStatus) -> dict[str, QueryAnswer]:
    return {query: QueryAnswer(name=query, status=status, detail="the service said so")}


def test_the_sentence_says_what_where_since_when_and_what_is_fine() -> None:
    found = diagnosed(story(FUSE))

    assert found.sentence == (
        "v2 fails 52 % of requests in swedencentral since 14:03:25, 26 s after it took traffic;"
        " the other regions are fine; index fresh."
    )


def test_a_breach_is_described_in_full() -> None:
    found = diagnosed(story(FUSE))

    assert found.health is Health.BREACHED
    assert found.breach == "availability"
    assert (found.attribution.cause, found.attribution.version) == (Cause.VERSION, "v2")
    assert found.onset_at is not None
    assert seconds(205) <= found.onset_at - START <= seconds(208)
    assert found.served_version == "v2"
    assert found.affected == "region=swedencentral"
    assert found.regions_hit == ("swedencentral",)
    assert (found.requests, found.bad_requests) == (112, 58)
    assert found.bad_share == pytest.approx(58 / 112)
    assert found.unanswered == ()
    assert found.ruled_out == found.attribution.ruled_out
    assert found.findings[0].signal is Sign.BAD


def test_the_change_that_moved_the_traffic_is_the_first_suspect() -> None:
    changes = (
        Change(id="old", kind="release", at=START - seconds(9000), what="v1", deployment="v1"),
        Change(id="moved", kind="traffic", at=START + seconds(179), what="v2", deployment="v2"),
        Change(id="later", kind="flag", at=START + seconds(250), what="a flag"),
    )

    found = diagnosed(story(FUSE), changes=changes)

    assert [one.change for one in found.suspects] == ["moved", "old"]


def test_writes_in_the_control_plane_are_suspects_too() -> None:
    row = {
        "TimeGenerated": START + seconds(178),
        "Operation": "ONLINEENDPOINTS/WRITE",
        "Status": "Start",
        "Caller": "pipeline",
        "ResourceId": SERVICE.targets[0].id,
        "CorrelationId": "c1",
    }

    found = diagnosed(story(FUSE), replaced={"activity": answer("activity", [row])})

    assert [(one.change, one.who) for one in found.suspects] == [("activity c1", "pipeline")]


def test_healthy_says_what_it_rests_on() -> None:
    found = diagnosed(story())

    assert found.health is Health.HEALTHY
    assert found.attribution.cause is Cause.NONE
    assert found.sentence == (
        "Requests are in order: 0 of 2080 failed in francecentral, northeurope, swedencentral and"
        " westeurope."
    )
    assert (found.breach, found.onset_at, found.affected) == ("", None, "")


def test_a_breach_that_has_ended_is_healthy_and_says_so() -> None:
    trouble = fails(OVERFLOWS, share=0.6, since=60, until=100, region="westeurope")

    found = diagnosed(story(trouble, until=170))

    assert found.health is Health.HEALTHY
    assert found.sentence.startswith("All is well again: v1 failed 6")
    assert "in westeurope from 14:01:0" in found.sentence
    assert found.sentence.endswith("to 14:01:40.")


@pytest.mark.parametrize("query", CORE)
@pytest.mark.parametrize(
    "status", [one for one in AnswerStatus if one is not AnswerStatus.COMPLETE]
)
def test_without_the_requests_nothing_can_be_said(query: str, status: AnswerStatus) -> None:
    found = diagnosed(story(FUSE), replaced=unusable(query, status))

    assert found.health is Health.INCONCLUSIVE
    assert found.attribution.cause is Cause.UNKNOWN
    assert found.sentence.startswith(f"Cannot tell whether customers are hurt: {query} ")
    assert any(reason.startswith(query) for reason in found.unanswered)


def test_what_is_known_nevertheless_is_told() -> None:
    found = diagnosed(story(FUSE), replaced=unusable("burn_rates", AnswerStatus.TIMED_OUT))

    assert "What is known: v2 fails 52 % of requests in swedencentral" in found.sentence


@pytest.mark.parametrize("query", DECISIVE)
@pytest.mark.parametrize("status", [one for one in AnswerStatus if one not in USABLE])
def test_nobody_says_healthy_while_a_decisive_query_is_out(
    query: str, status: AnswerStatus
) -> None:
    found = diagnosed(story(), replaced=unusable(query, status))

    assert found.health is Health.INCONCLUSIVE
    assert query in found.sentence


@pytest.mark.parametrize("query", ["anomalies", "versions", "slices", "dependencies"])
def test_a_query_that_only_explains_does_not_change_the_verdict(query: str) -> None:
    replaced = unusable(query, AnswerStatus.TRUNCATED)

    assert diagnosed(story(), replaced=replaced).health is Health.HEALTHY
    breached = diagnosed(story(FUSE), replaced=replaced)
    assert breached.health is Health.BREACHED
    assert len(breached.unanswered) == 1


def test_a_decisive_query_without_rows_is_no_doubt() -> None:
    found = diagnosed(story(), replaced=unusable("content_safety", AnswerStatus.EMPTY))

    assert found.health is Health.HEALTHY
    assert found.unanswered == ()


def test_no_answers_at_all_are_inconclusive() -> None:
    found = diagnose(
        incident=incident(), service=SERVICE, answers={}, changes=(), known_good=None, now=START
    )

    assert found.health is Health.INCONCLUSIVE
    assert found.sentence == "Cannot tell whether customers are hurt: burn_rates was not asked."
    assert len(found.unanswered) == 10


def test_little_traffic_is_inconclusive() -> None:
    found = diagnosed(story(per_second=0.15))

    assert found.health is Health.INCONCLUSIVE
    assert "only 39 requests were seen, 50 are needed" in found.sentence


def test_a_thin_slice_that_seems_to_fail_is_inconclusive() -> None:
    requests = [
        one
        for number, one in enumerate(story(fails(OVERFLOWS, share=0.5, region="swedencentral")))
        if one.region != "swedencentral" or number % 150 == 0
    ]

    found = diagnosed(requests)

    assert found.health is Health.INCONCLUSIVE
    assert "too few requests to judge swedencentral" in found.sentence


def test_slowness_is_a_breach_with_the_slow_requests_counted() -> None:
    found = diagnosed(story(fails(SLOW, share=0.9, since=190, version="v2"), until=300))

    assert found.breach == "latency"
    assert found.sentence.startswith(
        "v2 answers too slowly since 14:03:10, 10 s after it took traffic"
    )
    assert found.bad_share == pytest.approx(0.83, abs=0.05)
    assert set(found.regions_hit) == set(REGIONS)


def test_an_old_index_is_a_breach_of_its_own() -> None:
    found = diagnosed(story(), index_age_s=7200)

    assert (found.health, found.breach) == (Health.BREACHED, "index")
    assert found.attribution.dependency == "policy-wordings"
    assert found.sentence == "policy-wordings is 2 h old, 1 h are allowed."


def test_decisions_that_swing_are_a_breach_though_no_request_fails() -> None:
    rows = outcome_rows(
        now={"accepted": 100, "rejected": 100}, before={"accepted": 970, "rejected": 30}
    )

    found = diagnosed(story(), replaced={"outcomes": answer("outcomes", rows)})

    assert (found.health, found.breach) == (Health.BREACHED, "outcome")
    assert found.sentence.startswith('"accepted" went from 97 % to 50 %')
    assert (found.requests, found.bad_requests) == (200, 94)


def test_the_same_answers_give_the_same_diagnosis() -> None:
    assert diagnosed(story(FUSE)) == diagnosed(story(FUSE))
