"""The policy: every rule, in the order in which they are asked, and what its failure means.

All rules are asked always; the first that fails decides. Reading on: `premises`, `proof`,
`restraint`, `sources` and `consent` hold the rules, `decide` turns the answers into a decision.

 1. service-file-in-order: refuse
 2. supported-target: refuse
 3. incident-open: hold
 4. diagnosis-conclusive: inconclusive
 5. diagnosis-fresh: inconclusive
 6. still-breached: hold
 7. controls-known: refuse
 8. kill-switch-off: hold
 9. endpoint-readable: inconclusive
10. endpoint-idle: hold
11. known-good-exists: refuse
12. not-already-good: hold
13. cause-is-version: hold
14. blamed-version-serves: hold
15. known-good-deployed: refuse
16. known-good-healthy: refuse
17. target-probe-known: inconclusive
18. target-probe-passes: refuse
19. minimum-traffic: inconclusive
20. burn-rate-or-failed-probe: hold
21. nothing-keeps-quiet: hold
22. cooldown: hold
23. rate-limit: hold
24. one-automatic-rollback-an-incident: hold
25. no-ping-pong: hold
26. mode-lets-act: hold
27. unmoved-since-earned: needs_approval
28. capacity-enough: needs_approval
29. no-freeze: needs_approval
30. budget-lets: needs_approval
31. no-customer-impact: needs_approval
32. no-compliance-tag: needs_approval
33. second-source: needs_approval
34. confidence-enough: needs_approval
35. mode-automatic: needs_approval

Three things let a rule pass that failed, and are its evidence then. A person who asks for a
rollback answers the rules that look for a cause (`ANSWERED_BY_REQUEST`), never one that keeps the
endpoint safe. People who approve the very plan answer the rules that need an approval, and so do
the emergency criteria of the policy, but for a known good that is not what was proven and for
trouble of which only signals tell.
"""

from collections.abc import Callable

import msgspec

from shared.domain.decisions import consent, premises, proof, restraint, sources
from shared.domain.decisions.case import Case
from shared.domain.decisions.decision import RuleResult, Verdict


class Rule(msgspec.Struct, frozen=True):
    """One rule: how it is asked, what its failure means, and the sentence that says so.

    `because` may hold {observed} and {required} of the rule, and {bad} and {good} of the plan.
    """

    ask: Callable[[Case], RuleResult]
    otherwise: Verdict
    because: str

    @property
    def name(self) -> str:
        """The kebab-case name that records and cards carry."""
        return self.ask.__name__.replace("_", "-")


_REFUSE, _HOLD, _UNSURE = Verdict.REFUSE, Verdict.HOLD, Verdict.INCONCLUSIVE
_ASK = Verdict.NEEDS_APPROVAL
_APPROVE = "Going back from {bad} to {good} needs a person's approval: "

RULES: tuple[Rule, ...] = (
    Rule(premises.service_file_in_order, _REFUSE, "No policy can be relied on: {observed}."),
    Rule(premises.supported_target, _REFUSE, "The target cannot be rolled back: {observed}."),
    Rule(premises.incident_open, _HOLD, "The incident is {observed} already."),
    Rule(premises.diagnosis_conclusive, _UNSURE, "Whether anything is broken is not known."),
    Rule(premises.diagnosis_fresh, _UNSURE, "The diagnosis is too old to act on: {observed}."),
    Rule(premises.still_breached, _HOLD, "No objective is missed any more."),
    Rule(premises.controls_known, _REFUSE, "The kill switches could not be read."),
    Rule(premises.kill_switch_off, _HOLD, "The kill switch is {observed}."),
    Rule(premises.endpoint_readable, _UNSURE, "The endpoint's live state is not known."),
    Rule(premises.endpoint_idle, _HOLD, "Somebody else is changing the endpoint: {observed}."),
    Rule(proof.known_good_exists, _REFUSE, "No version has earned the trust to go back to."),
    Rule(proof.not_already_good, _HOLD, "All traffic is on the known good already: {observed}."),
    Rule(premises.cause_is_version, _HOLD, "Moving traffic cannot cure the cause: {observed}."),
    Rule(premises.blamed_version_serves, _HOLD, "There is no traffic to take away: {observed}."),
    Rule(proof.known_good_deployed, _REFUSE, "The known good is gone: {observed}."),
    Rule(proof.known_good_healthy, _REFUSE, "The known good cannot take traffic: {observed}."),
    Rule(
        proof.target_probe_known, _UNSURE, "Whether the known good works is not known: {observed}."
    ),
    Rule(proof.target_probe_passes, _REFUSE, "The known good fails, too: {observed}."),
    Rule(proof.minimum_traffic, _UNSURE, "Too little traffic to judge: {observed}."),
    Rule(proof.burn_rate_or_failed_probe, _HOLD, "Not bad enough to act on: {observed}."),
    Rule(restraint.nothing_keeps_quiet, _HOLD, "Held back by {observed}"),
    Rule(restraint.cooldown, _HOLD, "Too soon: {observed}, {required} are required."),
    Rule(restraint.rate_limit, _HOLD, "Too many rollbacks of this endpoint: {observed}."),
    Rule(
        restraint.one_automatic_rollback_an_incident,
        _HOLD,
        "This incident was rolled back before and is not cured: a person must look.",
    ),
    Rule(restraint.no_ping_pong, _HOLD, "The known good was itself rolled back: {observed}."),
    Rule(
        restraint.mode_lets_act,
        _HOLD,
        "Traffic would go back from {bad} to {good}, but the mode is {observed}.",
    ),
    Rule(restraint.unmoved_since_earned, _ASK, _APPROVE + "{observed}."),
    Rule(restraint.capacity_enough, _ASK, _APPROVE + "{observed}."),
    Rule(consent.no_freeze, _ASK, _APPROVE + "{observed}."),
    Rule(consent.budget_lets, _ASK, _APPROVE + "{observed}."),
    Rule(consent.no_customer_impact, _ASK, _APPROVE + "{observed}."),
    Rule(consent.no_compliance_tag, _ASK, _APPROVE + "{observed}."),
    Rule(sources.second_source, _ASK, _APPROVE + "{observed}."),
    Rule(consent.confidence_enough, _ASK, _APPROVE + "the blame is not sure, {observed}."),
    Rule(restraint.mode_automatic, _ASK, _APPROVE + "the mode is {observed}."),
)
BY_NAME = {rule.name: rule for rule in RULES}
QUIET_RULE = "nothing-keeps-quiet"
MODE_RULES = frozenset({"mode-lets-act", "mode-automatic"})
ANSWERED_BY_REQUEST = frozenset(
    {
        "diagnosis-conclusive",
        "diagnosis-fresh",
        "still-breached",
        "cause-is-version",
        "minimum-traffic",
        "burn-rate-or-failed-probe",
        "second-source",
        "confidence-enough",
        "nothing-keeps-quiet",
        "one-automatic-rollback-an-incident",
    }
)


def answered(case: Case, result: RuleResult) -> RuleResult:
    """The result; one that looks for a cause passes where a person asks for the rollback."""
    asked = case.request
    if result.passed or asked is None or result.rule not in ANSWERED_BY_REQUEST:
        return result
    said = f"asked for by {asked.by} as {asked.role} at {asked.at.isoformat()}: {asked.reason}"
    return msgspec.structs.replace(result, passed=True, evidence=said)
