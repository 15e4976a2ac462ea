"""Error budgets on a page: what is left over the objective's window, or that nobody can tell."""

import pytest

from shared.domain.decisions.control import Controls
from shared.domain.slos.balance import Balance, Count, Status
from shared.domain.slos.slo import BudgetAction, Indicator, Slo
from shared.domain.views.budget import asked_by_budgets, budget_of
from shared.domain.views.chart import Tone
from tests.shared.domain.incidents.situations import SERVICE
from tests.shared.domain.slos.states import asking_for

SLO = SERVICE.slos[0]


def balance(left: float | None, status: Status = Status.OK) -> Balance:
    return Balance(service=SERVICE.name, slo=SLO, status=status, count=Count(total=9), left=left)


@pytest.mark.parametrize(
    ("found", "text", "tone"),
    [
        (balance(1.0), "100 % left", Tone.GOOD),
        (balance(0.5), "50 % left", Tone.GOOD),
        (balance(0.5, Status.BURNING), "50 % left, burning", Tone.BAD),
        (balance(0.2), "20 % left", Tone.BAD),
        (balance(0.0, Status.SPENT), "0 % left", Tone.BAD),
        (balance(-0.2, Status.SPENT), "overspent", Tone.BAD),
    ],
)
def test_a_page_says_what_is_left(found: Balance, text: str, tone: Tone) -> None:
    budget = budget_of(SLO, found)
    assert (budget.text, budget.tone) == (text, tone)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (None, "unknown"),
        (balance(None, Status.UNKNOWN), "unknown"),
        (balance(None, Status.NO_DATA), "no data"),
        (balance(None, Status.INSUFFICIENT), "too few judged"),
    ],
)
def test_a_budget_that_nobody_can_tell_is_never_full(found: Balance | None, text: str) -> None:
    budget = budget_of(SLO, found)
    assert (budget.left, budget.text, budget.tone) == (None, text, Tone.PLAIN)


def test_an_objective_is_said_as_it_is_promised() -> None:
    quick = Slo(name="quick", sli="latency", objective=0.95, latency_ms=2000.0)
    labels = Indicator(table="AppEvents", good="true", label_source="judge")
    judged = Slo(name="good", sli="quality", objective=0.9, window_days=7, indicator=labels)
    assert budget_of(SLO, None).objective == "99 % answered in 30 days"
    assert budget_of(quick, None).objective == "95 % within 2,000 ms in 30 days"
    assert budget_of(judged, None).objective == "90 % judged good in 7 days"


def test_a_page_says_what_spent_budgets_ask_for() -> None:
    asked = (BudgetAction.FREEZE, BudgetAction.APPROVE, BudgetAction.PAGE)
    controls = Controls(budgets=tuple(asking_for(action) for action in asked))
    spent = "95 % of the error budget of answered (99 % over 30 days) is spent."

    assert asked_by_budgets(SERVICE, controls) == (
        f"Promotions rest: {spent}",
        f"A person approves every rollback: {spent}",
    )
