"""Figures: when a target is met, and what is said of it."""

import pytest

from infra.local.bench.figure import Figure, quantile
from infra.local.bench.stopwatch import Span, busy_s


@pytest.mark.parametrize(
    ("figure", "met", "target"),
    [
        (Figure(name="ratio", value=1.3, at_most=1.3), True, "at most 1.3"),
        (Figure(name="ratio", value=1.31, at_most=1.3), False, "at most 1.3"),
        (Figure(name="rate", value=0.7, at_least=0.7), True, "at least 0.7"),
        (Figure(name="rate", value=0.69, at_least=0.7), False, "at least 0.7"),
        (Figure(name="time", value=7), None, ""),
    ],
)
def test_a_figure_knows_whether_its_target_is_met(
    figure: Figure, met: bool | None, target: str
) -> None:
    assert figure.met is met
    assert figure.target == target


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 3), (0.95, 5), (1.0, 5)])
def test_a_quantile_is_one_of_the_values(share: float, value: float) -> None:
    assert quantile([5, 3, 1, 2, 4], share) == value


def test_busy_time_counts_overlapping_requests_once() -> None:
    spans = [_span(1, 3), _span(2, 4), _span(6, 7)]
    assert busy_s(spans, 0, 10) == pytest.approx(4)


def test_busy_time_counts_only_what_lies_inside() -> None:
    assert busy_s([_span(1, 3), _span(8, 12), _span(20, 30)], 2, 10) == pytest.approx(3)
    assert busy_s([], 2, 10) == 0


def _span(began: float, ended: float) -> Span:
    return Span(part="logs", method="POST", path="/", began=began, ended=ended)
