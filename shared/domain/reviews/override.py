"""Overrides: what a person did against what Backstop had decided, or without whom it asks for.

Told as an event of its own, and reviewed by another person, in the same transaction as the deed:
a waived approval, a rollback by one person alone that the rules spoke against, and a severity
that is made too mild to wake anybody.
"""

from shared.domain.approvals.approval import BACKSTOP
from shared.domain.catalog import RollbackPolicy, Service
from shared.domain.decisions.case import Case
from shared.domain.decisions.decision import Authority, Decision, Plan, Verdict
from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, Step, tell
from shared.domain.incidents.requests import RollbackRequest
from shared.domain.reviews.review import Opening, ReviewKind, Revised, open_review


def review_decision(incident: Incident, decision: Decision, case: Case) -> Revised:
    """What a decision to act tells and opens beside itself, once it is stored."""
    if decision.verdict is Verdict.ROLL_BACK and decision.waived:
        return open_review(incident, _waiver(decision, case), decision.decided_at)
    if decision.verdict is Verdict.ROLL_BACK and decision.overridden and case.request is not None:
        return _override(incident, decision, case, case.request)
    return Revised(step=Step(incident=incident))


def _waiver(decision: Decision, case: Case) -> Opening:
    return Opening(
        kind=ReviewKind.EMERGENCY_WAIVER,
        about=_plan(decision).id,
        why=f"Rolled back without approval, {decision.waived}.",
        by=BACKSTOP,
        days=case.policy.review_days,
        zone=_zone(case.service),
    )


def _override(
    incident: Incident, decision: Decision, case: Case, asked: RollbackRequest
) -> Revised:
    """A person's word against the rules; reviewed unless another person has approved it before."""
    told = _tell(incident, decision, asked)
    assert told.incident is not None, "it is told"
    if decision.authority is Authority.APPROVAL:
        return Revised(step=told)
    opening = Opening(
        kind=ReviewKind.MANUAL_OVERRIDE,
        about=_plan(decision).id,
        why=f"One person alone set aside {', '.join(decision.overridden)}: {asked.reason}",
        by=asked.by,
        role=asked.role,
        days=case.policy.review_days,
        zone=_zone(case.service),
    )
    opened = open_review(told.incident, opening, decision.decided_at)
    return Revised(step=told.then(opened.step), writes=opened.writes)


def _tell(incident: Incident, decision: Decision, asked: RollbackRequest) -> Step:
    plan = _plan(decision)
    return tell(
        incident,
        EventKind.OVERRIDDEN,
        actor=asked.by,
        role=asked.role,
        what=f"set aside what the rules said: {', '.join(decision.overridden)}",
        why=asked.reason,
        now=decision.decided_at,
        policy=decision.policy,
        policy_hash=decision.policy_hash,
        before={"failed_rules": list(decision.overridden)},
        after={"verdict": decision.verdict.value, "traffic": plan.after},
        evidence={
            "plan": plan.id,
            "plan_hash": plan.hash,
            "decision_hash": decision.hash,
            "authority": decision.authority.value,
        },
    )


def review_severity(was: Incident, step: Step, service: Service | None) -> Revised:
    """What a person's new severity opens: a review where nobody is woken for it any more.

    `step` is the change of the severity, by that person.
    """
    now = step.incident
    if now is None or not was.severity.pages() or now.severity.pages():
        return Revised(step=step)
    (changed,) = step.events
    opening = Opening(
        kind=ReviewKind.MANUAL_OVERRIDE,
        about=changed.id,
        why=f"Made a {now.severity} of a {was.severity}, which wakes nobody: {changed.why}",
        by=changed.actor,
        role=changed.role,
        days=service.policy.review_days if service else RollbackPolicy().review_days,
        zone=_zone(service),
    )
    opened = open_review(now, opening, changed.recorded_at)
    return Revised(step=step.then(opened.step), writes=opened.writes)


def _plan(decision: Decision) -> Plan:
    assert decision.plan is not None, "what is done has a plan"
    return decision.plan


def _zone(service: Service | None) -> str:
    return service.time_zone if service is not None else "UTC"
