"""The balance of error budgets: every status, and unknown wherever the logs do not answer."""

from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.domain.slos.balance import (
    Balance,
    Status,
    further_windows,
    read_balances,
)
from shared.domain.slos.folding import BUDGET
from shared.domain.slos.slo import WINDOWS, BurnAlert, Slo
from tests.shared.domain.slos.services import ANSWERED, JUDGED, service

type Counts = Mapping[str, tuple[int, ...]]

ALL = (*WINDOWS, BUDGET)


def balance(counts: Counts, slo: Slo = ANSWERED) -> Balance:
    """What is read where the logs tell (total, bad, could have been judged) of windows."""
    row: dict[str, object] = {"Service": "a", "Slo": slo.name}
    for window in ALL:
        values = (*counts.get(window, (0, 0, 0)), 0)
        row |= {f"{kind}{window}": value for kind, value in zip("TBA", values, strict=False)}
    answer = QueryAnswer(name="budgets", status=AnswerStatus.COMPLETE, rows=(row,))
    return read_balances([service("a", slo)], answer)["a", slo.name]


def everywhere(*counts: int) -> Counts:
    return dict.fromkeys(ALL, counts)


def test_what_is_left_is_counted_over_the_objectives_own_window() -> None:
    found = balance({BUDGET: (100_000, 250)})

    assert found.left == pytest.approx(0.75)
    assert found.spent == pytest.approx(0.25)
    assert (found.count.total, found.count.bad) == (100_000, 250)


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({BUDGET: (10_000, 0)}, Status.OK),
        ({BUDGET: (10_000, 99)}, Status.OK),
        ({BUDGET: (10_000, 100)}, Status.SPENT),
        ({BUDGET: (10_000, 500)}, Status.SPENT),
        ({}, Status.NO_DATA),
        ({BUDGET: (100_000, 99), "5m": (50, 8), "1h": (500, 80)}, Status.BURNING),
        ({BUDGET: (100_000, 99), "5m": (49, 8), "1h": (500, 80)}, Status.OK),
        ({BUDGET: (100_000, 99), "5m": (50, 7), "1h": (500, 80)}, Status.OK),
        ({BUDGET: (100_000, 99), "5m": (50, 8), "1h": (500, 20)}, Status.OK),
    ],
)
def test_the_status_is_the_first_that_applies(counts: Counts, status: Status) -> None:
    assert balance(counts).status is status


@pytest.mark.parametrize(
    ("labelled", "answered", "status"),
    [
        (200, 1000, Status.OK),
        (199, 1000, Status.INSUFFICIENT),
        (0, 1000, Status.INSUFFICIENT),
        (0, 0, Status.NO_DATA),
    ],
)
def test_too_few_judged_answers_are_insufficient(
    labelled: int, answered: int, status: Status
) -> None:
    found = balance(everywhere(labelled, 0, answered), JUDGED)

    assert found.status is status
    assert (found.left is None) == (status is not Status.OK)


def test_labels_that_are_late_leave_the_youngest_windows_without_a_rate() -> None:
    counts = {**everywhere(800, 8, 1000), "5m": (1, 1, 50)}
    found = balance(counts, JUDGED)

    assert found.windows["5m"].burn is None
    assert found.windows["1h"].burn == pytest.approx(0.1)


@pytest.mark.parametrize("status", [one for one in AnswerStatus if one != AnswerStatus.COMPLETE])
def test_without_a_complete_answer_all_is_unknown(status: AnswerStatus) -> None:
    row: dict[str, object] = {"Service": "a", "Slo": "answered", "TBudget": 100, "BBudget": 0}
    for answer in (None, QueryAnswer(name="budgets", status=status, rows=(row,))):
        (found,) = read_balances([service("a", ANSWERED)], answer).values()
        assert (found.status, found.left, found.windows) == (Status.UNKNOWN, None, {})


def test_an_objective_that_the_answer_does_not_name_is_unknown() -> None:
    answer = QueryAnswer(name="budgets", status=AnswerStatus.COMPLETE, rows=({"Service": "b"},))
    (found,) = read_balances([service("a", ANSWERED)], answer).values()

    assert found.status is Status.UNKNOWN


def test_only_windows_beyond_the_usual_are_asked_besides() -> None:
    wide = BurnAlert(burn_rate=3.0, short_window="2h", long_window="1d")
    slo = msgspec.structs.replace(ANSWERED, alerts=(*ANSWERED.alerts, wide))

    assert further_windows([service("a", slo), service("b", slo)]) == ("2h", "1d")


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_bad_requests_never_leave_more(total: int, bad: int, more: int) -> None:
    bad, worse = sorted((min(bad, total), min(bad + more, total)))
    before, after = balance({BUDGET: (total, bad)}), balance({BUDGET: (total, worse)})

    assert before.left is not None
    assert after.left is not None
    assert after.left <= before.left <= 1.0
