"""Controls: kill switches and change freezes that people set, and what error budgets ask for.

Read at decide, and the switches and freezes again at act.
"""

from datetime import datetime

import msgspec

from shared.domain.coverage import covers, say_scope, telling
from shared.domain.event import ChangeEvent, EventKind, happened
from shared.domain.freezes.freeze import Freeze
from shared.domain.keys import digest
from shared.domain.slos.crossing import BudgetState, Crossed
from shared.domain.slos.slo import BudgetAction


class KillSwitch(msgspec.Struct, frozen=True, kw_only=True):
    """All automation off, for one service or ("*") for all, until it expires.

    `by` and `role` are who turned it, as events have them.
    """

    scope: str
    on: bool
    by: str
    role: str = ""
    reason: str
    at: datetime
    expires_at: datetime | None = None

    def stops(self, service: str, now: datetime) -> bool:
        """Whether automation for this service is off now."""
        covered = covers(self.scope, service)
        return self.on and covered and (self.expires_at is None or now < self.expires_at)


class Controls(msgspec.Struct, frozen=True, kw_only=True):
    """All controls that are known; `known` is False where they could not be read: fail closed."""

    kill_switches: tuple[KillSwitch, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    budgets: tuple[BudgetState, ...] = ()
    known: bool = True

    def crossed(self, action: BudgetAction, service: str) -> tuple[Crossed, ...]:
        """What this service's error budgets have crossed that asks for this."""
        mine = (one for one in self.budgets if one.service == service)
        return tuple(held for one in mine for held in one.holding(action))


def tell_turned(was: KillSwitch | None, switch: KillSwitch) -> ChangeEvent:
    """The event of a kill switch that is turned; `was` is None where it is turned first."""
    what = f"turned the kill switch of {say_scope(switch.scope)} {'on' if switch.on else 'off'}"
    name = f"kill-switch-{digest(switch.scope, switch.at.isoformat())}"
    told = telling(what, was, switch)
    return happened(EventKind.KILL_SWITCH_CHANGED, name, switch.scope, switch.at, **told)
