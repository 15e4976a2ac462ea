"""Explanations: what makes a change somebody's declared will.

Each is asked of a difference that a look has found. A release explains what changes within `GRACE`
of its registration, before or after; its canary plan explains its percentages whenever they come;
an intent of Backstop's own explains the split that it wrote. What Backstop has rolled back since its
registration is explained by no release any more.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.domain.decisions.release import Release
from shared.domain.lineage.sighting import Look, live

GRACE = timedelta(minutes=15)  # a managed deployment takes about ten minutes to update
WHOLE = 100  # percent


def explains(release: Release | None, since: datetime) -> bool:
    """Whether a release is new enough for a change that was not there at `since`."""
    return release is not None and release.registered_at >= since - GRACE


def explains_split(look: Look, declared: Mapping[str, int], since: datetime) -> bool:
    """Whether a live split other than `declared` is the will of a release or of Backstop."""
    now = live(look.snapshot.traffic)
    if any(at >= since - GRACE and live(split) == now for at, split in look.ours):
        return True
    newest = look.recent[0] if look.recent else None
    if newest is not None and newest.canary and not _is_rolled_back(newest, look):
        return _follows(newest, declared, now)
    gaining = [name for name, share in now.items() if share > declared.get(name, 0)]
    return bool(gaining) and all(_brings(look.newest.get(name), look, since) for name in gaining)


def _brings(release: Release | None, look: Look, since: datetime) -> bool:
    """Whether a release explains that its deployment takes more."""
    return explains(release, since) and release is not None and not _is_rolled_back(release, look)


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
