"""Rules about whose word a rollback needs beside the policy's: a freeze, customers, the law, doubt.

Asked by `shared.domain.decisions.rules` at the end. Each counts only where the service's policy
names it in `approve_when`, that of an error budget where its own policy says so; its failure lets a
person decide, never nobody.
"""

from shared.domain.decisions.case import Case
from shared.domain.decisions.decision import RuleResult
from shared.domain.diagnosis.diagnosis import Diagnosis, Ground
from shared.domain.freezes.frozen import ChangeKind, blocks
from shared.domain.slos.slo import BudgetAction


def no_freeze(case: Case) -> RuleResult:
    """No change freeze covers the service: not by a calendar, and not by a commander."""
    blocked = blocks(ChangeKind.ROLLBACK, case.frozen, case.now)
    return RuleResult(
        rule="no-freeze",
        passed=not blocked or not _asked_for(case, "freeze"),
        observed=case.frozen.cite(case.now) if case.frozen is not None else "no change freeze",
        required="no change freeze, or an emergency",
    )


def budget_lets(case: Case) -> RuleResult:
    """No error budget of the service is so far spent that its policy asks for a person."""
    name = case.service.name if case.service is not None else ""
    crossed = case.controls.crossed(BudgetAction.APPROVE, name)
    return RuleResult(
        rule="budget-lets",
        passed=not crossed,
        observed=crossed[0].sentence if crossed else "no error budget asks for a person",
        required="no error budget whose policy asks for a person",
    )


def no_customer_impact(case: Case) -> RuleResult:
    """Customers do not see it when the service changes."""
    impact = case.service is not None and case.service.customer_impact
    return RuleResult(
        rule="no-customer-impact",
        passed=not impact or not _asked_for(case, "customer-impact"),
        observed="customers see it" if impact else "none said",
        required="no customer impact",
    )


def no_compliance_tag(case: Case) -> RuleResult:
    """No law or standard asks who decided."""
    tags = case.service.compliance if case.service is not None else ()
    return RuleResult(
        rule="no-compliance-tag",
        passed=not tags or not _asked_for(case, "compliance-tag"),
        observed=f"the service falls under {', '.join(tags)}" if tags else "no tag",
        required="no compliance tag",
    )


def confidence_enough(case: Case) -> RuleResult:
    """The version is blamed by onset and by contrast, and every query had an answer."""
    missing = _missing(case.diagnosis)
    return RuleResult(
        rule="confidence-enough",
        passed=not missing or not _asked_for(case, "low-confidence"),
        observed=", ".join(missing) or "by onset and by contrast",
        required="a version that is blamed by onset and by contrast, and no query without answer",
        evidence="; ".join(case.diagnosis.unanswered) if case.diagnosis is not None else "",
    )


def _missing(diagnosis: Diagnosis | None) -> list[str]:
    """What one would want to know before one is sure."""
    if diagnosis is None:
        return ["no diagnosis"]
    missing = [f"not by {one.value}" for one in Ground if one not in diagnosis.attribution.grounds]
    unanswered = len(diagnosis.unanswered)
    return [*missing, f"{unanswered} queries without answer"] if unanswered else missing


def _asked_for(case: Case, reason: str) -> bool:
    return reason in case.policy.approve_when
