"""The known good: how a version earns the trust to be gone back to, and how it loses it.

The executor's soak watch asks `earn` and `lost` on a timer; the rules of a decision ask `moved`.
Trust is earned by served traffic alone (`shared.domain.decisions.soak`), never by being the other
deployment.
"""

import msgspec

from shared.domain.decisions.decision import RuleResult
from shared.domain.decisions.endpoint import EndpointSnapshot, refuse_traffic
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.decisions.release import KnownGood, Release
from shared.domain.decisions.soak import PROBES_PASSED, Soak, soak_rules
from shared.domain.event import ChangeEvent, EventKind, happened
from shared.domain.keys import digest


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Not earned yet: the first thing that is missing, and every rule that was asked."""

    reason: str
    rules: tuple[RuleResult, ...]

    @property
    def unmet(self) -> tuple[str, ...]:
        """The names of the rules that it does not meet; probes only where nothing else is missing.

        Nobody asks a version that lacks something else: of its probes nothing is known then.
        """
        names = tuple(rule.rule for rule in self.rules if not rule.passed)
        return names if names == (PROBES_PASSED,) else tuple(n for n in names if n != PROBES_PASSED)

    @property
    def only_for_probes(self) -> bool:
        """Whether all else speaks for the deployment, so that it is worth asking it."""
        return self.unmet == (PROBES_PASSED,)


def earn(soak: Soak) -> KnownGood | Waiting:
    """Judge whether the deployment that serves has earned to be the known good."""
    rules = soak_rules(soak)
    missing = next((rule for rule in rules if not rule.passed), None)
    if missing is not None:
        reason = f"{missing.rule}: {missing.observed}, {missing.required} required"
        return Waiting(reason=reason, rules=rules)
    found = soak.snapshot.deployment(soak.deployment)
    release = soak.release
    return KnownGood(
        deployment=soak.deployment,
        version=release.version if release is not None else "",
        earned_at=soak.now,
        soaked_s=soak.seconds,
        requests=max((count.total for count in soak.counts), default=0),
        instances=found.instances if found is not None else None,
        prompt_revision=release.prompt_revision if release is not None else "",
        index_version=release.index_version if release is not None else "",
        flags_version=release.flags_version if release is not None else "",
        evidence=tuple(f"{rule.rule}: {rule.observed}" for rule in rules),
    )


def is_to_soak(good: KnownGood | None, deployment: str, release: Release | None) -> bool:
    """Whether what serves has yet to earn the name; `release` is the newest on that deployment."""
    if good is None or good.deployment != deployment:
        return True
    return release is not None and good.version != release.version


def tell_earned(service: str, good: KnownGood) -> ChangeEvent:
    """The event of a deployment that has earned to be the known good."""
    return happened(
        EventKind.KNOWN_GOOD_EARNED,
        f"known-good-earned-{digest(service, good.deployment, good.earned_at.isoformat())}",
        service,
        good.earned_at,
        actor="backstop",
        what=f"{good.deployment} earned the known good",
        why=f"served {good.requests} requests in {good.soaked_s} s within its objectives",
        after=msgspec.to_builtins(good),
    )


def lost(record: EndpointRecord, snapshot: EndpointSnapshot) -> str | None:
    """Say how the known good was lost: gone, failed or scaled to zero; None where it was not.

    A deployment that is being changed is not lost yet: its state will end in one or the other.
    """
    if record.known_good is None:
        return None
    found = snapshot.deployment(record.known_good.deployment)
    if found is not None and found.state.lower() not in {"succeeded", "failed", "canceled"}:
        return None
    return refuse_traffic(snapshot, {record.known_good.deployment: 100})


def moved(
    known_good: KnownGood, now_release: Release | None, *, live: Release | None = None
) -> tuple[str, ...]:
    """Name what differs from when the trust was earned: "version-moved", "index-moved", ...

    `now_release` is what is registered for the known good's deployment; without it nothing can be
    compared, which is "release-unknown". A prompt belongs to a deployment, but index and flags are
    shared by all: what the live release says of them counts as well.
    """
    if now_release is None:
        return ("release-unknown",)
    pairs = (
        ("version-moved", known_good.version, (now_release.version,)),
        ("prompt-moved", known_good.prompt_revision, (now_release.prompt_revision,)),
        ("index-moved", known_good.index_version, _shared("index_version", now_release, live)),
        ("flags-moved", known_good.flags_version, _shared("flags_version", now_release, live)),
    )
    return tuple(name for name, earned, now in pairs if any(value != earned for value in now))


def _shared(field: str, now_release: Release, live: Release | None) -> tuple[str, ...]:
    """The versions of something that deployments share; a live release may leave it unsaid."""
    own = str(getattr(now_release, field))
    said = str(getattr(live, field)) if live is not None else ""
    return (own, said) if said else (own,)
