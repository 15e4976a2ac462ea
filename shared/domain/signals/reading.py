"""A reading: what a signal counted, and whether that is a breach of the objective.

Part of an alert that a signal became, and of the incident that it opened: by it everybody later
knows who counted, and how much.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

ALLOWED_OFF = 0.1  # of a window: by so much may two senders' clocks or timers differ


class Source(StrEnum):
    """Who counted, as they say themselves: it names the trouble and lowers no bar."""

    TELEMETRY_HELPER = "telemetry-helper"  # the service itself
    HEALTH_CHECK = "health-check"  # whoever asks it from outside


class Judged(StrEnum):
    """What the counts say of the objective."""

    BREACH = "breach"
    KEPT = "kept"
    TOO_FEW = "too-few"  # neither: nothing begins by it, and nothing ends


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """So many good of so many requests in a window of seconds that ended at `ended_at`.

    `about` is the objective's name, or what was checked; `region` is "" where all were counted.
    """

    about: str
    source: Source
    judged: Judged
    good: int
    total: int
    window_s: int
    ended_at: datetime
    region: str = ""

    @property
    def bad(self) -> int:
        """How many were not good."""
        return self.total - self.good

    @property
    def bad_share(self) -> float:
        """The share that was not good, 0 where nothing was counted."""
        return self.bad / self.total if self.total else 0.0

    def counts(self) -> dict[str, object]:
        """What the ledger keeps of it."""
        return {
            "about": self.about,
            "source": self.source.value,
            "good": self.good,
            "total": self.total,
            "window_s": self.window_s,
        }

    @property
    def began_at(self) -> datetime:
        """When the window began."""
        return self.ended_at - timedelta(seconds=self.window_s)

    @property
    def speaks_since(self) -> datetime:
        """From when on it speaks, where it shows no breach: another may have told of one since.

        A tenth of the window after its beginning, because clocks and timers of senders differ.
        """
        return self.began_at + timedelta(seconds=self.window_s * ALLOWED_OFF)
