"""An objective's error budget as a page shows it: what is left, or that nobody could tell."""

import msgspec

from shared.domain.catalog import Service
from shared.domain.diagnosis.burns import parse_burns
from shared.domain.diagnosis.evidence import read_evidence
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.domain.incidents.objectives import budget_left
from shared.domain.slos.slo import Slo
from shared.domain.views.chart import Tone
from shared.domain.wording import share

_ANSWERED = (AnswerStatus.COMPLETE, AnswerStatus.EMPTY)
_LOW = 0.25


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of one objective's error budget. `left` is None where it is not known."""

    name: str
    objective: str
    left: float | None
    text: str
    tone: Tone


def budget_of(slo: Slo, service: Service, answer: QueryAnswer | None) -> Budget:
    """The budget by the answer of `burn_rates`; None stands for an answer that is not there."""
    left = _left(slo, service, answer)
    objective = f"{share(slo.objective)} {_promise(slo)}"
    if left is None:
        text, tone = "unknown", Tone.PLAIN
    elif left < 0:
        text, tone = "overspent", Tone.BAD
    else:
        text, tone = f"{share(left)} left", Tone.BAD if left < _LOW else Tone.GOOD
    return Budget(name=slo.name, objective=objective, left=left, text=text, tone=tone)


def _promise(slo: Slo) -> str:
    return f"within {slo.latency_ms:,.0f} ms" if slo.latency_ms else "answered"


def _left(slo: Slo, service: Service, answer: QueryAnswer | None) -> float | None:
    if answer is None or answer.status not in _ANSWERED:
        return None
    rows = read_evidence({"burn_rates": answer}).burn_rates
    return budget_left(parse_burns(rows, service.slos), slo)
