"""The rule about who says so: a signal alone never moves traffic.

Asked by `shared.domain.decisions.rules`. A signal is what a service counts itself, or somebody who
asks it; whoever can send one must not be able to move traffic by it. The logs are another source,
and so are the executor's own probes, pinned to the version that is blamed.
"""

from shared.domain.decisions.case import Case
from shared.domain.decisions.decision import RuleResult
from shared.domain.decisions.endpoint import ProbeReport
from shared.domain.decisions.probes import counted, fails, passes
from shared.domain.diagnosis.burns import burns_too_fast, worst_burn


def second_source(case: Case) -> RuleResult:
    """Where only signals tell of the trouble, the logs or our own probes say so, too."""
    alone = case.incident.signals_only
    agreeing = _agreeing(case)
    probed = f"{case.blamed or 'the blamed version'} {counted(case.blamed_probe)} when probed"
    return RuleResult(
        rule="second-source",
        passed=not alone or bool(agreeing),
        observed=" and ".join(agreeing) or f"only signals tell of it, {probed}",
        required="the logs or pinned probes of the blamed version, where only signals tell of it",
        evidence=case.blamed_probe.detail if case.blamed_probe is not None else "",
    )


def blamed_fails(case: Case) -> bool:
    """Whether the blamed version, asked by name, fails what the known good passes."""
    policy = case.policy
    asked = _is_about(case.blamed_probe, case)
    return asked and fails(case.blamed_probe, policy) and passes(case.target_probe, policy)


def _is_about(probe: ProbeReport | None, case: Case) -> bool:
    """Whether the blamed version and no other was probed, and no other one answered."""
    if probe is None or (probe.deployment or "").lower() != case.blamed.lower():
        return False
    return bool(case.blamed) and {name.lower() for name in probe.answered_by} <= {
        case.blamed.lower()
    }


def _agreeing(case: Case) -> list[str]:
    """What says so beside the alerts of the incident."""
    if not case.incident.signals_only:
        return ["not by signals alone"]
    burns = case.diagnosis.burns if case.diagnosis is not None else ()
    logs = burns_too_fast(worst_burn(burns, case.policy), case.policy)
    probed = f"{case.blamed} {counted(case.blamed_probe)} when probed"
    return [*(["the logs"] if logs else []), *([probed] if blamed_fails(case) else [])]
