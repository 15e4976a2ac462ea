"""The soak: what a deployment must show, in served traffic, before it is trusted.

The executor's soak watch gathers a `Soak`; `shared.domain.decisions.known_good.earn` asks the rules
here, all of them always. What could not be found out never speaks for the deployment.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from shared.domain.catalog import RollbackPolicy, Service
from shared.domain.decisions.decision import RuleResult
from shared.domain.decisions.endpoint import EndpointSnapshot, ProbeReport, refuse_traffic
from shared.domain.decisions.release import Release
from shared.domain.slos.slo import Sli, Slo

PROBES_PASSED = "probes-passed"


class SliCount(msgspec.Struct, frozen=True, kw_only=True):
    """Customers' requests over the soak by one indicator: how many, and how many were bad."""

    sli: str
    total: int
    bad: int


class Soak(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the deployment that serves: since when, how well, and how it looks now.

    `serving_since` is of the deployment; the version on it soaks from when it took its place there.
    `counts` is empty and `probe` None where it could not be found out; neither then speaks for it.
    """

    service: Service
    deployment: str
    serving_since: datetime
    snapshot: EndpointSnapshot
    counts: tuple[SliCount, ...] = ()
    probe: ProbeReport | None = None
    release: Release | None = None
    open_incident: str = ""
    now: datetime

    @property
    def seconds(self) -> int:
        """How long the version on the deployment has served."""
        since = soaks_since(self.serving_since, self.release)
        return int((self.now - since).total_seconds())


def soaks_since(serving_since: datetime, release: Release | None) -> datetime:
    """Since when what is served is this version: a deployment is updated in place, too.

    `release` is the newest that was registered for the deployment that serves.
    """
    return serving_since if release is None else max(serving_since, release.registered_at)


def counts_of(rows: Iterable[Mapping[str, object]], deployment: str) -> tuple[SliCount, ...]:
    """Read a deployment's rows of the query `soak`: Deployment, Sli, Total, Bad."""
    mine = [row for row in rows if str(row["Deployment"]).lower() == deployment.lower()]
    return tuple(
        SliCount(sli=str(row["Sli"]), total=int(str(row["Total"])), bad=int(str(row["Bad"])))
        for row in mine
    )


def soak_rules(soak: Soak) -> tuple[RuleResult, ...]:
    """Ask every rule of earning, in order; the first that fails is what is waited for."""
    policy = soak.service.policy
    return (
        _objectives_set(soak),
        _no_open_incident(soak),
        _still_serving(soak),
        _soaked(soak, policy),
        *(_enough_requests(soak, slo, policy) for slo in _by_requests(soak.service)),
        *(_objective_held(soak, slo) for slo in _by_requests(soak.service)),
        _deployed_and_succeeded(soak),
        _has_capacity(soak),
        _probes_passed(soak, policy),
    )


def short_capacity(snapshot: EndpointSnapshot, name: str, *, wanted: int) -> str:
    """Say how many instances the deployment lacks to take all traffic; "" where it lacks none.

    It needs as many as the largest deployment that serves now, and at least `wanted`. Deployments
    that scale by themselves do not say how many they have, and lack none.
    """
    found = snapshot.deployment(name)
    if found is None:
        return f"{name} is not deployed"
    serving = {key.lower() for key, share in snapshot.traffic.items() if share}
    loads = [d.instances or 0 for d in snapshot.deployments if d.name.lower() in serving]
    needed = max((wanted, *loads))
    if found.instances is None or found.instances >= needed:
        return ""
    return f"{name} has {found.instances} of {needed} instances"


def _objectives_set(soak: Soak) -> RuleResult:
    number = len(_by_requests(soak.service))
    return _rule("objectives-set", number > 0, f"{number}", "at least 1")


def _no_open_incident(soak: Soak) -> RuleResult:
    observed = soak.open_incident or "none"
    return _rule("no-open-incident", not soak.open_incident, observed, "none")


def _still_serving(soak: Soak) -> RuleResult:
    served = soak.snapshot.served() or "no single deployment"
    same = served.lower() == soak.deployment.lower()
    return _rule("still-serving", same, served, soak.deployment)


def _soaked(soak: Soak, policy: RollbackPolicy) -> RuleResult:
    enough = soak.seconds >= policy.soak_s
    return _rule("soaked", enough, f"{soak.seconds} s", f"{policy.soak_s} s")


def _enough_requests(soak: Soak, slo: Slo, policy: RollbackPolicy) -> RuleResult:
    total, _ = _count(soak, slo)
    wanted = policy.soak_minimum_requests
    return _rule(f"enough-requests-{slo.sli}", total >= wanted, f"{total}", f"at least {wanted}")


def _objective_held(soak: Soak, slo: Slo) -> RuleResult:
    total, bad = _count(soak, slo)
    share = (total - bad) / total if total else 0.0
    held = share >= slo.objective
    return _rule(f"objective-held-{slo.sli}", held, f"{share:.3%}", f"{slo.objective:.3%}")


def _probes_passed(soak: Soak, policy: RollbackPolicy) -> RuleResult:
    probe = soak.probe
    known = probe is not None and probe.sent > 0 and (probe.deployment or "") == soak.deployment
    share = probe.passed / probe.sent if probe is not None and known else 0.0
    unknown = probe.detail if probe is not None and not probe.sent else ""
    observed = f"{share:.0%} passed" if known else unknown or "not probed"
    passed = known and share >= policy.probe_pass_share
    return _rule(PROBES_PASSED, passed, observed, f"{policy.probe_pass_share:.0%}")


def _deployed_and_succeeded(soak: Soak) -> RuleResult:
    refusal = refuse_traffic(soak.snapshot, {soak.deployment: 100})
    return _rule("deployed-and-succeeded", refusal is None, refusal or "Succeeded", "Succeeded")


def _has_capacity(soak: Soak) -> RuleResult:
    short = short_capacity(soak.snapshot, soak.deployment, wanted=1)
    return _rule("capacity", not short, short or "enough", "enough for the present load")


def _by_requests(service: Service) -> list[Slo]:
    """The objectives that requests themselves tell of: labels come too late for a soak."""
    return [slo for slo in service.slos if slo.sli != Sli.QUALITY]


def _count(soak: Soak, slo: Slo) -> tuple[int, int]:
    """Total and bad over all rows of the indicator; (0, 0) without any."""
    mine = [count for count in soak.counts if count.sli == slo.sli]
    return sum(count.total for count in mine), sum(count.bad for count in mine)


def _rule(name: str, passed: bool, observed: str, required: str) -> RuleResult:
    return RuleResult(rule=name, passed=passed, observed=observed, required=required)
