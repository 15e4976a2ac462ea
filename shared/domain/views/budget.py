"""An objective's error budget as a page shows it: what is left, or that nobody could tell.

And what its policy asks for, as long as so much of it is spent.
"""

import msgspec

from shared.domain.catalog import Service
from shared.domain.decisions.control import Controls
from shared.domain.slos.balance import Balance, Status
from shared.domain.slos.slo import BudgetAction, Sli, Slo
from shared.domain.views.chart import Tone
from shared.domain.wording import plain, share

_LOW = 0.25
_WITHOUT = {
    Status.UNKNOWN: "unknown",
    Status.NO_DATA: "no data",
    Status.INSUFFICIENT: "too few judged",
}


_ASKS = {
    BudgetAction.FREEZE: "Promotions rest",
    BudgetAction.APPROVE: "A person approves every rollback",
}


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of one objective's error budget. `left` is None where it is not known."""

    name: str
    objective: str
    left: float | None
    text: str
    tone: Tone


def budget_of(slo: Slo, balance: Balance | None) -> Budget:
    """The budget as it stands; None stands for an objective of which nothing was asked."""
    found = balance or Balance(service="", slo=slo, status=Status.UNKNOWN)
    return Budget(
        name=slo.name,
        objective=f"{share(slo.objective)} {_promise(slo)} in {slo.window_days} days",
        left=found.left,
        text=_text(found),
        tone=_tone(found),
    )


def asked_by_budgets(service: Service, controls: Controls) -> tuple[str, ...]:
    """What holds because of spent budgets, each as a sentence."""
    return tuple(
        f"{asks}: {plain(held.sentence)}."
        for action, asks in _ASKS.items()
        for held in controls.crossed(action, service.name)
    )


def _promise(slo: Slo) -> str:
    if slo.sli == Sli.QUALITY:
        return "judged good"
    return f"within {slo.latency_ms:,.0f} ms" if slo.latency_ms else "answered"


def _text(found: Balance) -> str:
    if found.left is None:
        return _WITHOUT.get(found.status, "unknown")
    if found.left < 0:
        return "overspent"
    burning = ", burning" if found.status is Status.BURNING else ""
    return f"{share(found.left)} left{burning}"


def _tone(found: Balance) -> Tone:
    if found.left is None:
        return Tone.PLAIN
    low = found.left < _LOW or found.status is Status.BURNING
    return Tone.BAD if low else Tone.GOOD
