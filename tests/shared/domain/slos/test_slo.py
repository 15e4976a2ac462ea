"""Which burn rates an objective can have, and the alerts that follow from that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.slos.slo import (
    BURN_ALERTS,
    LEAST_COUNTED,
    Indicator,
    Slo,
    reachable,
    usual_alerts,
)
from shared.domain.slos.slo import least_requests as least


def test_an_objective_over_30_days_has_the_alerts_of_the_sre_workbook() -> None:
    assert [(one.burn_rate, one.long_window) for one in usual_alerts(0.99)] == [
        (one.burn_rate, one.long_window) for one in BURN_ALERTS
    ]


@pytest.mark.parametrize(("objective", "rates"), [(0.93, [6, 1]), (0.8, [1]), (0.94, [14.4, 6, 1])])
def test_what_can_never_burn_so_fast_has_no_such_alert(
    objective: float, rates: list[float]
) -> None:
    assert [one.burn_rate for one in usual_alerts(objective)] == rates


@pytest.mark.parametrize(("days", "rates"), [(7, [3.36, 1.4, 1]), (90, [43.2, 18, 3])])
def test_each_alert_fires_at_the_same_share_of_the_budget(days: int, rates: list[float]) -> None:
    assert [one.burn_rate for one in usual_alerts(0.99, days)] == pytest.approx(rates)


@given(st.floats(0.5, 0.99999), st.integers(1, 90))
def test_no_usual_alert_is_fired_by_one_bad_request_or_beyond_reach(
    objective: float, days: int
) -> None:
    for one in usual_alerts(objective, days):
        assert one.minimum_requests >= LEAST_COUNTED
        assert 1 / one.minimum_requests / (1 - objective) < one.burn_rate
        assert reachable(one.burn_rate, objective)


def test_the_least_number_of_requests_is_the_least() -> None:
    assert [least(14.4, 0.99), least(14.4, 0.999), least(1.0, 0.99)] == [7, 70, 101]


def test_a_row_counts_when_it_was_written() -> None:
    assert Indicator(table="AppRequests", good="Success").moment == "TimeGenerated"


def test_a_label_counts_when_the_request_was_answered_that_it_judges() -> None:
    moment = Indicator(table="AppEvents", good="g", label_source="judge").moment
    assert moment == 'coalesce(todatetime(Properties["backstop.answered_at"]), TimeGenerated)'


def test_a_budget_is_what_the_objective_leaves() -> None:
    assert Slo(name="a", sli="availability", objective=0.999).budget == 0.001
