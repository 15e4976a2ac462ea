"""What error budgets have crossed, as it is stored."""

from shared.domain.incidents.incident import Severity
from shared.domain.slos.crossing import BudgetState, Crossed, LineKind
from shared.domain.slos.slo import BudgetAction
from tests.shared.domain.incidents.situations import NOW, SERVICE


def asking_for(action: BudgetAction, service: str = SERVICE.name) -> BudgetState:
    """One objective of the service, so far spent that its policy asks for this."""
    line = Crossed(
        name=f"{action}-at-0.9",
        kind=LineKind.SPENT,
        action=action,
        severity=Severity.SEV2,
        since=NOW,
        sentence="95 % of the error budget of answered (99 % over 30 days) is spent",
        done=True,
    )
    return BudgetState(service=service, slo="answered", crossed=(line,))
