"""Promotion: a move of traffic that somebody had declared, as the event that tells of it.

A pipeline moves its canary, and says nothing to Backstop but which release it is. The comparison
(`responders.watching.compare`) sees the move, and the release that explains it says whose it is and
why. What Backstop moved itself its intents tell of; what nothing explains is a finding.
"""

from shared.domain.authority.caller import AppRole
from shared.domain.decisions.release import Release
from shared.domain.event import ChangeEvent, EventKind, happened
from shared.domain.keys import digest
from shared.domain.lineage.explanation import GRACE
from shared.domain.lineage.sighting import Look, Sighting, live

NOBODY_SAID = "no release of the service is registered, so nothing says who did it"


def tell_promoted(before: Sighting, after: Sighting, look: Look) -> ChangeEvent | None:
    """The event of a split that is declared now and was not before; None where it is no news."""
    if after.declared == before.declared or _is_ours(before, after, look):
        return None
    release = _moved_by(before, after, look)
    said = {"target": after.target, "not_so_at": before.seen_at.isoformat()}
    return happened(
        EventKind.PROMOTED,
        f"promoted-{digest(after.target, look.now.isoformat())}",
        after.service,
        look.now,
        actor=release.who if release is not None else "backstop",
        role=(release.role or AppRole.DEPLOYER) if release is not None else "",
        what=f"moved traffic by release {release.version}" if release else "saw traffic moved",
        why=release.why if release is not None else NOBODY_SAID,
        before=dict(before.declared),
        after=dict(after.declared),
        evidence={**said, "release": release.version} if release is not None else said,
        configuration_digest=release.configuration_digest if release is not None else "",
    )


def _is_ours(before: Sighting, after: Sighting, look: Look) -> bool:
    """Whether an intent of Backstop's own wrote this very split since the last look."""
    since = before.seen_at - GRACE
    return any(at >= since and live(split) == after.declared for at, split in look.ours)


def _moved_by(before: Sighting, after: Sighting, look: Look) -> Release | None:
    """The release with a canary plan, else that of the deployment which gained the most."""
    newest = look.recent[0] if look.recent else None
    if newest is not None and newest.canary:
        return newest
    gains = {name: part - before.declared.get(name, 0) for name, part in after.declared.items()}
    known = [name for name in sorted(gains, key=gains.__getitem__) if name in look.newest]
    return look.newest[known[-1]] if known else newest
