"""Rules about the cure: the known good is there, healthy, and better than what customers get now.

Asked by `shared.domain.decisions.rules` after the premises. A probe counts only where it was pinned
to the known good, in the affected region, and answered by the known good by name.
"""

from shared.domain.catalog import RollbackPolicy
from shared.domain.decisions.case import Case
from shared.domain.decisions.decision import RuleResult
from shared.domain.decisions.endpoint import ProbeReport, refuse_traffic
from shared.domain.decisions.probes import counted, fails, passes
from shared.domain.decisions.sources import blamed_fails
from shared.domain.diagnosis.burns import WorstBurn, burns_too_fast, worst_burn
from shared.domain.diagnosis.diagnosis import Cause

OTHER_CAUSES = (Cause.DEPENDENCY, Cause.INDEX, Cause.REGION, Cause.UPSTREAM)


def known_good_exists(case: Case) -> RuleResult:
    """Some version has earned trust on this endpoint, or a person asks for a registered one."""
    good = case.record.known_good
    if case.is_hotfix:
        return _chosen_exists(case)
    return RuleResult(
        rule="known-good-exists",
        passed=good is not None,
        observed=good.deployment if good is not None else "none has earned it yet",
        required="a known good",
        evidence=f"earned at {good.earned_at.isoformat()}" if good is not None else "",
    )


def _chosen_exists(case: Case) -> RuleResult:
    chosen = case.chosen
    return RuleResult(
        rule="known-good-exists",
        passed=chosen is not None,
        observed=f"{chosen.version} on {chosen.deployment}" if chosen else "not registered",
        required="a registered release",
        evidence=f"registered by {chosen.who}" if chosen is not None else "",
    )


def not_already_good(case: Case) -> RuleResult:
    """Some of the traffic is not on the known good: there is something to move."""
    snapshot = case.snapshot
    already = snapshot is not None and snapshot.serves({case.good: 100})
    split = _split(snapshot.traffic) if snapshot is not None else "unknown"
    return RuleResult(
        rule="not-already-good",
        passed=snapshot is not None and not already,
        observed=f"{split}{_elsewhere(case)}" if already else split,
        required=f"traffic that is not on {case.good or 'a known good'}",
    )


def known_good_deployed(case: Case) -> RuleResult:
    """The known good is still behind the endpoint."""
    found = case.snapshot.deployment(case.good) if case.snapshot is not None else None
    return RuleResult(
        rule="known-good-deployed",
        passed=found is not None,
        observed=found.name if found is not None else f"{case.good or 'nothing'} is not deployed",
        required="deployed",
    )


def known_good_healthy(case: Case) -> RuleResult:
    """The known good can take traffic: provisioned, with instances, and the split is valid."""
    snapshot = case.snapshot
    refusal = "unknown" if snapshot is None else refuse_traffic(snapshot, case.desired)
    return RuleResult(
        rule="known-good-healthy",
        passed=refusal is None,
        observed=refusal or "Succeeded, with instances",
        required="Succeeded, with instances",
        evidence=_split(case.desired),
    )


def target_probe_known(case: Case) -> RuleResult:
    """The known good was really asked: enough probes, the right place, answers in its own name."""
    doubt = _doubt(case, case.target_probe)
    return RuleResult(
        rule="target-probe-known",
        passed=not doubt,
        observed=doubt or counted(case.target_probe),
        required=f"{case.policy.probes} probes of {case.good} in {case.region or 'any region'}",
        evidence=case.target_probe.detail if case.target_probe is not None else "",
    )


def target_probe_passes(case: Case) -> RuleResult:
    """The known good answers well what live traffic fails."""
    return RuleResult(
        rule="target-probe-passes",
        passed=passes(case.target_probe, case.policy),
        observed=counted(case.target_probe),
        required=f"at least {case.policy.probe_pass_share:.0%}",
        evidence=case.target_probe.detail if case.target_probe is not None else "",
    )


def minimum_traffic(case: Case) -> RuleResult:
    """Enough customers' requests were seen to call it a breach and not an accident."""
    requests = case.diagnosis.requests if case.diagnosis is not None else 0
    return RuleResult(
        rule="minimum-traffic",
        passed=requests >= case.policy.minimum_requests,
        observed=f"{requests} requests",
        required=f"at least {case.policy.minimum_requests} requests",
    )


def burn_rate_or_failed_probe(case: Case) -> RuleResult:
    """The budget burns in both windows, or live answers fail where the known good's pass."""
    policy = case.policy
    worst = worst_burn(case.diagnosis.burns if case.diagnosis is not None else (), policy)
    live_fails = fails(case.live_probe, policy) and passes(case.target_probe, policy)
    observed = _burn_text(worst, policy) if worst is not None else "no window with enough traffic"
    return RuleResult(
        rule="burn-rate-or-failed-probe",
        passed=burns_too_fast(worst, policy) or live_fails or blamed_fails(case),
        observed=f"{observed}; live probe {counted(case.live_probe)}",
        required=f"burn of {policy.burn_rate:g} in {policy.short_window} and {policy.long_window},"
        " or a failing live probe",
    )


def _doubt(case: Case, probe: ProbeReport | None) -> str:
    """Why this probe tells nothing about the known good; "" where it does."""
    if probe is None or not _known(probe, case.policy):
        return "not probed" if probe is None else _few(probe)
    if (probe.deployment or "").lower() != case.good.lower():
        return f"probed {probe.deployment or 'the split'} instead"
    if case.region and probe.region != case.region:
        return f"probed in {probe.region or 'no region'} instead"
    named = sum(n for name, n in probe.answered_by.items() if name.lower() == case.good.lower())
    others = sum(probe.answered_by.values()) - named
    if others or named < probe.passed:
        return f"{probe.passed} passed, but only {named} were answered by {case.good}"
    return ""


def _few(probe: ProbeReport) -> str:
    """Why so few were sent: none at all is for a reason that the file's owner can mend."""
    return probe.detail if not probe.sent and probe.detail else f"only {probe.sent} sent"


def _elsewhere(case: Case) -> str:
    """What is at fault instead of a version, where that is known: people look there next."""
    if case.diagnosis is None or case.diagnosis.attribution.cause not in OTHER_CAUSES:
        return ""
    return f"; the cause is {case.diagnosis.attribution.named}"


def _known(probe: ProbeReport | None, policy: RollbackPolicy) -> bool:
    return probe is not None and probe.sent >= max(1, policy.probes)


def _burn_text(worst: WorstBurn, policy: RollbackPolicy) -> str:
    windows = worst.burn.windows
    short, long = (windows[n][2] or 0.0 for n in (policy.short_window, policy.long_window))
    where = f" for {worst.where}" if worst.where else ""
    return f"{worst.burn.sli} burns {short:.1f} and {long:.1f}{where}"


def _split(traffic: dict[str, int]) -> str:
    return ", ".join(f"{name} {share} %" for name, share in sorted(traffic.items())) or "no traffic"
