"""The error-budget policy of a service's file: what follows from a budget that is spent.

Part of reading one service (`shared.adapters.catalog_service`). It holds for each
of its objectives.
"""

from shared.adapters.catalog_fields import Section
from shared.domain.slos.slo import USUAL_BUDGET_POLICY, BudgetAction, BudgetStep


def read_budget_policy(spec: Section) -> tuple[BudgetStep, ...]:
    """Read the steps, least spent first; a file that names none freezes at a spent budget."""
    if not spec.has("error_budget"):
        return USUAL_BUDGET_POLICY
    steps = []
    for section in spec.sections("error_budget"):
        spent = section.number("spent", 0, 1)
        steps.append(BudgetStep(spent=spent, action=section.choice("action", BudgetAction)))
        section.close()
    if BudgetAction.FREEZE not in {step.action for step in steps}:
        allowed = "{spent: 1, action: freeze}"
        spec.advise("error_budget", "promotions go on when the budget is spent", allowed)
    return tuple(sorted(steps, key=lambda step: step.spent))
