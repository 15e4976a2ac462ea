"""Whose fault it is: each story has one cause, and only a version's own fault is put down to it.

The stories run from what happened to customers through the real rules; where a rule is at stake
that tells two causes apart, the same story is told twice with one thing changed.
"""

from collections.abc import Sequence
from random import Random

import msgspec
import pytest

from shared.domain.decisions.release import KnownGood
from shared.domain.diagnosis.diagnose import diagnose
from shared.domain.diagnosis.diagnosis import Attribution, Cause, Diagnosis, Ground
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from tests.shared.domain.diagnosis.telemetry_story import (
    BLOCKED,
    OVERFLOWS,
    SERVICE,
    SLOW,
    THROTTLED,
    TOOL_FAILS,
    UNREACHABLE,
    V1_GOOD,
    Fate,
    Request,
    Split,
    answer,
    answers_of,
    fails,
    incident,
    now_of,
    outcome_rows,
    serve,
)

ONLY_V1: list[tuple[float, Split]] = [(0, {"v1": 1})]
CUT_OVER: list[tuple[float, Split]] = [(0, {"v1": 1}), (180, {"v2": 1})]
HALF: list[tuple[float, Split]] = [(0, {"v1": 1}), (180, {"v1": 0.5, "v2": 0.5})]
CANARY: list[tuple[float, Split]] = [(0, {"v1": 1}), (180, {"v1": 0.9, "v2": 0.1})]
SWEDEN = "swedencentral"


def diagnosed(
    requests: list[Request],
    *,
    known_good: KnownGood | None = V1_GOOD,
    index_age_s: float = 12,
    replaced: Sequence[QueryAnswer] = (),
) -> Diagnosis:
    answers = answers_of(requests, index_age_s=index_age_s)
    return diagnose(
        incident=incident(),
        service=SERVICE,
        answers={**answers, **{one.name: one for one in replaced}},
        changes=(),
        known_good=known_good,
        now=now_of(requests),
    )


def story(
    splits: list[tuple[float, Split]],
    fate: Fate,
    *,
    share: float = 0.5,
    since: float = 205,
    version: str = "",
    region: str = "",
    until: float = 300,
) -> list[Request]:
    trouble = fails(fate, share=share, since=since, version=version, region=region)
    return serve(splits, until=until, trouble=trouble)


def cause_of(requests: list[Request]) -> tuple[Cause, str]:
    found = diagnosed(requests).attribution
    return found.cause, found.version or found.dependency


def unusable(query: str, status: AnswerStatus = AnswerStatus.TIMED_OUT) -> QueryAnswer:
    return QueryAnswer(name=query, status=status)


@pytest.mark.parametrize(
    ("requests", "cause"),
    [
        (story(CUT_OVER, OVERFLOWS, region=SWEDEN), (Cause.VERSION, "v2")),
        (story(CUT_OVER, OVERFLOWS, share=0.3), (Cause.VERSION, "v2")),
        (story(HALF, OVERFLOWS, version="v2", region=SWEDEN), (Cause.VERSION, "v2")),
        (story(HALF, THROTTLED, version="v2", region=SWEDEN), (Cause.VERSION, "v2")),
        (story(HALF, TOOL_FAILS, version="v2"), (Cause.VERSION, "v2")),
        (story(CANARY, OVERFLOWS, version="v2", until=600), (Cause.VERSION, "v2")),
        (story(CUT_OVER, SLOW, share=0.95), (Cause.VERSION, "v2")),
        (story(HALF, SLOW, share=0.95, version="v2"), (Cause.VERSION, "v2")),
        (story(HALF, BLOCKED, share=0.3, version="v2"), (Cause.VERSION, "v2")),
        (story(CUT_OVER, BLOCKED, share=0.3), (Cause.VERSION, "v2")),
        (story(CUT_OVER, Fate(code="500"), region=SWEDEN), (Cause.VERSION, "v2")),
        (story(HALF, UNREACHABLE, share=1, region=SWEDEN), (Cause.REGION, SWEDEN)),
        (story(CUT_OVER, UNREACHABLE, share=1, region=SWEDEN), (Cause.REGION, SWEDEN)),
        (story(ONLY_V1, UNREACHABLE, share=1, region=SWEDEN), (Cause.REGION, SWEDEN)),
        (story(HALF, OVERFLOWS, region=SWEDEN), (Cause.REGION, SWEDEN)),
        (story(HALF, THROTTLED, region=SWEDEN), (Cause.UPSTREAM, f"{SWEDEN}.openai")),
        (story(CUT_OVER, THROTTLED, region=SWEDEN), (Cause.UPSTREAM, f"{SWEDEN}.openai")),
        (story(CUT_OVER, UNREACHABLE, region=SWEDEN), (Cause.UPSTREAM, f"{SWEDEN}.openai")),
        (story(ONLY_V1, THROTTLED, region=SWEDEN), (Cause.UPSTREAM, f"{SWEDEN}.openai")),
        (story(HALF, TOOL_FAILS, share=1), (Cause.DEPENDENCY, "policy_lookup")),
        (story(ONLY_V1, TOOL_FAILS, share=1), (Cause.DEPENDENCY, "policy_lookup")),
        (story(HALF, OVERFLOWS), (Cause.DEPENDENCY, "")),
        (story(ONLY_V1, OVERFLOWS, region=SWEDEN), (Cause.NONE, "")),
        (story(CUT_OVER, OVERFLOWS, since=100, region=SWEDEN), (Cause.UNKNOWN, "")),
    ],
    ids=[
        "cut over, then one region fails",
        "cut over, then all regions fail",
        "half and half, v2 fails in one region",
        "half and half, only v2 is throttled",
        "half and half, v2 calls a tool wrongly",
        "a canary fails",
        "cut over, then slow",
        "half and half, v2 is slow",
        "half and half, v2 is blocked",
        "cut over, then blocked",
        "cut over, then a 500 that may be the caller's fault",
        "region out under both versions",
        "region out under the new version",
        "region out under the known good",
        "one region fails for both versions",
        "both throttled",
        "throttled after the cut over",
        "half unreachable after the cut over",
        "known good throttled",
        "tool out for both",
        "tool out for the known good",
        "everything fails for both",
        "the known good fails by itself",
        "it began before the cut over",
    ],
)
def test_every_story_has_its_cause(requests: list[Request], cause: tuple[Cause, str]) -> None:
    assert cause_of(requests) == cause


def test_an_old_index_comes_before_every_other_cause() -> None:
    requests = story(HALF, OVERFLOWS, version="v2", region=SWEDEN)

    found = diagnosed(requests, index_age_s=7200).attribution

    assert (found.cause, found.dependency) == (Cause.INDEX, "policy-wordings")
    assert found.reasons == ("policy-wordings is 2 h old, 1 h are allowed",)


def test_what_was_ruled_out_is_told_in_the_order_of_the_rules() -> None:
    found = diagnosed(story(HALF, OVERFLOWS, version="v2", region=SWEDEN)).attribution

    assert found.ruled_out == (
        "index fresh: policy-wordings is 12 s old",
        "region: v1 serves swedencentral well",
        "upstream: no target answers 429 or 5xx to all versions",
        "tools: none fails for all versions",
        "older trouble: all was fine before 14:03:25",
    )


def test_the_reasons_name_arrival_predecessor_and_the_models_answer() -> None:
    found = diagnosed(story(CUT_OVER, OVERFLOWS, region=SWEDEN)).attribution

    assert found.reasons[0] == "it began 26 s after v2 took traffic at 14:03:00"
    assert found.reasons[1] == "its predecessor was fine in the same slice"
    assert found.reasons[2].startswith("the model answers 400 to ")


@pytest.mark.parametrize(
    ("split", "grounds"),
    [(HALF, (Ground.ONSET, Ground.CONTRAST)), (CUT_OVER, (Ground.ONSET,))],
    ids=["beside another version", "after a full cutover"],
)
def test_a_version_is_blamed_by_onset_and_where_it_can_be_by_contrast(
    split: list[tuple[float, Split]], grounds: tuple[Ground, ...]
) -> None:
    found = diagnosed(story(split, OVERFLOWS, version="v2", region=SWEDEN)).attribution

    assert (found.cause, found.grounds) == (Cause.VERSION, grounds)


def test_without_an_onset_the_arrival_itself_is_the_evidence() -> None:
    found = diagnosed(story(CUT_OVER, BLOCKED, share=0.3)).attribution

    assert found.reasons[0] == "it came with v2, which took traffic at 14:03:00"


def test_what_began_before_says_when() -> None:
    found = diagnosed(story(CUT_OVER, OVERFLOWS, since=100, region=SWEDEN)).attribution

    assert found.reasons == ("it began at 14:01:40, before v2 took traffic at 14:03:00",)


def test_a_predecessor_that_had_failed_as_well_is_no_yardstick() -> None:
    earlier = fails(OVERFLOWS, share=0.4, since=40, until=120, region=SWEDEN)
    later = fails(OVERFLOWS, share=0.4, since=205, region=SWEDEN)

    def trouble(deployment: str, region: str, at: float, rng: Random) -> Fate:
        return (earlier if at < 150 else later)(deployment, region, at, rng)

    found = diagnosed(serve(CUT_OVER, until=300, trouble=trouble)).attribution

    assert found.cause is Cause.UNKNOWN
    assert found.reasons == ("the predecessor was no better in the same slice",)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("since", [192, 195, 199])
def test_a_region_that_was_lost_seconds_ago_is_named_and_not_its_model(
    since: float, seed: int
) -> None:
    # The bin of the onset begins at 190: most of it may be well.
    trouble = fails(UNREACHABLE, share=1, since=since, region=SWEDEN)
    requests = serve(CUT_OVER, until=205, trouble=trouble, per_second=40, seed=seed)

    assert cause_of(requests) == (Cause.REGION, SWEDEN)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("since", [192, 195])
def test_a_region_of_which_only_the_onset_s_bin_is_known_is_not_taken_for_its_model(
    since: float, seed: int
) -> None:
    trouble = fails(UNREACHABLE, share=1, since=since, region=SWEDEN)
    requests = serve(CUT_OVER, until=200, trouble=trouble, per_second=40, seed=seed)

    found = diagnosed(requests).attribution

    assert found.cause is Cause.UNKNOWN
    assert found.reasons[0] == (
        f"{SWEDEN} began to fail too lately to tell whether all of it is lost"
    )
    assert found.reasons[1].startswith(f"{SWEDEN}.openai answers 503 to ")


@pytest.mark.parametrize("seed", range(6))
def test_a_lost_region_is_named_before_each_other_one_has_enough_requests(seed: int) -> None:
    trouble = fails(UNREACHABLE, share=1, since=190, region=SWEDEN)
    requests = serve(HALF, until=193, trouble=trouble, per_second=16, seed=seed)

    assert cause_of(requests) == (Cause.REGION, SWEDEN)


@pytest.mark.parametrize("seed", range(4))
def test_what_began_in_the_last_bin_is_compared_by_that_bin(seed: int) -> None:
    trouble = fails(UNREACHABLE, share=1, since=194, region=SWEDEN)
    requests = serve(HALF, until=200, trouble=trouble, per_second=40, seed=seed)

    found = diagnosed(requests).attribution

    assert (found.cause, found.dependency) == (Cause.REGION, SWEDEN)
    assert " 0 %" not in found.reasons[0]


def test_versions_that_fail_unlike_one_another_in_the_last_bin_are_not_alike() -> None:
    def trouble(deployment: str, region: str, at: float, rng: Random) -> Fate:
        share = 0.95 if deployment == "v2" else 0.15
        return fails(OVERFLOWS, share=share, since=191)(deployment, region, at, rng)

    found = diagnosed(serve(HALF, until=200, trouble=trouble, per_second=80), known_good=None)

    assert found.attribution.cause is Cause.UNKNOWN


def test_a_model_that_refuses_half_of_a_region_is_named_however_the_first_bin_looks() -> None:
    trouble = fails(UNREACHABLE, share=0.5, since=195, region=SWEDEN)
    requests = serve(CUT_OVER, until=225, trouble=trouble, per_second=40)

    assert cause_of(requests) == (Cause.UPSTREAM, f"{SWEDEN}.openai")


def test_what_a_version_spoils_in_the_bin_of_its_arrival_is_not_its_predecessors() -> None:
    trouble = fails(OVERFLOWS, share=0.9, version="v2", region=SWEDEN)
    requests = serve([(0, {"v1": 1}), (63, {"v2": 1})], until=120, trouble=trouble)

    assert cause_of(requests) == (Cause.VERSION, "v2")


@pytest.mark.parametrize("query", ["index_freshness", "dependencies"])
def test_an_arrival_alone_is_not_enough_where_another_cause_is_not_ruled_out(query: str) -> None:
    requests = story(CUT_OVER, OVERFLOWS, region=SWEDEN)

    found = diagnosed(requests, replaced=[unusable(query)]).attribution

    assert found.cause is Cause.UNKNOWN
    assert f"{query} timed out" in found.reasons[0]


@pytest.mark.parametrize("query", ["index_freshness", "dependencies"])
def test_a_version_that_fails_beside_a_fine_one_needs_no_more_evidence(query: str) -> None:
    requests = story(HALF, OVERFLOWS, version="v2", region=SWEDEN)

    found = diagnosed(requests, replaced=[unusable(query)]).attribution

    assert (found.cause, found.version) == (Cause.VERSION, "v2")


def test_an_index_that_never_reported_is_not_fresh() -> None:
    silent = unusable("index_freshness", AnswerStatus.EMPTY)

    found = diagnosed(story(CUT_OVER, OVERFLOWS, region=SWEDEN), replaced=[silent]).attribution

    assert found.cause is Cause.UNKNOWN
    assert "whether the index is fresh is not known" in found.reasons[0]


def test_a_service_without_an_index_needs_none() -> None:
    requests = story(CUT_OVER, OVERFLOWS, region=SWEDEN)
    answers = {
        **answers_of(requests),
        "index_freshness": unusable("index_freshness", AnswerStatus.EMPTY),
    }

    found = diagnose(
        incident=incident(),
        service=msgspec.structs.replace(SERVICE, dependencies=()),
        answers=answers,
        changes=(),
        known_good=V1_GOOD,
        now=now_of(requests),
    ).attribution

    assert found.cause is Cause.VERSION
    assert "index: the service has none" in found.ruled_out


def test_long_after_the_arrival_the_arrival_is_not_blamed() -> None:
    requests = serve(
        CUT_OVER,
        until=2400,
        trouble=fails(OVERFLOWS, share=0.5, since=2200, region=SWEDEN),
        per_second=2,
    )

    found = diagnosed(requests)

    assert found.attribution.cause is Cause.UNKNOWN
    assert "had served for 33 min" in found.attribution.reasons[0]
    assert "after it took traffic" not in found.sentence


def test_without_a_predecessor_to_compare_with_nothing_is_blamed() -> None:
    requests = serve(
        [(0, {"v2": 1})], until=300, trouble=fails(OVERFLOWS, share=0.5, since=200, region=SWEDEN)
    )

    found = diagnosed(requests).attribution

    assert found.cause is Cause.UNKNOWN
    assert found.reasons == ("v2 already served before the data begin, nothing to compare with",)


def test_a_predecessor_with_too_few_requests_proves_nothing() -> None:
    requests = serve(
        [(0, {"v1": 1}), (20, {"v2": 1})],
        until=200,
        trouble=fails(OVERFLOWS, share=0.5, since=40, region=SWEDEN),
        per_second=3,
    )

    found = diagnosed(requests).attribution

    assert found.cause is Cause.UNKNOWN
    assert "too few to compare" in found.reasons[0]


def test_versions_that_fail_unlike_one_another_are_not_put_down_to_what_they_share() -> None:
    def trouble(deployment: str, region: str, at: float, rng: Random) -> Fate:
        share = 0.7 if deployment == "v2" else 0.12
        return fails(OVERFLOWS, share=share, since=205)(deployment, region, at, rng)

    found = diagnosed(serve(HALF, until=320, trouble=trouble), known_good=None).attribution

    assert found.cause is Cause.UNKNOWN
    assert found.reasons == ("no single version is hurt: v1 and v2",)


def test_the_known_good_is_never_blamed_even_beside_a_fine_canary() -> None:
    requests = serve(
        CANARY,
        until=500,
        trouble=fails(OVERFLOWS, share=0.5, since=300, version="v1", region=SWEDEN),
    )

    found = diagnosed(requests).attribution

    assert found.cause is Cause.NONE
    assert "known good itself" in found.reasons[0]


def test_a_swing_of_outcomes_alone_has_no_known_cause() -> None:
    swung = answer(
        "outcomes",
        outcome_rows(
            now={"accepted": 100, "rejected": 100}, before={"accepted": 970, "rejected": 30}
        ),
    )

    found = diagnosed(serve(CUT_OVER, until=300), replaced=[swung])

    assert found.breach == "outcome"
    assert found.attribution.cause is Cause.UNKNOWN


@pytest.mark.parametrize("seed", range(12))
def test_chance_does_not_change_the_cause(seed: int) -> None:
    bad_version = serve(
        HALF,
        until=300,
        seed=seed,
        trouble=fails(OVERFLOWS, share=0.5, since=205, version="v2", region=SWEDEN),
    )
    bad_region = serve(
        HALF, until=300, seed=seed, trouble=fails(UNREACHABLE, share=0.9, since=205, region=SWEDEN)
    )

    causes = [cause_of(requests)[0] for requests in (bad_version, bad_region)]

    assert causes == [Cause.VERSION, Cause.REGION]


def test_an_attribution_that_was_not_made_is_unknown() -> None:
    healthy = diagnosed(serve(ONLY_V1, until=120))

    assert healthy.attribution == Attribution(
        cause=Cause.NONE, reasons=("no objective is breached",)
    )
