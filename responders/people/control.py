"""Control: the kill switch, which stops all automation of a service, or of all, at once.

Beside the flow: it is read when a decision is made and again before anything is moved. Whoever
turns it says why; the ledger keeps that, and who it was.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.domain.authority.caller import Caller
from shared.domain.decisions.control import KillSwitch, tell_turned
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import RejectedInput, Unavailable
from shared.protocol.records import read_controls
from shared.protocol.setting import Setting, check_setting, store_setting
from shared.services import Services

KILL_SWITCH = Setting(name="kill switch", prefix="kill", kind=KillSwitch, tell=tell_turned)
LONGEST_MINUTES = 7 * 24 * 60


class KillSwitchRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be turned. `scope` is a service or "*"; without `minutes` it never expires."""

    scope: str
    on: bool
    reason: str
    minutes: int | None = None


async def show_kill_switch(services: Services, _request: Request) -> Answer:
    """All kill switches, and whether each stops anything now. Raises Unavailable."""
    controls = await read_controls(services)
    if not controls.known:
        raise Unavailable("tables", "the kill switches cannot be read; nothing acts meanwhile")
    now = services.now()
    return json_answer({"kill_switches": [_shown(one, now) for one in controls.kill_switches]})


async def set_kill_switch(services: Services, request: Request) -> Answer:
    """Turn a kill switch on or off. Raises RejectedInput, Conflict, Unavailable."""
    asked = request.read(KillSwitchRequest)
    _check(services, asked)
    switch = await store_setting(
        services, KILL_SWITCH, asked.scope, lambda: _switch(asked, request.actor, services.now())
    )
    return json_answer(_shown(switch, services.now()))


def _check(services: Services, asked: KillSwitchRequest) -> None:
    check_setting(services.catalog, asked.scope, asked.reason)
    if asked.minutes is not None and not 1 <= asked.minutes <= LONGEST_MINUTES:
        raise RejectedInput("wrong-minutes", f"minutes must lie between 1 and {LONGEST_MINUTES}")


def _switch(asked: KillSwitchRequest, caller: Caller, now: datetime) -> KillSwitch:
    ends = asked.on and asked.minutes is not None
    return KillSwitch(
        scope=asked.scope,
        on=asked.on,
        by=caller.id,
        role=caller.role,
        reason=asked.reason.strip(),
        at=now,
        expires_at=now + timedelta(minutes=asked.minutes or 0) if ends else None,
    )


def _shown(switch: KillSwitch, now: datetime) -> dict[str, Any]:
    return {**msgspec.to_builtins(switch), "active": switch.stops(switch.scope, now)}
