"""Change freezes as people declare them: windows of reviewed files, and a toggle with an end.

A window comes from the firm's calendar or from a service's file. The toggle is a commander's, is
stored beside the kill switches and told in the ledger; it never lasts without an end.
"""

from datetime import datetime

import msgspec

from shared.domain.coverage import covers, say_scope, telling
from shared.domain.event import ChangeEvent, EventKind, happened
from shared.domain.keys import digest
from shared.domain.windows import Window


class FreezeWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A window in which changes rest, for one service or ("*") for all.

    `zone` is that of the file, in which its times are told.
    """

    name: str
    scope: str
    window: Window
    zone: str = "UTC"


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """The firm's calendar. Not `known` where its file cannot be read: all counts as frozen then."""

    windows: tuple[FreezeWindow, ...] = ()
    zone: str = "UTC"
    known: bool = True


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """Changes frozen by a person, for one service or ("*") for all, until it expires.

    `by` and `role` are who set it, as events have them.
    """

    scope: str
    on: bool
    by: str
    role: str = ""
    reason: str
    at: datetime
    expires_at: datetime

    def holds(self, service: str, now: datetime) -> bool:
        """Whether changes of this service rest now."""
        return self.on and covers(self.scope, service) and now < self.expires_at


def tell_frozen(was: Freeze | None, freeze: Freeze) -> ChangeEvent:
    """The event of a freeze that is set or lifted; `was` is None where it is set first."""
    done = "froze the changes of" if freeze.on else "lifted the change freeze of"
    name = f"freeze-{digest(freeze.scope, freeze.at.isoformat())}"
    told = telling(f"{done} {say_scope(freeze.scope)}", was, freeze)
    return happened(EventKind.FREEZE_CHANGED, name, freeze.scope, freeze.at, **told)
