"""Whether the changes of a service rest now, by which freeze, and what that blocks.

Asked where a release is registered, before a promotion, when a rollback is decided and again when
it is about to be written. A freeze blocks ordinary changes, and lets a rollback that is not an
emergency wait for a person; an emergency rollback it never blocks.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.domain.catalog import Catalog
from shared.domain.decisions.control import Controls
from shared.domain.freezes.freeze import EVERYWHERE, Freeze, FreezeWindow
from shared.domain.windows import occurring
from shared.domain.wording import moment


class ChangeKind(StrEnum):
    """What is to be done to a service, as far as a freeze cares."""

    ORDINARY = "ordinary change"
    PROMOTION = "promotion"
    ROLLBACK = "rollback"
    EMERGENCY_ROLLBACK = "emergency rollback"


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """The freeze that is in force. `until` is None where nobody knows; `by` set a toggle."""

    name: str
    scope: str
    reason: str
    zone: str
    until: datetime | None = None
    by: str = ""

    def cite(self, now: datetime) -> str:
        """The freeze as every refusal names it: until when, in the firm's zone and in UTC."""
        ends = moment(self.until, self.zone, now) if self.until else "its state is known again"
        covers = "all services" if self.scope == EVERYWHERE else self.scope
        return f"change freeze {self.name!r} for {covers} until {ends}: {self.reason}"


def frozen_now(catalog: Catalog, controls: Controls, service: str, now: datetime) -> Frozen | None:
    """The freeze that covers the service now, of several the one that ends last; None without.

    What cannot be read counts as frozen.
    """
    if not controls.known or not catalog.calendar.known:
        unread = "the firm's calendar" if controls.known else "the freezes that people set"
        why = f"{unread} cannot be read, so all counts as frozen"
        return Frozen(name="unknown", scope=EVERYWHERE, reason=why, zone=catalog.calendar.zone)
    own = catalog.services.get(service)
    windows = (*catalog.calendar.windows, *(own.freezes if own else ()))
    held = [one for one in controls.freezes if one.holds(service, now)]
    found = [*_open(windows, now), *(_set(one, catalog.calendar.zone) for one in held)]
    return max(found, key=lambda one: one.until or now, default=None)


def blocks(kind: ChangeKind, frozen: Frozen | None, now: datetime) -> str:
    """Why a change of this kind must not be made now without a person's word; "" where it may."""
    if frozen is None or kind is ChangeKind.EMERGENCY_ROLLBACK:
        return ""
    return f"No {kind} now: {frozen.cite(now)}"


def _open(windows: Iterable[FreezeWindow], now: datetime) -> Iterator[Frozen]:
    for one in windows:
        found = occurring((one.window,), now)
        if found is not None:
            yield Frozen(
                name=one.name,
                scope=one.scope,
                reason=found.reason,
                zone=one.zone,
                until=found.end,
            )


def _set(freeze: Freeze, zone: str) -> Frozen:
    return Frozen(
        name="set by a commander",
        scope=freeze.scope,
        reason=freeze.reason,
        zone=zone,
        until=freeze.expires_at,
        by=freeze.by,
    )
