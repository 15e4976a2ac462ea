"""Freeze: a commander freezes the changes of a service, or of all, and lifts the freeze again.

Beside the flow, as the kill switch is: it is read when a release is registered, when a decision is
made and again before anything is moved. It never lasts without an end; the ledger keeps who set it
and why. What the calendars of the catalog freeze is shown beside it.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.domain.authority.caller import Caller
from shared.domain.catalog import Catalog
from shared.domain.decisions.control import Controls
from shared.domain.freezes.freeze import Freeze, FreezeWindow, tell_frozen
from shared.domain.freezes.frozen import frozen_now
from shared.domain.slos.slo import BudgetAction
from shared.domain.views.http import Answer, Request, json_answer
from shared.domain.windows import occurring
from shared.errors import RejectedInput, Unavailable
from shared.protocol.records import read_controls
from shared.protocol.setting import Setting, check_setting, store_setting
from shared.services import Services

FREEZE = Setting(name="freeze", prefix="freeze", kind=Freeze, tell=tell_frozen)
LONGEST_MINUTES = 30 * 24 * 60


class FreezeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be frozen. `scope` is a service or "*"; `minutes` are needed to set it."""

    scope: str
    on: bool
    reason: str
    minutes: int | None = None


async def show_freezes(services: Services, _request: Request) -> Answer:
    """What people froze, what the calendars freeze, and what is in force now for which service.

    Raises Unavailable.
    """
    controls, catalog, now = await read_controls(services), services.catalog, services.now()
    if not controls.known:
        raise Unavailable("tables", "the freezes cannot be read; all counts as frozen meanwhile")
    owned = [window for service in catalog.services.values() for window in service.freezes]
    windows = [*catalog.calendar.windows, *owned]
    return json_answer(
        {
            "freezes": [_shown(one, now) for one in controls.freezes],
            "windows": [_window(one, now) for one in windows],
            "calendar_known": catalog.calendar.known,
            "in_force": _in_force(catalog, controls, now),
            "promotions": _promotions(controls),
        }
    )


async def set_freeze(services: Services, request: Request) -> Answer:
    """Set or lift a freeze. Raises RejectedInput, Conflict, Unavailable."""
    asked = request.read(FreezeRequest)
    _check(services.catalog, asked)
    freeze = await store_setting(
        services, FREEZE, asked.scope, lambda: _freeze(asked, request.actor, services.now())
    )
    return json_answer(_shown(freeze, services.now()))


def _check(catalog: Catalog, asked: FreezeRequest) -> None:
    check_setting(catalog, asked.scope, asked.reason)
    if asked.on and (asked.minutes is None or not 1 <= asked.minutes <= LONGEST_MINUTES):
        allowed = f"minutes must lie between 1 and {LONGEST_MINUTES}: no freeze is for ever"
        raise RejectedInput("wrong-minutes", allowed)


def _freeze(asked: FreezeRequest, caller: Caller, now: datetime) -> Freeze:
    lasts = timedelta(minutes=(asked.minutes or 0) if asked.on else 0)
    return Freeze(
        scope=asked.scope,
        on=asked.on,
        by=caller.id,
        role=caller.role,
        reason=asked.reason.strip(),
        at=now,
        expires_at=now + lasts,
    )


def _shown(freeze: Freeze, now: datetime) -> dict[str, Any]:
    return {**msgspec.to_builtins(freeze), "active": freeze.holds(freeze.scope, now)}


def _window(one: FreezeWindow, now: datetime) -> dict[str, Any]:
    found = occurring((one.window,), now)
    return {
        "name": one.name,
        "scope": one.scope,
        "reason": one.window.reason,
        "time_zone": one.zone,
        "active": found is not None,
        "until": found.end if found else None,
    }


def _promotions(controls: Controls) -> list[dict[str, Any]]:
    """Whose promotions rest because an error budget is spent."""
    return [
        {"service": one.service, "slo": one.slo, "since": held.since, "sentence": held.sentence}
        for one in controls.budgets
        for held in one.holding(BudgetAction.FREEZE)
    ]


def _in_force(catalog: Catalog, controls: Controls, now: datetime) -> list[dict[str, Any]]:
    found = ((name, frozen_now(catalog, controls, name, now)) for name in catalog.services)
    return [
        {"service": name, "freeze": one.name, "until": one.until, "sentence": one.cite(now)}
        for name, one in found
        if one is not None
    ]
