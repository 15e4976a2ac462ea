"""Rules about what must be known and true before a rollback makes sense at all.

Asked first by `shared.domain.decisions.rules`: is the service's file in order, is there a breach,
may automation run, what does the endpoint look like, and whose fault is it. Unknown never passes.
"""

from datetime import timedelta

from shared.domain.catalog import TargetKind
from shared.domain.decisions.case import Case
from shared.domain.decisions.decision import RuleResult
from shared.domain.diagnosis.diagnosis import Cause, Health

# Longer than an approval lives (15 min), shorter than it takes a world to change.
DIAGNOSIS_MAX_AGE = timedelta(minutes=20)


def service_file_in_order(case: Case) -> RuleResult:
    """The file that authority comes from was read without a mistake."""
    mistakes = case.catalog_mistakes
    observed = "in order" if case.service is not None else "no service owns the target"
    if mistakes:
        observed = f"{mistakes[0].field}: {mistakes[0].problem}, {len(mistakes)} in all"
    return RuleResult(
        rule="service-file-in-order",
        passed=case.service is not None and not mistakes,
        observed=observed,
        required="a service's file without mistakes",
        evidence="; ".join(f"{mistake.file}:{mistake.line}" for mistake in mistakes),
    )


def supported_target(case: Case) -> RuleResult:
    """The target is the service's own, and of a kind whose traffic can be split."""
    targets = case.service.targets if case.service is not None else ()
    found = next((t for t in targets if t.id.lower() == case.incident.target.lower()), None)
    splits = found is not None and (not found.capabilities or "split" in found.capabilities)
    return RuleResult(
        rule="supported-target",
        passed=found is not None and found.kind is TargetKind.ONLINE_ENDPOINT and splits,
        observed="not a target of the service" if found is None else found.kind.value,
        required="an online-endpoint of the service that can split its traffic",
        evidence=case.incident.target,
    )


def incident_open(case: Case) -> RuleResult:
    """Nobody has resolved the incident in the meantime."""
    return RuleResult(
        rule="incident-open",
        passed=case.incident.state.is_open(),
        observed=case.incident.state.value,
        required="an open incident",
        evidence=case.incident.id,
    )


def diagnosis_conclusive(case: Case) -> RuleResult:
    """The telemetry gave a verdict on this very incident."""
    diagnosis = case.diagnosis
    mine = diagnosis is not None and diagnosis.incident == case.incident.id
    return RuleResult(
        rule="diagnosis-conclusive",
        passed=diagnosis is not None and mine and diagnosis.health is not Health.INCONCLUSIVE,
        observed=diagnosis.health.value if diagnosis is not None and mine else "no diagnosis",
        required="breached or healthy",
        evidence="; ".join(diagnosis.unanswered) if diagnosis is not None else "",
    )


def diagnosis_fresh(case: Case) -> RuleResult:
    """The verdict is of now, not of a state that has passed."""
    made_at = case.diagnosis.made_at if case.diagnosis is not None else None
    age = case.now - made_at if made_at is not None else None
    return RuleResult(
        rule="diagnosis-fresh",
        passed=age is not None and age <= DIAGNOSIS_MAX_AGE,
        observed="no diagnosis" if age is None else f"{age.total_seconds():.0f} s old",
        required=f"at most {DIAGNOSIS_MAX_AGE.total_seconds():.0f} s old",
        evidence=made_at.isoformat() if made_at is not None else "",
    )


def still_breached(case: Case) -> RuleResult:
    """An objective is still missed: there is something to cure."""
    health = case.diagnosis.health if case.diagnosis is not None else Health.INCONCLUSIVE
    return RuleResult(
        rule="still-breached",
        passed=health is Health.BREACHED,
        observed=health.value,
        required=Health.BREACHED.value,
        evidence=case.diagnosis.sentence if case.diagnosis is not None else "",
    )


def controls_known(case: Case) -> RuleResult:
    """Kill switches could be read; unreadable ones count as on."""
    return RuleResult(
        rule="controls-known",
        passed=case.controls.known,
        observed="known" if case.controls.known else "could not be read",
        required="known",
    )


def kill_switch_off(case: Case) -> RuleResult:
    """No person has switched automation off for the service or for all."""
    switches = case.controls.kill_switches
    on = [s for s in switches if s.stops(case.incident.service, case.now)]
    observed = f"on for {on[0].scope}: {on[0].reason}" if on else "off"
    return RuleResult(
        rule="kill-switch-off",
        passed=case.controls.known and not on,
        observed=observed if case.controls.known else "unknown",
        required="off",
        evidence=f"set by {on[0].by} at {on[0].at.isoformat()}" if on else "",
    )


def endpoint_readable(case: Case) -> RuleResult:
    """The endpoint answered, and it is the incident's own."""
    read = case.snapshot.target.lower() if case.snapshot is not None else ""
    return RuleResult(
        rule="endpoint-readable",
        passed=read != "" and read == case.incident.target.lower(),
        observed=read or "could not be read",
        required=case.incident.target.lower(),
        evidence=case.snapshot.fingerprint if case.snapshot is not None else "",
    )


def endpoint_idle(case: Case) -> RuleResult:
    """Nobody else's change is under way: we never fight a pipeline."""
    snapshot = case.snapshot
    return RuleResult(
        rule="endpoint-idle",
        passed=snapshot is not None and snapshot.idle,
        observed=snapshot.state if snapshot is not None else "unknown",
        required="no operation in flight",
        evidence=f"last modified {snapshot.last_modified}" if snapshot is not None else "",
    )


def cause_is_version(case: Case) -> RuleResult:
    """The cause is one that moving traffic can cure."""
    attribution = case.diagnosis.attribution if case.diagnosis is not None else None
    return RuleResult(
        rule="cause-is-version",
        passed=attribution is not None and attribution.cause is Cause.VERSION,
        observed=attribution.named if attribution is not None else Cause.UNKNOWN.value,
        required="a version",
        evidence="; ".join(attribution.reasons) if attribution is not None else "",
    )


def blamed_version_serves(case: Case) -> RuleResult:
    """The version that is blamed has traffic to be taken away, and is not the known good."""
    traffic = case.snapshot.traffic if case.snapshot is not None else {}
    blamed = case.blamed.lower()
    share = sum(part for name, part in traffic.items() if name.lower() == blamed)
    return RuleResult(
        rule="blamed-version-serves",
        passed=share > 0 and blamed != case.good.lower(),
        observed=f"{case.blamed} has {share} %" if blamed else "no version is blamed",
        required="a version with traffic that is not the known good",
    )
