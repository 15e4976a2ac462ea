"""The oracles are numbers that real Kusto clusters printed, as published with their queries."""

import numpy as np
import pytest

from infra.local.logs import series


def test_outlier_scores_are_those_of_a_real_cluster() -> None:
    values = np.array([-3, 2.4, 15, 3.9, 5, 6, 4.5, 5.2, 3, 4, 5, 16, 7, 5, 5, 4])

    scores = series.outliers(values)

    printed = [-1.9040785483608571, -0.10021466044004519, 1.3361954725339347]
    assert scores[:3] == pytest.approx(printed)
    assert scores[11] == pytest.approx(1.6702443406674186)
    assert scores[3:11].tolist() + scores[12:].tolist() == [0.0] * 12


def test_line_fit_is_the_documentations_example() -> None:
    fit = series.fit_line(np.array([2, 5, 6, 8, 11, 15, 17, 18, 25, 26, 30, 30.0]))

    printed = [0.982, 2.730, 98.628, 1.686, -1.666]  # cut, not rounded
    assert fit[:5] == pytest.approx(printed, abs=1e-3)
    assert fit.line[0] == pytest.approx(1.064, abs=1e-3)


def test_a_single_point_is_a_flat_line() -> None:
    assert series.fit_line(np.array([4.0]))[:5] == (0.0, 0.0, 0.0, 0.0, 4.0)


def test_a_spike_is_flagged_and_its_neighbours_are_not() -> None:
    values = np.array([2.0, 3, 2, 3, 2, 3, 2, 30, 2, 3, 2, 3])

    found = series.anomalies(values, 2.5)

    assert found.flag.tolist() == [0] * 7 + [1] + [0] * 4


def test_a_drop_is_flagged_downwards() -> None:
    values = np.array([20.0, 21, 20, 21, 20, 21, 20, -40, 20, 21, 20, 21])

    assert series.anomalies(values, 2.5).flag[7] == -1


def test_a_constant_series_has_no_anomaly() -> None:
    found = series.anomalies(np.zeros(12))

    assert not found.flag.any()
    assert not found.score.any()


def test_a_named_season_is_part_of_the_baseline() -> None:
    values = np.array([1.0, 10.0] * 8)

    baseline, residual = series.decompose(values, seasonality=2)

    assert baseline.tolist() == values.tolist()
    assert not residual.any()


def test_a_trend_is_followed_when_asked() -> None:
    values = np.arange(10.0)

    _, residual = series.decompose(values, trend="linefit")

    assert residual == pytest.approx(np.zeros(10), abs=1e-9)


def test_test_points_do_not_move_the_baseline() -> None:
    values = np.array([1.0, 1, 1, 1, 101])

    baseline, _ = series.decompose(values, test_points=1)

    assert baseline.tolist() == [1.0] * 5


def test_a_search_for_the_season_is_refused() -> None:
    with pytest.raises(ValueError, match="name the period"):
        series.decompose(np.zeros(4), seasonality=-1)


def test_points_beyond_the_axis_are_dropped_and_gaps_filled() -> None:
    assert series.fill([(0, 1.0), (2, None), (3, 4.0), (9, 7.0)], 4, -1.0) == [1.0, -1.0, -1.0, 4.0]
