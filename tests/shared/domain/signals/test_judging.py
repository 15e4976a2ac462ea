"""Judging: by the budget of the objective, on enough requests, with the alert of that window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.signals.judging import burn_of, judge, seconds_of, yardstick
from shared.domain.signals.reading import Judged, Source
from shared.domain.slos.slo import BurnAlert, Slo

SLO = Slo(name="answered", sli="availability", objective=0.99)
WIDE = Slo(name="quick", sli="latency", objective=0.9)
HELPER, CHECK = Source.TELEMETRY_HELPER, Source.HEALTH_CHECK


@pytest.mark.parametrize(
    ("window", "seconds"), [("30s", 30), ("5m", 300), ("1h", 3600), ("3d", 259_200)]
)
def test_a_window_in_seconds(window: str, seconds: int) -> None:
    assert seconds_of(window) == seconds


@pytest.mark.parametrize("window", ["", "5", "m", "0m", "-5m", "5 m", "PT5M", "5m5m"])
def test_what_is_no_window(window: str) -> None:
    assert seconds_of(window) is None


@pytest.mark.parametrize(
    ("window_s", "short"), [(10, "5m"), (300, "5m"), (301, "30m"), (3600, "6h")]
)
def test_the_yardstick_is_the_alert_whose_short_window_holds_it(window_s: int, short: str) -> None:
    assert yardstick(SLO, window_s).short_window == short


def test_a_window_longer_than_all_is_held_against_the_longest() -> None:
    assert yardstick(SLO, 30_000).short_window == "6h"


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
    assert judge(SLO, HELPER, 60, good, total) is judged


def test_a_budget_that_cannot_burn_so_fast_is_breached_where_all_fails() -> None:
    assert judge(WIDE, HELPER, 60, 1, 100) is Judged.KEPT
    assert judge(WIDE, HELPER, 60, 0, 100) is Judged.BREACH


def test_known_questions_need_fewer_answers() -> None:
    assert judge(SLO, CHECK, 60, 15, 20) is Judged.BREACH
    assert judge(SLO, CHECK, 60, 15, 19) is Judged.TOO_FEW
    assert judge(SLO, HELPER, 60, 15, 20) is Judged.TOO_FEW


def test_the_service_may_ask_for_more_or_fewer() -> None:
    alert = BurnAlert(burn_rate=2, short_window="1m", long_window="5m", minimum_requests=10)
    slo = Slo(name="a", sli="availability", objective=0.9, alerts=(alert,))
    assert judge(slo, HELPER, 60, 7, 10) is Judged.BREACH
    assert judge(slo, HELPER, 60, 9, 10) is Judged.KEPT
    assert judge(slo, HELPER, 60, 0, 9) is Judged.TOO_FEW


@given(st.integers(50, 10_000).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))))
def test_one_bad_answer_more_never_ends_a_breach(counts: tuple[int, int]) -> None:
    good, total = counts
    if judge(SLO, HELPER, 60, good, total) is Judged.BREACH:
        assert judge(SLO, HELPER, 60, good - 1, total) is Judged.BREACH
    assert burn_of(SLO, good - 1, total) > burn_of(SLO, good, total)
