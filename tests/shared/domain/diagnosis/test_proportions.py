"""Evidence grows with the number of requests, and says nothing where there is nothing."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.diagnosis.proportions import (
    NOTHING,
    SURE,
    Count,
    evidence_above,
    evidence_below,
    is_absent,
    p_value,
    z_score,
)

counts = st.integers(0, 5000).flatmap(
    lambda total: st.builds(Count, total=st.just(total), bad=st.integers(0, total))
)


def test_nothing_has_no_share_and_is_no_evidence() -> None:
    assert NOTHING.share == 0
    assert evidence_above(NOTHING, 0.01) == 0
    assert evidence_below(NOTHING, 0.01) == 0
    assert z_score(NOTHING, Count(total=10, bad=5)) == 0


def test_evidence_is_the_logarithm_of_the_likelihood_ratio() -> None:
    # ten of ten bad where half are expected: (1 / 0.5) ** 10
    assert evidence_above(Count(total=10, bad=10), 0.5) == pytest.approx(6.931, abs=0.001)


def test_what_cannot_be_is_endless_evidence() -> None:
    assert evidence_below(Count(total=3, bad=2), 1.0) == inf


def test_the_same_share_of_more_requests_is_more_evidence() -> None:
    few, many = Count(total=20, bad=2), Count(total=400, bad=40)

    assert evidence_above(few, 0.04) < SURE < evidence_above(many, 0.04)


def test_z_agrees_with_a_worked_example() -> None:
    # 45 of 200 against 30 of 250: pooled 1/6, spread 0.03535
    z = z_score(Count(total=200, bad=45), Count(total=250, bad=30))

    assert z == pytest.approx(2.970, abs=0.001)
    assert p_value(z) == pytest.approx(0.00298, abs=0.00001)


@given(counts, counts)
def test_z_changes_its_sign_with_the_sides(one: Count, other: Count) -> None:
    assert z_score(one, other) == pytest.approx(-z_score(other, one))


@given(counts, st.floats(0.01, 0.99))
def test_evidence_points_in_one_direction_only(count: Count, rate: float) -> None:
    above, below = evidence_above(count, rate), evidence_below(count, rate)

    assert min(above, below) == 0
    assert max(above, below) >= 0


@pytest.mark.parametrize(
    ("share", "others", "absent"),
    [(1.0, 1, True), (1.0, 0, False), (0.5, 9, True), (0.5, 7, False), (0.01, 500, False)],
)
def test_a_part_is_absent_when_chance_cannot_explain_its_silence(
    share: float, others: int, absent: bool
) -> None:
    assert is_absent(share, others) is absent
