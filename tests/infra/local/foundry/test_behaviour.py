"""What happens to a request: the world's troubles first, then the version's own weaknesses."""

from collections import Counter
from random import Random

import pytest

from infra.local.foundry.behaviour import (
    HEALTHY,
    Behaviour,
    Happening,
    Troubles,
    disliked,
    happen,
    overcautious,
    overflowing,
    slowed,
    tool_broken,
)

ASKED = 2000


def many(
    behaviour: Behaviour, region: str = "westeurope", troubles: Troubles | None = None
) -> list[Happening]:
    rng = Random(11)  # noqa: S311 - seeded on purpose
    world = troubles or Troubles()
    return [happen(behaviour, region, world, rng) for _ in range(ASKED)]


def share(happenings: list[Happening], **wanted: object) -> float:
    hits = [h for h in happenings if all(getattr(h, k) == v for k, v in wanted.items())]
    return len(hits) / len(happenings)


def test_a_healthy_version_answers_nearly_all_and_most_are_accepted() -> None:
    seen = many(HEALTHY)
    assert share(seen, good=True) > 0.99
    assert share(seen, outcome="accepted") == pytest.approx(0.86, abs=0.03)


def test_the_same_seed_tells_the_same_story() -> None:
    assert many(overflowing("westeurope")) == many(overflowing("westeurope"))


def test_an_overflowing_prompt_fails_half_of_one_region_only() -> None:
    behaviour = overflowing("swedencentral")
    hit = many(behaviour, "swedencentral")
    assert share(hit, cause="context_length_exceeded") == pytest.approx(0.5, abs=0.04)
    assert share(many(behaviour, "westeurope"), good=True) > 0.99


def test_a_failure_of_the_model_is_a_424_that_keeps_the_models_own_status() -> None:
    failures = [h for h in many(overflowing("westeurope", 1.0)) if not h.good]
    assert {(h.status, h.model_status, h.outcome) for h in failures} == {(424, 400, "")}


def test_a_broken_tool_fails_before_the_model_is_asked() -> None:
    failures = [h for h in many(tool_broken("coverage_check")) if not h.good]
    kinds = Counter((h.cause, h.failed_tool, h.model_status) for h in failures)
    assert kinds.most_common(1)[0][0] == ("tool_failed", "coverage_check", None)
    assert len(failures) / ASKED == pytest.approx(0.4, abs=0.04)


def test_blocked_answers_are_delivered_and_nobody_judges_them() -> None:
    blocked = [h for h in many(overcautious(0.25)) if h.blocked]
    assert len(blocked) / ASKED == pytest.approx(0.25, abs=0.03)
    assert {(h.good, h.outcome) for h in blocked} == {(True, "")}


def test_disliked_answers_are_all_good_to_a_machine() -> None:
    seen = many(disliked(0.3))
    assert share(seen, good=True) > 0.99
    assert share(seen, outcome="rejected") == pytest.approx(0.3, abs=0.04)


def test_latency_spreads_a_quarter_to_both_sides() -> None:
    latencies = [h.latency_ms for h in many(slowed(1000.0))]
    assert 750.0 <= min(latencies) < 800.0
    assert 1200.0 < max(latencies) <= 1250.0


@pytest.mark.parametrize("behaviour", [HEALTHY, overflowing("swedencentral"), disliked()])
def test_a_region_that_is_out_fails_every_version_alike(behaviour: Behaviour) -> None:
    troubles = Troubles(regions_out={"northeurope"})
    assert share(many(behaviour, "northeurope", troubles), cause="region_unavailable") == 1.0
    assert share(many(behaviour, "westeurope", troubles), good=True) > 0.99


def test_a_tool_that_is_out_fails_everywhere() -> None:
    troubles = Troubles(tools_out={"policy_lookup"})
    assert share(many(HEALTHY, troubles=troubles), failed_tool="policy_lookup") == 1.0


def test_the_models_rate_limit_hits_its_region() -> None:
    troubles = Troubles(upstream_429={"francecentral": 0.6})
    throttled = share(many(HEALTHY, "francecentral", troubles), cause="too_many_requests")
    assert throttled == pytest.approx(0.6, abs=0.04)
    assert share(many(HEALTHY, "westeurope", troubles), cause="too_many_requests") == 0.0


def test_a_stale_index_spoils_the_outcome_not_the_answers() -> None:
    seen = many(HEALTHY, troubles=Troubles(index_stopped_at=1.0))
    assert share(seen, good=True) > 0.99
    assert share(seen, outcome="rejected") == pytest.approx(0.22, abs=0.03)
