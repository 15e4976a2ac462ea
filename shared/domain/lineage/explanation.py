"""Explanations: what makes a change somebody's declared will.

Each is asked of a difference that a look has found. A release explains what changes within `GRACE`
of its registration, before or after, and the first traffic that its deployment takes; its canary
plan explains its percentages whenever they come; an intent of Backstop's own explains the split
that it wrote. What Backstop has rolled back since its registration no release explains any more.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.domain.decisions.release import Release
from shared.domain.lineage.sighting import Look, Sighting, live

GRACE = timedelta(minutes=15)  # a managed deployment takes about ten minutes to update
SHIPPING = timedelta(hours=2)  # until it is deployed, tried and takes its first traffic
WHOLE = 100  # percent


def explains(release: Release | None, since: datetime) -> bool:
    """Whether a release is new enough for a change that was not there at `since`."""
    return release is not None and release.registered_at >= since - GRACE


def explains_split(before: Sighting, look: Look, since: datetime) -> bool:
    """Whether a live split that was not so at `since` is the will of a release or of Backstop."""
    now = live(look.snapshot.traffic)
    if any(at >= since - GRACE and live(split) == now for at, split in look.ours):
        return True
    newest = look.recent[0] if look.recent else None
    if newest is not None and newest.canary and not _is_rolled_back(newest, look):
        return _follows(newest, before.declared, now)
    gaining = [name for name, share in now.items() if share > before.declared.get(name, 0)]
    releases = [look.newest.get(name) for name in gaining]
    return bool(gaining) and all(
        release is not None and _brings(release, before, look, since) for release in releases
    )


def _brings(release: Release, before: Sighting, look: Look, since: datetime) -> bool:
    """Whether a release explains that its deployment takes more."""
    if _is_rolled_back(release, look):
        return False
    return explains(release, since) or _is_shipped(release, before, since)


def _is_shipped(release: Release, before: Sighting, since: datetime) -> bool:
    """Whether its deployment takes its first traffic since the release, in due time."""
    served_at = before.served.get(release.deployment.lower())
    is_first = served_at is None or served_at < release.registered_at
    return is_first and release.registered_at >= since - SHIPPING


def _is_rolled_back(release: Release, look: Look) -> bool:
    """Whether Backstop has taken its traffic away since: to bring it back is another decision."""
    name = release.deployment.lower()
    return any(at > release.registered_at and name not in live(split) for at, split in look.ours)


def _follows(release: Release, declared: Mapping[str, int], now: Mapping[str, int]) -> bool:
    """Whether the split is a step of the release's plan, and the rest stays where it was.

    Nothing is a step, too: the canary is withdrawn. Where it had everything the rest is new.
    """
    name = release.deployment.lower()
    is_step = now.get(name, 0) in {0, *release.canary, WHOLE}
    return is_step and set(now) - {name} <= set(declared)
