"""The moment it began is found in noise, in ramps and beside single errors, and so is an end."""

from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.diagnosis.measurements import OnsetRow
from shared.domain.diagnosis.onset import (
    Scope,
    arrivals,
    bin_width,
    count_of,
    failures,
    find_onset,
    refine,
    series_of,
    slowness,
)
from shared.domain.diagnosis.proportions import NOTHING, Count
from tests.shared.domain.diagnosis.telemetry_story import START, seconds

THRESHOLD = 0.04


def moment(number: int) -> datetime:
    return START + seconds(10 * number)


def series(*bad: int, total: int = 20) -> list[tuple[datetime, Count]]:
    return [(moment(n), Count(total=total, bad=count)) for n, count in enumerate(bad)]


def row(number: int, deployment: str = "v1", region: str = "westeurope", **rest: int) -> OnsetRow:
    counts = {"total": 20, "failed": 0, **rest}
    return OnsetRow(at=moment(number), deployment=deployment, region=region, **counts)


def test_the_onset_is_the_first_bin_that_fails_for_good() -> None:
    onset = find_onset(series(0, 0, 0, 9, 11, 10), THRESHOLD)

    assert onset is not None
    assert onset.at == moment(3)
    assert onset.ended_at is None
    assert onset.count == Count(total=60, bad=30)


def test_a_single_early_error_does_not_move_the_onset() -> None:
    onset = find_onset(series(0, 1, 0, 0, 9, 11, 10), THRESHOLD)

    assert onset is not None
    assert onset.at == moment(4)


def test_an_error_in_the_bin_right_before_does_not_move_the_onset() -> None:
    onset = find_onset(series(0, 0, 0, 1, 9, 11, 10), THRESHOLD)

    assert onset is not None
    assert onset.at == moment(4)


def test_a_quiet_bin_within_the_breach_does_not_end_it() -> None:
    onset = find_onset(series(0, 0, 8, 9, 0, 9, 8), THRESHOLD)

    assert onset is not None
    assert onset.at == moment(2)
    assert onset.ended_at is None


def test_a_few_good_requests_do_not_end_a_breach() -> None:
    onset = find_onset([*series(0, 0, 8, 9, 8), (moment(5), Count(total=3))], THRESHOLD)

    assert onset is not None
    assert onset.ended_at is None


def test_what_fails_from_the_first_bin_on_began_there() -> None:
    onset = find_onset(series(9, 8, 10), THRESHOLD)

    assert onset is not None
    assert onset.at == moment(0)


def test_a_breach_that_ended_has_an_end() -> None:
    onset = find_onset(series(0, 0, 10, 9, 11, 0, 0, 0, 0), THRESHOLD)

    assert onset is not None
    assert (onset.at, onset.ended_at) == (moment(2), moment(5))


def test_of_two_breaches_the_one_that_is_on_counts() -> None:
    # The first one was so much worse that the second is little beside it.
    onset = find_onset(series(0, *[20] * 5, *[0] * 15, 6), THRESHOLD)

    assert onset is not None
    assert (onset.at, onset.ended_at) == (moment(21), None)
    assert onset.count == Count(total=20, bad=6)


def test_of_two_breaches_that_ended_the_latest_counts() -> None:
    onset = find_onset(series(0, *[20] * 5, *[0] * 30, 15, 15, *[0] * 10), THRESHOLD)

    assert onset is not None
    assert (onset.at, onset.ended_at) == (moment(36), moment(38))


@pytest.mark.parametrize(
    "bad",
    [(), (0, 0, 0), (0, 1, 0, 1, 0, 0), (0, 0, 0, 4), (0,) * 40 + (2, 1, 0, 1, 0)],
    ids=["no bins", "no errors", "stray errors", "four errors", "a few late errors"],
)
def test_stray_errors_are_no_breach(bad: tuple[int, ...]) -> None:
    assert find_onset(series(*bad), THRESHOLD) is None


def test_thin_traffic_is_enough_when_nearly_all_of_it_fails() -> None:
    onset = find_onset(series(0, 0, 0, 2, 2, 2, total=2), THRESHOLD)

    assert onset is not None
    assert onset.at == moment(3)


@given(seed=st.integers(0, 10_000), began=st.integers(5, 30), share=st.floats(0.3, 0.9))
@settings(max_examples=60, deadline=None)
def test_the_onset_is_found_to_a_bin_in_random_traffic(seed: int, began: int, share: float) -> None:
    rng = Random(seed)  # noqa: S311 - seeded, the example can be repeated
    bad = [
        sum(rng.random() < (share if n >= began else 0.002) for _ in range(20))
        for n in range(began + 12)
    ]

    # Chance may hide the first bins.
    shown = next(n for n, count in enumerate(bad) if n >= began and count >= 5)

    onset = find_onset(series(*bad), THRESHOLD)

    assert onset is not None
    assert moment(began) - seconds(10) <= onset.at <= moment(shown) + seconds(10)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_healthy_traffic_never_has_an_onset(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - seeded, the example can be repeated
    bad = [sum(rng.random() < 0.003 for _ in range(20)) for _ in range(200)]

    assert find_onset(series(*bad), THRESHOLD) is None


def test_a_series_folds_the_scopes_rows_by_bin() -> None:
    rows = [
        row(1, region="northeurope", failed=2),
        row(0, failed=1),
        row(0, deployment="v2", failed=7),
        row(1, failed=3),
    ]

    folded = series_of(rows, [Scope(deployment="v1")], failures)

    assert folded == [(moment(0), Count(total=20, bad=1)), (moment(1), Count(total=40, bad=5))]


def test_a_count_takes_the_bins_from_since_up_to_until() -> None:
    rows = [row(n, failed=n) for n in range(5)]

    count = count_of(rows, Scope(), since=moment(1), until=moment(3))

    assert count == Count(total=40, bad=3)


def test_slow_bins_count_once_and_thin_ones_not_at_all() -> None:
    slow = slowness(2000.0)

    def with_p95(p95_ms: float | None, total: int = 20) -> Count:
        return slow(
            OnsetRow(at=START, deployment="v1", region="", total=total, failed=0, p95_ms=p95_ms)
        )

    assert with_p95(2100.0) == Count(total=1, bad=1)
    assert with_p95(2000.0) == Count(total=1, bad=0)
    assert with_p95(9000.0, total=4) == NOTHING
    assert with_p95(None) == NOTHING


def test_a_version_arrives_when_it_takes_traffic_that_others_had() -> None:
    rows = [row(n) for n in range(6)] + [row(n, "v2") for n in range(6, 9)]

    found = arrivals(rows)

    assert found["v2"].at == moment(6)
    assert found["v1"].at is None


def test_a_version_that_serves_from_the_first_bins_on_has_not_arrived() -> None:
    # One request in twenty: that it is not in the first bin says nothing.
    rows = [row(n, total=19) for n in range(9)] + [row(n, "v2", total=1) for n in range(1, 9)]

    assert arrivals(rows)["v2"].at is None


def test_a_canary_arrives_when_its_absence_before_is_no_chance() -> None:
    rows = [row(n) for n in range(60)] + [row(n, "v2", total=2) for n in range(40, 60)]

    assert arrivals(rows)["v2"].at == moment(40)


def test_a_version_that_comes_back_arrives_again() -> None:
    rows = [row(n, "v2" if n in {3, 4, 20, 21, 22} else "v1") for n in range(23)]

    assert arrivals(rows)["v2"].at == moment(20)


def test_the_gaps_of_a_thin_canary_are_no_arrivals() -> None:
    rng = Random(3)  # noqa: S311 - seeded, the example can be repeated
    served = [n for n in range(60, 600) if rng.random() < 0.3]
    rows = [row(n, total=10) for n in range(600)] + [row(n, "v2", total=1) for n in served]

    assert arrivals(rows)["v2"].at == moment(served[0])


def test_the_width_of_the_bins_is_their_smallest_step() -> None:
    assert bin_width([row(0), row(4), row(6)]) == seconds(20)
    assert bin_width([row(3)]) == timedelta(minutes=1)


def test_a_bin_is_refined_by_the_first_exact_moment_inside_it() -> None:
    exact = [None, START - seconds(1), START + seconds(7), START + seconds(4), START + seconds(10)]

    assert refine(START, seconds(10), exact) == START + seconds(4)
    assert refine(START, seconds(3), exact) == START
