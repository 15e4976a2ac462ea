"""`decide`: from the gathered case to the decision, without I/O, clock or chance.

The shell gathers a `Case` and does what the `Decision` says. The rules, their order and what the
failure of each means are the docstring of `shared.domain.decisions.rules`; here the first failed
one wins. The same case gives the same decision and hash: observing, replaying and testing are one
code.
"""

import msgspec

from shared.domain.decisions.case import Case
from shared.domain.decisions.decision import Decision, Plan, RuleResult, Verdict
from shared.domain.decisions.rules import MODE_RULES, RULES, Rule
from shared.domain.keys import digest

__all__ = ["Case", "decide"]

_CHANGES = frozenset({Verdict.ROLL_BACK, Verdict.NEEDS_APPROVAL})


def decide(case: Case) -> Decision:
    """Judge the case by every rule.

    The decision carries a plan exactly where the rules would have traffic moved: now, after an
    approval, or if the service's mode let them (`would_be`). Never raises.
    """
    results = tuple(rule.ask(case) for rule in RULES)
    verdict = _verdict(results)
    would_be = _verdict(tuple(result for result in results if result.rule not in MODE_RULES))
    plan = _plan(case) if would_be in _CHANGES else None
    return Decision(
        incident=case.incident.id,
        verdict=verdict,
        would_be=would_be,
        mode=case.mode,
        reason=_reason(results, plan),
        rules=results,
        plan=plan,
        policy=case.policy.id if case.service is not None else "",
        policy_hash=case.service.policy_hash if case.service is not None else "",
        decided_at=case.now,
        hash=_hash(case, results, verdict),
    )


def _verdict(results: tuple[RuleResult, ...]) -> Verdict:
    failed = _first_failed(results)
    return failed[0].otherwise if failed is not None else Verdict.ROLL_BACK


def _first_failed(results: tuple[RuleResult, ...]) -> tuple[Rule, RuleResult] | None:
    by_name = {rule.name: rule for rule in RULES}
    failed = (result for result in results if not result.passed)
    return next(((by_name[result.rule], result) for result in failed), None)


def _plan(case: Case) -> Plan:
    assert case.snapshot is not None, "endpoint-readable has passed"
    fingerprint = case.snapshot.fingerprint
    target = case.snapshot.target
    return Plan(
        id=digest(case.incident.id, target, fingerprint, case.good)[:12],
        incident=case.incident.id,
        service=case.incident.service,
        target=target,
        bad=case.blamed,
        good=case.good,
        before=case.snapshot.traffic,
        after=case.desired,
        fingerprint=fingerprint,
    )


def _reason(results: tuple[RuleResult, ...], plan: Plan | None) -> str:
    failed = _first_failed(results)
    bad, good = (plan.bad, plan.good) if plan is not None else ("", "")
    if failed is None:
        return f"All {len(results)} rules passed: traffic goes back from {bad} to {good}."
    rule, result = failed
    said = {"observed": result.observed, "required": result.required, "bad": bad, "good": good}
    return rule.because.format_map(said)


def _hash(case: Case, results: tuple[RuleResult, ...], verdict: Verdict) -> str:
    """Digest what the decision rests on.

    Clock readings stay out (now, and when the endpoint was read), so that judging unchanged facts
    again gives the same hash; where time changes an answer, the answer is in it.
    """
    facts = (
        case.service.policy_hash if case.service is not None else "",
        case.catalog_mistakes,
        (case.incident.id, case.incident.service, case.incident.target),
        (case.incident.state, case.incident.automatic_rollbacks),
        case.diagnosis,
        case.snapshot and (case.snapshot.target, case.snapshot.fingerprint),
        case.snapshot and case.snapshot.deployments,
        (case.record.known_good, case.record.rollbacks),
        (case.live, case.good_release),
        (case.target_probe, case.live_probe),
        case.controls,
        [(result.rule, result.passed) for result in results],
        verdict,
    )
    return digest(msgspec.json.encode(facts, order="deterministic").decode())
