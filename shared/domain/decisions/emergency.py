"""The emergency: when the owners' approval beforehand takes the place of a person's now.

The criteria stand in the policy of the service's file. `decide` asks here once; every rule whose
failure would let a person decide passes then, and says by what. A waiver is reviewed afterwards.
"""

from shared.domain.decisions.case import Case
from shared.domain.decisions.decision import RuleResult
from shared.domain.diagnosis.burns import worst_burn

UNPROVEN = ("release-unknown", "version-moved")


def waiver(case: Case) -> str:
    """What waives an approval, as the evidence of a rule says it; "" where nothing does.

    Only for Backstop's own rollback, which rests on a fresh diagnosis; what a person asks for, a
    second person decides.
    """
    criteria = case.policy.emergency
    if criteria is None or case.diagnosis is None or case.request is not None:
        return ""
    worst = worst_burn(case.diagnosis.burns, case.policy)
    severity = case.incident.severity
    if worst is None or worst.rate < criteria.burn_rate or severity > criteria.severity:
        return ""
    return f"waived: {severity} and burn {round(worst.rate, 1):g}x >= {criteria.burn_rate:g}x"


def may_be_waived(result: RuleResult) -> bool:
    """Whether an emergency answers this rule.

    Never that the known good is not what was proven, nor that nobody but a signal says so.
    """
    if result.rule == "second-source":
        return False
    return not any(name in result.observed for name in UNPROVEN)
