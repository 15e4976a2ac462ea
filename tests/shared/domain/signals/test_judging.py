"""Judging: by the budget of the objective, on enough requests, with the alert of that window."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.signals.judging import burn_of, judge, seconds_of, too_slow, yardstick
from shared.domain.signals.reading import Judged
from shared.domain.slos.slo import BURN_ALERTS, BurnAlert, Slo, usual_alerts

SLO = Slo(name="answered", sli="availability", objective=0.99)
WIDE = Slo(name="quick", sli="latency", objective=0.9)


@pytest.mark.parametrize(
    ("window", "seconds"), [("30s", 30), ("5m", 300), ("1h", 3600), ("3d", 259_200)]
)
def test_a_window_in_seconds(window: str, seconds: int) -> None:
    assert seconds_of(window) == seconds


@pytest.mark.parametrize("window", ["", "5", "m", "0m", "-5m", "5 m", "PT5M", "5m5m"])
def test_what_is_no_window(window: str) -> None:
    assert seconds_of(window) is None


@pytest.mark.parametrize(
    ("window_s", "short"), [(10, "5m"), (300, "5m"), (1799, "5m"), (1800, "30m"), (3600, "30m")]
)
def test_the_yardstick_looks_no_further_than_the_signal_if_any_does(
    window_s: int, short: str
) -> None:
    assert yardstick(SLO, window_s).short_window == short


@pytest.mark.parametrize("good", [9_890, 9_401])
def test_an_hour_that_burns_slowly_is_no_breach(good: int) -> None:
    assert judge(SLO, 3600, good, 10_000) is Judged.KEPT


def test_an_hour_is_held_against_the_alert_that_looks_at_half_of_it() -> None:
    assert judge(SLO, 3600, 9_400, 10_000) is Judged.BREACH


@pytest.mark.parametrize(("objective", "tells"), [(0.999, True), (0.9, True), (0.8, False)])
def test_what_no_alert_finds_within_an_hour_no_signal_tells(objective: float, tells: bool) -> None:
    slo = msgspec.structs.replace(SLO, objective=objective, alerts=usual_alerts(objective))
    assert (too_slow(slo) == "") is tells


def test_an_objective_with_slow_alerts_only_is_said_to_be_the_logs_affair() -> None:
    slow = msgspec.structs.replace(SLO, alerts=BURN_ALERTS[2:])
    assert "looks at an hour or less" in too_slow(slow)


@pytest.mark.parametrize(
    ("good", "total", "judged"),
    [
        (85, 100, Judged.BREACH),  # 15 times
        (86, 100, Judged.KEPT),
        (100, 100, Judged.KEPT),
        (42, 50, Judged.BREACH),
        (0, 49, Judged.TOO_FEW),
        (0, 0, Judged.TOO_FEW),
    ],
)
def test_counts_of_a_minute(good: int, total: int, judged: Judged) -> None:
    assert judge(SLO, 60, good, total) is judged


def test_a_budget_that_cannot_burn_so_fast_is_breached_where_all_fails() -> None:
    assert judge(WIDE, 60, 1, 100) is Judged.KEPT
    assert judge(WIDE, 60, 0, 100) is Judged.BREACH


def test_the_service_may_ask_for_more_or_fewer() -> None:
    alert = BurnAlert(burn_rate=2, short_window="1m", long_window="5m", minimum_requests=10)
    slo = Slo(name="a", sli="availability", objective=0.9, alerts=(alert,))
    assert judge(slo, 60, 7, 10) is Judged.BREACH
    assert judge(slo, 60, 9, 10) is Judged.KEPT
    assert judge(slo, 60, 0, 9) is Judged.TOO_FEW


@given(st.integers(50, 10_000).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))))
def test_one_bad_answer_more_never_ends_a_breach(counts: tuple[int, int]) -> None:
    good, total = counts
    if judge(SLO, 60, good, total) is Judged.BREACH:
        assert judge(SLO, 60, good - 1, total) is Judged.BREACH
    assert burn_of(SLO, good - 1, total) > burn_of(SLO, good, total)
