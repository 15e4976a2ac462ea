"""What is hurt, where and since when, however the traffic is split and however thin it is."""

from random import Random

import msgspec
import pytest

from shared.domain.diagnosis.breach import Breach, BreachKind
from shared.domain.diagnosis.detection import burn_breaches, find_breaches
from shared.domain.diagnosis.evidence import Evidence, read_evidence
from shared.domain.diagnosis.measurements import OnsetRow
from tests.shared.domain.diagnosis.telemetry_story import (
    OVERFLOWS,
    REGIONS,
    SERVICE,
    SLOW,
    START,
    Fate,
    Request,
    Split,
    answers_of,
    fails,
    seconds,
    serve,
)

ONLY_V1: list[tuple[float, Split]] = [(0, {"v1": 1})]
HALF: list[tuple[float, Split]] = [(0, {"v1": 1}), (100, {"v1": 0.5, "v2": 0.5})]


def evidence_of(requests: list[Request]) -> Evidence:
    return read_evidence(answers_of(requests))


def breaches(requests: list[Request]) -> tuple[Breach, ...]:
    return find_breaches(evidence_of(requests), SERVICE)


def only(requests: list[Request]) -> Breach:
    (breach,) = breaches(requests)
    return breach


def test_healthy_traffic_has_no_breach() -> None:
    assert breaches(serve(HALF, until=300)) == ()


def test_one_version_in_one_region() -> None:
    trouble = fails(OVERFLOWS, share=0.5, since=150, version="v2", region="swedencentral")

    breach = only(serve(HALF, until=260, trouble=trouble))

    assert breach.kind is BreachKind.AVAILABILITY
    assert (breach.versions, breach.fine_versions) == (("v2",), ("v1",))
    assert (breach.regions, breach.affected) == (("swedencentral",), "region=swedencentral")
    assert breach.fine_regions == breach.other_regions == REGIONS_BUT_SWEDEN
    assert breach.running


REGIONS_BUT_SWEDEN = tuple(sorted(set(REGIONS) - {"swedencentral"}))


def test_the_slices_requests_are_counted_since_the_onset() -> None:
    trouble = fails(OVERFLOWS, share=0.5, since=150, version="v2", region="swedencentral")
    requests = serve(HALF, until=260, trouble=trouble)

    breach = only(requests)

    since = [
        one
        for one in requests
        if one.at >= START + seconds(150)
        and (one.deployment, one.region) == ("v2", "swedencentral")
    ]
    assert breach.count.total == len(since)
    assert breach.count.bad == sum(not one.fate.ok for one in since)


def test_the_onsets_own_bin_is_counted_but_settles_nothing_once_there_is_more() -> None:
    trouble = fails(OVERFLOWS, share=1, since=157, region="swedencentral")

    fresh, older = (
        only(serve(ONLY_V1, until=until, trouble=trouble, per_second=40)) for until in (160, 180)
    )

    assert fresh.settled == fresh.count
    assert fresh.count.share < 0.5
    assert older.settled.share == 1.0
    assert older.count == older.settled + older.at_onset


def test_a_predecessor_that_has_left_is_not_fine_beside_it() -> None:
    # v1 served the first half of the bin in which v2 came and failed.
    splits: list[tuple[float, Split]] = [(0, {"v1": 1}), (155, {"v2": 1})]
    trouble = fails(OVERFLOWS, share=0.9, since=157)

    breach = only(serve(splits, until=190, trouble=trouble, per_second=40))

    assert (breach.versions, breach.fine_versions) == (("v2",), ())


def test_the_onset_is_the_first_failure_of_its_bin() -> None:
    trouble = fails(OVERFLOWS, share=1, since=153, region="westeurope")
    requests = serve(ONLY_V1, until=260, trouble=trouble)

    first = min(one.at for one in requests if not one.fate.ok and one.at >= START + seconds(150))
    assert only(requests).at == first


def test_a_breach_in_all_regions_names_none_as_its_slice() -> None:
    breach = only(
        serve(HALF, until=260, trouble=fails(OVERFLOWS, share=0.4, since=150, version="v2"))
    )

    assert (breach.regions, breach.affected) == ((), "")
    assert set(breach.hit) == set(REGIONS)


def test_two_regions_are_both_named() -> None:
    def trouble(deployment: str, region: str, at: float, rng: Random) -> Fate:
        hit = region in ("swedencentral", "westeurope")
        return fails(OVERFLOWS, share=0.5 if hit else 0, since=150)(deployment, region, at, rng)

    breach = only(serve(ONLY_V1, until=260, trouble=trouble))

    assert breach.regions == ("swedencentral", "westeurope")
    assert breach.affected == ""


def test_thin_slices_are_found_together() -> None:
    # Too few failures in any region to be sure; of the whole service they are plenty.
    trouble = fails(OVERFLOWS, share=0.3, since=150)

    breach = only(serve(ONLY_V1, until=280, trouble=trouble, per_second=0.3, seed=6))

    assert breach.versions == ("v1",)
    assert breach.regions == ()


def test_a_thin_region_that_fails_likewise_is_hit_as_well() -> None:
    # One region alone is sure; the others fail as often, of fewer requests.
    trouble = fails(OVERFLOWS, share=0.25, since=150)

    breach = only(serve(ONLY_V1, until=280, trouble=trouble, per_second=0.5))

    assert len(breach.hit) > 1
    assert not breach.fine_regions


def test_a_version_that_is_fine_in_a_thin_slice_is_not_among_the_hurt() -> None:
    # Four failures of v2 a region: only the whole deployment shows it, and v1 is spared.
    trouble = fails(OVERFLOWS, share=0.9, since=100, version="v2")
    splits: list[tuple[float, Split]] = [(0, {"v1": 1}), (100, {"v1": 0.93, "v2": 0.07})]

    breach = only(serve(splits, until=220, trouble=trouble, per_second=2, seed=4))

    assert (breach.versions, breach.fine_versions) == (("v2",), ("v1",))


def test_thin_versions_fail_together_beside_a_fine_one() -> None:
    rows = [
        OnsetRow(at=START + seconds(10 * n), deployment=name, region="westeurope", **counts)
        for n in range(5)
        for name, counts in {
            "v1": {"total": 30, "failed": 0},
            "v2": {"total": 4 * (n == 4), "failed": 4 * (n == 4)},
            "v3": {"total": 4 * (n == 4), "failed": 4 * (n == 4)},
        }.items()
        if counts["total"]
    ]

    (breach,) = find_breaches(Evidence(onset=tuple(rows)), SERVICE)

    assert (breach.versions, breach.fine_versions) == (("v2", "v3"), ("v1",))


def test_stray_errors_of_the_predecessor_do_not_make_a_canarys_breach_older() -> None:
    splits: list[tuple[float, Split]] = [(0, {"v1": 1}), (150, {"v1": 0.9, "v2": 0.1})]
    broken = fails(OVERFLOWS, share=0.5, since=170, version="v2", region="swedencentral")
    stray = fails(OVERFLOWS, share=0.03, version="v1")

    def trouble(deployment: str, region: str, at: float, rng: Random) -> Fate:
        return (broken if deployment == "v2" else stray)(deployment, region, at, rng)

    breach = only(serve(splits, until=300, trouble=trouble, per_second=30))

    assert (breach.versions, breach.fine_versions) == (("v2",), ("v1",))
    assert breach.at is not None
    assert breach.at >= START + seconds(170)


def test_slow_answers_are_a_breach_of_latency() -> None:
    breach = only(serve(HALF, until=260, trouble=fails(SLOW, share=0.9, since=150, version="v2")))

    assert breach.kind is BreachKind.LATENCY
    assert (breach.versions, breach.fine_versions) == (("v2",), ("v1",))
    assert breach.at == START + seconds(150)


def test_one_slow_bin_is_no_breach() -> None:
    trouble = fails(SLOW, share=1, since=150, until=160)

    assert breaches(serve(ONLY_V1, until=260, trouble=trouble)) == ()


def test_failures_come_before_slowness() -> None:
    failing = fails(OVERFLOWS, share=0.3, since=150, region="westeurope")
    slow = fails(SLOW, share=0.9, since=150, region="northeurope")

    def both(deployment: str, region: str, at: float, rng: Random) -> Fate:
        trouble = slow if region == "northeurope" else failing
        return trouble(deployment, region, at, rng)

    kinds = [one.kind for one in breaches(serve(ONLY_V1, until=260, trouble=both))]

    assert kinds == [BreachKind.AVAILABILITY, BreachKind.LATENCY]


def test_a_breach_that_ended_by_itself_is_told_but_does_not_run() -> None:
    trouble = fails(OVERFLOWS, share=0.6, since=150, until=200, region="westeurope")

    breach = only(serve(ONLY_V1, until=260, trouble=trouble))

    assert not breach.running
    assert breach.ended_at == START + seconds(200)


def test_a_version_that_no_longer_serves_hurts_nobody() -> None:
    splits: list[tuple[float, Split]] = [(0, {"v1": 1}), (100, {"v2": 1}), (180, {"v1": 1})]
    trouble = fails(OVERFLOWS, share=0.5, since=120, version="v2", region="swedencentral")

    breach = only(serve(splits, until=230, trouble=trouble))

    assert breach.versions == ("v2",)
    assert breach.ended_at == START + seconds(180)


def test_what_began_under_the_predecessor_keeps_its_onset() -> None:
    splits: list[tuple[float, Split]] = [(0, {"v1": 1}), (180, {"v2": 1})]
    trouble = fails(OVERFLOWS, share=0.5, since=100, region="swedencentral")

    breach = only(serve(splits, until=280, trouble=trouble))

    assert breach.versions == ("v2",)
    assert breach.at == START + seconds(100)


def test_only_the_burn_rates_show_what_is_older_than_the_bins() -> None:
    requests = serve(
        ONLY_V1, until=300, trouble=fails(OVERFLOWS, share=0.5, region="swedencentral")
    )
    evidence = msgspec.structs.replace(evidence_of(requests), onset=())

    (breach,) = burn_breaches(evidence, SERVICE)

    assert (breach.kind, breach.regions, breach.at) == (
        BreachKind.AVAILABILITY,
        ("swedencentral",),
        None,
    )


@pytest.mark.parametrize("share", [0.0, 0.02])
def test_burn_rates_below_the_policys_are_no_breach(share: float) -> None:
    evidence = evidence_of(serve(ONLY_V1, until=300, trouble=fails(OVERFLOWS, share=share)))

    assert burn_breaches(evidence, SERVICE) == ()
