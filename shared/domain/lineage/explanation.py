"""Explanations: what makes a change somebody's declared will.

Each is asked of a difference that a look has found. A release explains what changes within `GRACE`
of its registration, before or after; its canary plan explains its percentages whenever they come;
an intent of Backstop's own explains the split that it wrote.
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
    if look.recent and look.recent[0].canary:
        return _follows(look.recent[0], declared, now)
    gaining = [name for name, share in now.items() if share > declared.get(name, 0)]
    return bool(gaining) and all(explains(look.newest.get(name), since) for name in gaining)


def _follows(release: Release, declared: Mapping[str, int], now: Mapping[str, int]) -> bool:
    """Whether the split is a step of the release's plan, and the rest stays where it was.

    Nothing is a step, too, as long as the canary has not got everything: it is withdrawn.
    """
    name = release.deployment.lower()
    had, share = declared.get(name, 0), now.get(name, 0)
    steps = {*release.canary, WHOLE} | ({0} if had < WHOLE else set())
    return share in steps and set(now) - {name} <= set(declared)
