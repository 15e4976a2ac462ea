"""The mix of business outcomes counts, in both directions; their volume never does."""

from collections.abc import Mapping

import pytest

from shared.domain.diagnosis.measurements import OutcomeRow
from shared.domain.diagnosis.outcomes import Swing, swings

USUAL = {"accepted": 860, "edited": 110, "rejected": 30}


def rows(now: Mapping[str, int], before: Mapping[str, int] = USUAL) -> list[OutcomeRow]:
    n1, n0 = sum(now.values()), sum(before.values())
    return [
        OutcomeRow(outcome=name, n1=n1, x1=now.get(name, 0), n0=n0, x0=before.get(name, 0))
        for name in before
    ]


def suspicious(now: Mapping[str, int], before: Mapping[str, int] = USUAL) -> list[Swing]:
    return [swing for swing in swings(rows(now, before)) if swing.suspicious]


def test_many_more_rejections_are_suspicious() -> None:
    found = suspicious({"accepted": 100, "edited": 40, "rejected": 60})

    assert {swing.outcome for swing in found} >= {"accepted", "rejected"}
    assert found[0].outcome == "accepted"
    assert found[0].points == pytest.approx(-0.36)


def test_accepting_nearly_everything_is_as_suspicious() -> None:
    before = {"accepted": 700, "edited": 200, "rejected": 100}

    found = suspicious({"accepted": 198, "edited": 1, "rejected": 1}, before)

    assert found[0].outcome == "accepted"
    assert found[0].points > 0.25


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ({"accepted": 2580, "edited": 335, "rejected": 85}, USUAL),
        ({"accepted": 17_150, "edited": 2240, "rejected": 610}, USUAL),
        ({"accepted": 47, "edited": 4, "rejected": 2}, USUAL),
        (
            {"accepted": 138, "edited": 40, "rejected": 22},
            {"accepted": 690, "edited": 205, "rejected": 105},
        ),
    ],
    ids=[
        "month-end: triple",
        "storm surge: twentyfold",
        "holiday: a trickle",
        "odd, but always so",
    ],
)
def test_volume_is_no_finding(now: Mapping[str, int], before: Mapping[str, int]) -> None:
    assert suspicious(now, before) == []


def test_too_few_outcomes_are_not_compared() -> None:
    found = swings(rows({"accepted": 5, "edited": 5, "rejected": 30}))

    assert not any(swing.enough or swing.suspicious for swing in found)


def test_a_service_without_history_is_not_compared() -> None:
    found = swings(
        rows(
            {"accepted": 10, "edited": 100, "rejected": 100},
            {"accepted": 90, "edited": 5, "rejected": 4},
        )
    )

    assert not any(swing.suspicious for swing in found)


def test_a_significant_but_tiny_move_is_no_finding() -> None:
    now = {"accepted": 83_000, "edited": 13_000, "rejected": 4_000}
    before = {"accepted": 860_000, "edited": 110_000, "rejected": 30_000}

    found = swings(rows(now, before))

    assert abs(found[0].z) > 10
    assert suspicious(now, before) == []


def test_a_large_move_of_few_is_no_finding() -> None:
    assert suspicious({"accepted": 39, "edited": 9, "rejected": 2}) == []


def test_the_sentence_tells_both_shares() -> None:
    (worst, *_) = swings(rows({"accepted": 100, "edited": 40, "rejected": 60}))

    assert worst.sentence.startswith('"accepted" went from 86 % to 50 % against the same weekday')
    assert "n=200" in worst.sentence
