"""What probes say: whether a version surely passes, surely fails, or neither.

Asked by the rules of `proof` and `sources`, and by whoever looks for a cause with probes alone.
"""

from shared.domain.catalog import RollbackPolicy
from shared.domain.decisions.endpoint import ProbeReport

LEAST_SENT = 5
LEAST_FAILED = 2


def passes(probe: ProbeReport | None, policy: RollbackPolicy) -> bool:
    """Whether as many passed as the policy wants."""
    if probe is None or probe.sent <= 0:
        return False
    return probe.passed / probe.sent >= policy.probe_pass_share


def fails(probe: ProbeReport | None, policy: RollbackPolicy) -> bool:
    """Whether it surely fails: a few are asked, and one bad answer may be an accident."""
    if probe is None or probe.sent < LEAST_SENT:
        return False
    return probe.sent - probe.passed >= LEAST_FAILED and not passes(probe, policy)


def counted(probe: ProbeReport | None) -> str:
    """The counts in words."""
    return "unknown" if probe is None else f"{probe.passed} of {probe.sent} passed"
