"""`decide`: from the gathered case to the decision, without I/O, clock or chance.

The shell gathers a `Case` and does what the `Decision` says. The rules, their order and what the
failure of each means are the docstring of `shared.domain.decisions.rules`; here the first failed
one wins. The same case gives the same decision and hash: observing, replaying and testing are one
code.
"""

from collections.abc import Sequence

import msgspec

from shared.domain.approvals.approval import Approval
from shared.domain.decisions.case import Case
from shared.domain.decisions.decision import Authority, Decision, Plan, RuleResult, Verdict
from shared.domain.decisions.emergency import may_be_waived, waiver
from shared.domain.decisions.rules import BY_NAME, MODE_RULES, RULES, Rule, answered
from shared.domain.keys import digest

__all__ = ["Case", "decide"]

_CHANGES = frozenset({Verdict.ROLL_BACK, Verdict.NEEDS_APPROVAL})


def decide(case: Case) -> Decision:
    """Judge the case by every rule.

    The decision carries a plan exactly where the rules would have traffic moved: now, after an
    approval, or if the service's mode let them (`would_be`). Never raises.
    """
    found = tuple(rule.ask(case) for rule in RULES)
    asked = tuple(answered(case, result) for result in found)
    plan = _plan(case) if _would_be(asked) in _CHANGES else None
    consent = _consent(case, plan, asked)
    approved = tuple(_approved(consent, result) for result in asked)
    excuse = waiver(case) if plan is not None else ""
    results = tuple(_waived(excuse, result) for result in approved)
    verdict, would_be = _verdict(results), _would_be(results)
    waived = excuse if results != approved else ""
    authority = _authority(excuse, approved=approved != asked)
    return Decision(
        incident=case.incident.id,
        verdict=verdict,
        would_be=would_be,
        mode=case.mode,
        reason=_reason(results, plan, waived, approved=approved != asked),
        rules=results,
        plan=plan,
        authority=authority,
        waived=waived,
        overridden=tuple(one.rule for one in found if one not in asked),
        policy=case.policy.id if case.service is not None else "",
        policy_hash=case.service.policy_hash if case.service is not None else "",
        decided_at=case.now,
        hash=_hash(case, results, verdict),
    )


def _consent(case: Case, plan: Plan | None, asked: Sequence[RuleResult]) -> Approval | None:
    """The approval of this very plan, if people were asked about all that asks for them now.

    What came up since, such as a freeze, is a question that nobody has answered: all is asked anew.
    """
    given = case.approval
    if plan is None or given is None or not given.holds_for(plan, case.now):
        return None
    known = all(result.rule in given.request.rules for result in asked if _asks(result))
    return given if known else None


def _asks(result: RuleResult) -> bool:
    return not result.passed and BY_NAME[result.rule].otherwise is Verdict.NEEDS_APPROVAL


def _approved(given: Approval | None, result: RuleResult) -> RuleResult:
    """A rule that asks for a person, and people approved this very plan: it passes by that."""
    if given is None or not _asks(result):
        return result
    return msgspec.structs.replace(result, passed=True, evidence=given.sentence)


def _waived(excuse: str, result: RuleResult) -> RuleResult:
    """A rule that asks for a person, in an emergency that policy foresaw: it passes by that."""
    if not (excuse and _asks(result) and may_be_waived(result)):
        return result
    return msgspec.structs.replace(result, passed=True, evidence=excuse)


def _authority(excuse: str, *, approved: bool) -> Authority:
    """By whose word the traffic may move; an emergency is one before it has waived anything."""
    if approved:
        return Authority.APPROVAL
    return Authority.EMERGENCY if excuse else Authority.POLICY


def _would_be(results: tuple[RuleResult, ...]) -> Verdict:
    return _verdict(tuple(result for result in results if result.rule not in MODE_RULES))


def _verdict(results: tuple[RuleResult, ...]) -> Verdict:
    failed = _first_failed(results)
    return failed[0].otherwise if failed is not None else Verdict.ROLL_BACK


def _first_failed(results: tuple[RuleResult, ...]) -> tuple[Rule, RuleResult] | None:
    failed = (result for result in results if not result.passed)
    return next(((BY_NAME[result.rule], result) for result in failed), None)


def _plan(case: Case) -> Plan:
    """The plan of this attempt: what an earlier one came to, and who approved that, is past."""
    assert case.snapshot is not None, "endpoint-readable has passed"
    fingerprint, target = case.snapshot.fingerprint, case.snapshot.target
    attempt = str(case.incident.automatic_rollbacks)
    return Plan(
        id=digest(case.incident.id, target, fingerprint, case.good, attempt)[:12],
        incident=case.incident.id,
        service=case.incident.service,
        target=target,
        bad=case.blamed,
        good=case.good,
        before=case.snapshot.traffic,
        after=case.desired,
        fingerprint=fingerprint,
    )


def _reason(
    results: tuple[RuleResult, ...], plan: Plan | None, waived: str, *, approved: bool
) -> str:
    failed = _first_failed(results)
    bad, good = (plan.bad, plan.good) if plan is not None else ("", "")
    if failed is None:
        by = "Approved" if approved else f"All {len(results)} rules passed"
        by = f"Approval {waived}" if waived else by
        return f"{by}: traffic goes back from {bad} to {good}."
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
        (case.incident.state, case.incident.automatic_rollbacks, case.incident.signals_only),
        case.diagnosis,
        case.snapshot and (case.snapshot.target, case.snapshot.fingerprint),
        case.snapshot and case.snapshot.deployments,
        (case.record.known_good, case.record.rollbacks),
        (case.live, case.good_release, case.chosen),
        (case.request, case.approval),
        (case.target_probe, case.live_probe, case.blamed_probe),
        case.controls,
        [(result.rule, result.passed) for result in results],
        verdict,
    )
    return digest(msgspec.json.encode(facts, order="deterministic").decode())
