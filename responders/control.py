"""Control: the kill switch, which stops all automation of a service, or of all, at once.

Beside the flow: it is read when a decision is made and again before anything is moved. Whoever
turns it says why; the ledger keeps that, and who it was.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.domain.authority.caller import Caller
from shared.domain.decisions.control import EVERYTHING, KillSwitch, tell_turned
from shared.domain.row import MUST_NOT_EXIST, Put, Stored
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import Conflict, RejectedInput, Unavailable
from shared.protocol.commit import commit
from shared.protocol.records import CONTROLS, read_controls
from shared.services import Services

ATTEMPTS = 5
LONGEST_REASON = 1_000
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
    sent: KillSwitch | None = None
    for _ in range(ATTEMPTS):
        was = await services.state.read(CONTROLS, f"kill|{asked.scope}", KillSwitch)
        if was is None or was.value != sent:
            sent = services.redactor.struct(_switch(asked, request.actor, services.now()))
            try:
                await _turn(services, was, sent)
            except Conflict:
                continue
        return json_answer(_shown(sent, services.now()))  # or our own, whose answer was lost
    raise Conflict(f"the kill switch of {asked.scope} kept changing; try again")


def _check(services: Services, asked: KillSwitchRequest) -> None:
    known = [EVERYTHING, *sorted(_names(services))]
    if asked.scope not in known:
        named = ", ".join(known)
        raise RejectedInput("unknown-scope", f"no scope {asked.scope!r}; known: {named}")
    if not asked.reason.strip():
        raise RejectedInput("missing-field", "reason is needed: it is recorded")
    if len(asked.reason) > LONGEST_REASON:
        raise RejectedInput("too-long", f"reason may have {LONGEST_REASON} characters")
    if asked.minutes is not None and not 1 <= asked.minutes <= LONGEST_MINUTES:
        raise RejectedInput("wrong-minutes", f"minutes must lie between 1 and {LONGEST_MINUTES}")


def _names(services: Services) -> set[str]:
    """The services that may be stopped: a broken file keeps nobody from it, it will be mended."""
    catalog = services.catalog
    return {*catalog.services, *(one.service for one in catalog.mistakes if one.service)}


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


async def _turn(services: Services, was: Stored[KillSwitch] | None, switch: KillSwitch) -> None:
    etag = was.etag if was else MUST_NOT_EXIST
    put = Put(row=f"kill|{switch.scope}", value=switch, etag=etag)
    event = tell_turned(was.value if was else None, switch)
    await commit(services, CONTROLS, [put], events=[event])


def _shown(switch: KillSwitch, now: datetime) -> dict[str, Any]:
    return {**msgspec.to_builtins(switch), "active": switch.stops(switch.scope, now)}
