"""Error budgets on a page: what three days have left, and unknown where nobody could tell."""

import pytest

from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.domain.slos.slo import Slo
from shared.domain.views.budget import budget_of
from shared.domain.views.chart import Tone
from tests.shared.domain.incidents.situations import SERVICE

WINDOWS = ("5m", "30m", "1h", "6h", "3d")
SLO = SERVICE.slos[0]


def answered(total: int, bad: int) -> QueryAnswer:
    counts = {f"T{w}": total for w in WINDOWS} | {f"B{w}": bad for w in WINDOWS}
    row = {"Sli": "availability", "Dimension": "", "Value": "", **counts}
    return QueryAnswer(name="burn_rates", status=AnswerStatus.COMPLETE, rows=(row,))


@pytest.mark.parametrize(
    ("bad", "text", "tone"),
    [
        (0, "100 % left", Tone.GOOD),
        (500, "50 % left", Tone.GOOD),
        (800, "20 % left", Tone.BAD),
        (1200, "overspent", Tone.BAD),
    ],
)
def test_the_budget_is_what_three_days_have_left_of_thirty(bad: int, text: str, tone: Tone) -> None:
    budget = budget_of(SLO, SERVICE, answered(10_000, bad))
    assert (budget.text, budget.tone) == (text, tone)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        QueryAnswer(name="burn_rates", status=AnswerStatus.UNAVAILABLE),
        QueryAnswer(name="burn_rates", status=AnswerStatus.PARTIAL),
        QueryAnswer(name="burn_rates", status=AnswerStatus.EMPTY),
    ],
)
def test_a_budget_that_nobody_could_tell_is_unknown(answer: QueryAnswer | None) -> None:
    budget = budget_of(SLO, SERVICE, answer)
    assert (budget.left, budget.text, budget.tone) == (None, "unknown", Tone.PLAIN)


def test_an_objective_is_said_as_it_is_promised() -> None:
    quick = Slo(name="quick", sli="latency", objective=0.95, latency_ms=2000.0)
    assert budget_of(SLO, SERVICE, None).objective == "99 % answered"
    assert budget_of(quick, SERVICE, None).objective == "95 % within 2,000 ms"
