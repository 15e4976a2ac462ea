"""Controls that people set: the kill switch and change freezes. Read at decide and again at act."""

from datetime import datetime

import msgspec


class KillSwitch(msgspec.Struct, frozen=True, kw_only=True):
    """All automation off, for one service or ("*") for all, until it expires."""

    scope: str
    on: bool
    by: str
    reason: str
    at: datetime
    expires_at: datetime | None = None

    def stops(self, service: str, now: datetime) -> bool:
        """Whether automation for this service is off now."""
        covers = self.scope in ("*", service)
        return self.on and covers and (self.expires_at is None or now < self.expires_at)


class Controls(msgspec.Struct, frozen=True, kw_only=True):
    """All controls that are known; `known` is False where they could not be read: fail closed."""

    kill_switches: tuple[KillSwitch, ...] = ()
    known: bool = True
