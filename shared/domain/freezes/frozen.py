"""Whether the changes of a service rest now, by which freeze, and what that blocks.

Asked where a release is registered, which is a pipeline's gate before a promotion, when a rollback
is decided and again when it is about to be written. A freeze blocks promotions, and lets a rollback
that is not an emergency wait for a person; an emergency rollback it never blocks.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from shared.domain.catalog import Catalog
from shared.domain.coverage import EVERYTHING, covers, say_scope
from shared.domain.decisions.control import Controls
from shared.domain.freezes.freeze import Freeze, FreezeWindow
from shared.domain.slos.slo import BudgetAction
from shared.domain.windows import occurring
from shared.domain.wording import moment

FOR_EVER = datetime.max.replace(tzinfo=UTC)


class ChangeKind(StrEnum):
    """What is to be done to a service, as far as a freeze cares."""

    PROMOTION = "promotion"
    ROLLBACK = "rollback"
    EMERGENCY_ROLLBACK = "emergency rollback"


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """The freeze that is in force. `until` is None where nobody knows; `by` set a toggle.

    `since` is when it began, None where nobody knows.
    """

    name: str
    scope: str
    reason: str
    zone: str
    since: datetime | None = None
    until: datetime | None = None
    by: str = ""
    ends: str = "its state is known again"  # when, where no time is known

    def cite(self, now: datetime) -> str:
        """The freeze as every refusal names it: until when, in the firm's zone and in UTC."""
        ends = moment(self.until, self.zone, now) if self.until else self.ends
        covered = say_scope(self.scope)
        return f"change freeze {self.name!r} for {covered} until {ends}: {self.reason}"


def frozen_now(catalog: Catalog, controls: Controls, service: str, now: datetime) -> Frozen | None:
    """The freeze that covers the service now, of several the one that ends last; None without.

    What cannot be read counts as frozen.
    """
    every = frozen_all(catalog, controls, now)
    covering = [one for one in every if covers(one.scope, service)]
    return max(covering, key=lambda one: one.until or FOR_EVER, default=None)


def promotions_frozen(
    catalog: Catalog, controls: Controls, service: str, now: datetime
) -> Frozen | None:
    """The freeze that covers promotions of the service now: any, or that of a spent budget."""
    return frozen_now(catalog, controls, service, now) or _by_budget(catalog, controls, service)


def _by_budget(catalog: Catalog, controls: Controls, service: str) -> Frozen | None:
    """A spent error budget freezes promotions and nothing else: a rollback is its cure."""
    spent = controls.crossed(BudgetAction.FREEZE, service)
    if not spent:
        return None
    return Frozen(
        name="error budget",
        scope=service,
        reason=spent[0].sentence,
        zone=catalog.calendar.zone,
        since=spent[0].since,
        ends="enough of the budget is back",
    )


def frozen_all(catalog: Catalog, controls: Controls, now: datetime) -> list[Frozen]:
    """Every freeze that is in force, of whatever service."""
    zone = catalog.calendar.zone
    owned = (window for service in catalog.services.values() for window in service.freezes)
    set_now = (one for one in controls.freezes if one.holds(one.scope, now))
    return [
        *_unread(catalog, controls),
        *_open((*catalog.calendar.windows, *owned), now),
        *(_set(one, zone) for one in set_now),
    ]


def _unread(catalog: Catalog, controls: Controls) -> Iterator[Frozen]:
    """What cannot be read, each as a freeze of everything without an end."""
    read = {"firm's calendar": catalog.calendar.known, "freezes that people set": controls.known}
    for name in (name for name, known in read.items() if not known):
        why = f"the {name} cannot be read, so all counts as frozen"
        yield Frozen(name="unknown", scope=EVERYTHING, reason=why, zone=catalog.calendar.zone)


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
                since=found.start,
                until=found.end,
            )


def _set(freeze: Freeze, zone: str) -> Frozen:
    return Frozen(
        name="set by a commander",
        scope=freeze.scope,
        reason=freeze.reason,
        zone=zone,
        since=freeze.at,
        until=freeze.expires_at,
        by=freeze.by,
    )
