"""A breach that begins soon after an earlier one was cured is never taken for its happy end."""

from random import Random

import pytest

from shared.domain.diagnosis.diagnose import diagnose
from shared.domain.diagnosis.diagnosis import Diagnosis, Health
from tests.shared.domain.diagnosis.telemetry_story import (
    OVERFLOWS,
    SERVICE,
    UNREACHABLE,
    V1_GOOD,
    Fate,
    Request,
    Split,
    Trouble,
    answers_of,
    fails,
    incident,
    now_of,
    serve,
)

CURED_AT = 220.0
LOST_AT = CURED_AT + 15
ONLY_V1: list[tuple[float, Split]] = [(0, {"v1": 1})]
THERE_AND_BACK: list[tuple[float, Split]] = [*ONLY_V1, (100, {"v2": 1}), (CURED_AT, {"v1": 1})]
BAD_V2 = fails(OVERFLOWS, share=0.5, since=120, version="v2")
BAD_V2_THERE = fails(OVERFLOWS, share=0.5, since=120, version="v2", region="swedencentral")
OUT_BEFORE = fails(OVERFLOWS, share=0.9, since=60, until=175, region="swedencentral")


def lost_after(earlier: Trouble) -> Trouble:
    """Soon after the earlier trouble the region is lost for whoever serves it."""

    def trouble(deployment: str, region: str, at: float, rng: Random) -> Fate:
        if region == "swedencentral" and at >= LOST_AT:
            return UNREACHABLE
        return earlier(deployment, region, at, rng)

    return trouble


def diagnosed(requests: list[Request], width_s: float) -> Diagnosis:
    return diagnose(
        incident=incident(),
        service=SERVICE,
        answers=answers_of(requests, width_s=width_s),
        changes=(),
        known_good=V1_GOOD,
        now=now_of(requests),
    )


@pytest.mark.parametrize("width_s", [1, 10])
@pytest.mark.parametrize("after", [5, 10, 20, 40])
@pytest.mark.parametrize("earlier", [BAD_V2, BAD_V2_THERE], ids=["everywhere", "there"])
def test_a_region_lost_after_a_rollback_is_a_breach(
    earlier: Trouble, after: float, width_s: float
) -> None:
    requests = serve(THERE_AND_BACK, until=LOST_AT + after, trouble=lost_after(earlier))

    found = diagnosed(requests, width_s)

    assert found.health is Health.BREACHED
    assert "swedencentral" in found.regions_hit


@pytest.mark.parametrize("width_s", [1, 10])
@pytest.mark.parametrize("after", [2, 5, 10, 20, 40])
def test_a_region_that_is_lost_once_more_is_a_breach(after: float, width_s: float) -> None:
    trouble = lost_after(OUT_BEFORE)
    requests = serve(ONLY_V1, until=LOST_AT + after, trouble=trouble, per_second=40)

    found = diagnosed(requests, width_s)

    assert (found.health, found.affected) == (Health.BREACHED, "region=swedencentral")


@pytest.mark.parametrize("width_s", [1, 10])
def test_failures_too_few_for_a_new_breach_are_too_many_for_well_again(width_s: float) -> None:
    trouble = lost_after(OUT_BEFORE)
    requests = serve(ONLY_V1, until=LOST_AT + 1.5, trouble=trouble, per_second=16, seed=1)

    found = diagnosed(requests, width_s)

    assert found.health is Health.INCONCLUSIVE
    assert "swedencentral begins to fail" in found.sentence


def test_a_single_failure_after_the_cure_is_no_doubt() -> None:
    *before, last = serve(ONLY_V1, until=LOST_AT, trouble=OUT_BEFORE)
    requests = [*before, Request(at=last.at, deployment="v1", region="westeurope", fate=OVERFLOWS)]

    assert diagnosed(requests, 10).health is Health.HEALTHY


def test_what_fails_a_little_all_the_time_does_not_begin_to_fail() -> None:
    requests = serve(ONLY_V1, until=300, trouble=fails(OVERFLOWS, share=0.03))

    assert diagnosed(requests, 10).health is Health.HEALTHY
