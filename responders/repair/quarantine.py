"""Quarantine: what could not be taken is listed, and takes its road again or is discarded.

Beside the flow. A body of the webhook goes through the same reading and the same intake as any
alert; a message goes to its topic; a dead letter is taken out of its queue and published. What
cannot be taken now either stays where it is, and the answer says why.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from shared.domain.alerts.alert import Alert, parse_alert
from shared.domain.alerts.quarantine import InputKind, KeptState, Quarantined, put_right, throw_away
from shared.domain.authority.caller import Caller
from shared.domain.row import Stored
from shared.domain.signals.signal import ROUTE as SIGNALS
from shared.domain.signals.signal import alert_of, owner_of, read_signal
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import Conflict, RejectedInput
from shared.protocol.alarm.keeper import take_in
from shared.protocol.intake import SIGNAL, WEBHOOK
from shared.protocol.kept import (
    list_kept,
    mark_discarded,
    mark_resubmitted,
    read_body,
    read_kept,
)
from shared.services import Services

ATTEMPTS = 5
LONGEST_SAID = 1_000


class Resubmission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it will be taken now."""

    why: str = ""


class Discarding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why nothing is to be done with it."""

    why: str


class _Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. `copy` is the body that is still to be sent to its topic."""

    became: str
    delivery: str = ""
    copy: bytes | None = None


async def show_quarantine(services: Services, request: Request) -> Answer:
    """What could not be taken, newest first; `state=kept` leaves out what does not wait."""
    wanted = request.query.get("state", "")
    if wanted not in ("", KeptState.KEPT):
        raise RejectedInput("wrong-state", f"state may be {KeptState.KEPT}, or be left out")
    found, following = await list_kept(
        services,
        waiting=bool(wanted),
        after=request.query.get("after", ""),
        limit=request.limit(),
    )
    return json_answer({"inputs": [_shown(one) for one in found], "next": following})


async def resubmit(services: Services, request: Request) -> Answer:
    """Let the input that the path names take its road again.

    What was resubmitted or discarded already is answered as it is. Raises RejectedInput where it
    still cannot be taken, NotFound, Conflict, Unavailable: it stays in quarantine then.
    """
    said, caller = request.read(Resubmission), request.actor
    _refuse_long(said.why)
    return await _end(lambda: _resubmit(services, request.path["id"], said.why, caller))


async def discard(services: Services, request: Request) -> Answer:
    """Say that nothing is to be done with the input that the path names.

    A dead letter is removed from its queue; the row stays. Answers and raises as `resubmit`.
    """
    said, caller = request.read(Discarding), request.actor
    if not said.why.strip():
        raise RejectedInput("missing-field", "why is needed: a discard is recorded")
    _refuse_long(said.why)
    return await _end(lambda: _discard(services, request.path["id"], said.why, caller))


def _refuse_long(why: str) -> None:
    if len(why) > LONGEST_SAID:
        raise RejectedInput("too-long", f"why may have {LONGEST_SAID} characters")


async def _end(attempt: Callable[[], Awaitable[Quarantined]]) -> Answer:
    for _ in range(ATTEMPTS):
        try:
            kept = await attempt()
        except Conflict:
            continue
        return json_answer(_shown(kept))
    raise Conflict("somebody else is at it at this moment")


async def _discard(services: Services, key: str, why: str, caller: Caller) -> Quarantined:
    was = await read_kept(services, key)
    if was.value.state is not KeptState.KEPT:
        return was.value
    address = was.value.address
    if was.value.kind is InputKind.DEAD_LETTER:  # first: what is marked would not be seen again
        await services.bus.discard_dead_letter(
            address.topic, address.subscription, address.message_id
        )
    now = throw_away(was.value, caller, services.now())
    await mark_discarded(services, was, now, why.strip())
    return now


async def _resubmit(services: Services, key: str, why: str, caller: Caller) -> Quarantined:
    was = await read_kept(services, key)
    if was.value.state is not KeptState.KEPT:
        return was.value
    taken = await _ROADS[was.value.kind](services, was, await read_body(services, key))
    now = put_right(was.value, caller, taken.became, services.now(), delivery=taken.delivery)
    await mark_resubmitted(services, was, now, why.strip(), taken.copy)
    return now


async def _take_alert(services: Services, was: Stored[Quarantined], body: bytes) -> _Taken:
    """Read it as of the time it came, and accept it as the webhook does."""
    _refuse_half(was.value, body)
    alert, source = _read(services, was.value, body)
    delivery, new = await take_in(services, alert, source=source)
    became = "accepted" if new else "accepted before, as the same delivery"
    return _Taken(became=became, delivery=delivery)


def _read(services: Services, kept: Quarantined, body: bytes) -> tuple[Alert, str]:
    """What the route that refused it would make of it by now."""
    if kept.source != SIGNALS:
        return parse_alert(body, kept.at, services.redactor), WEBHOOK
    signal = read_signal(body, services.now(), services.redactor)
    return alert_of(signal, owner_of(signal, services.catalog)), SIGNAL


async def _send_message(_: Services, was: Stored[Quarantined], body: bytes) -> _Taken:
    """The transaction that marks it sends it, by way of the outbox."""
    _refuse_half(was.value, body)
    return _Taken(became=f"sent to topic {was.value.address.topic} again", copy=body)


async def _take_out(services: Services, was: Stored[Quarantined], body: bytes) -> _Taken:
    """The bus publishes and removes it; what is not in its queue any more is sent from our copy."""
    address = was.value.address
    found = await services.bus.resubmit_dead_letter(
        address.topic, address.subscription, address.message_id
    )
    if found:
        return _Taken(became=f"moved from the dead letters to topic {address.topic}")
    _refuse_half(was.value, body)
    return _Taken(became=f"sent to topic {address.topic}; the dead letter was gone", copy=body)


def _refuse_half(kept: Quarantined, body: bytes) -> None:
    if not kept.is_whole:
        detail = f"only {len(body)} of {kept.size} bytes are kept: it must be sent again, whole"
        raise RejectedInput("too-large", detail)


type _Road = Callable[[Services, Stored[Quarantined], bytes], Awaitable[_Taken]]
_ROADS: dict[InputKind, _Road] = {
    InputKind.ALERT: _take_alert,
    InputKind.MESSAGE: _send_message,
    InputKind.DEAD_LETTER: _take_out,
}


def _shown(kept: Quarantined) -> dict[str, Any]:
    """What the API tells of it: all but the body."""
    return {
        "id": kept.id,
        "kind": kept.kind,
        "source": kept.source,
        "reason": kept.reason,
        "detail": kept.detail,
        "size": kept.size,
        "at": kept.at,
        "times": kept.times,
        "state": kept.state,
        "incident": kept.incident,
        "by": kept.by,
        "resubmitted_at": kept.resubmitted_at,
        "discarded_at": kept.discarded_at,
        "became": kept.became,
        "delivery": kept.delivery,
    }
