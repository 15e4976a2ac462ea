"""Quarantine: bad input is kept redacted, told once, and may take its road again.

All of it lies in one shard, so that the row, its body, its places in the lists, the event and,
where somebody is to be woken, the incident are one transaction: nothing is told that is not kept,
and the page is sent by whoever sends pages, however often this process dies.
"""

import logging
from datetime import datetime

import msgspec

from shared.domain.alerts.flood import Flood, flood_of, rise
from shared.domain.alerts.kept_body import redact_body
from shared.domain.alerts.quarantine import (
    Address,
    BadInput,
    Body,
    InputKind,
    Quarantined,
    is_known,
    keep,
    tell_kept,
)
from shared.domain.alerts.unread import open_unread, trouble_of
from shared.domain.message import DeadLetter, Message
from shared.domain.row import MUST_NOT_EXIST, Put, Remove, Stored, Write
from shared.errors import Conflict, RejectedInput, Unavailable
from shared.protocol.commit import commit
from shared.protocol.kept import (
    ALL,
    KEPT,
    SHARD,
    WOKE,
    Place,
    body_row,
    find_kept,
    kept_row,
    place_of,
)
from shared.protocol.waking import Waking, wake
from shared.services import Services

log = logging.getLogger("backstop.quarantine")

ATTEMPTS = 8


async def keep_body(services: Services, source: str, body: bytes, error: RejectedInput) -> str:
    """Keep a body that a route refused; answer its id. Raises Unavailable."""
    bad = BadInput(
        kind=InputKind.ALERT,
        source=source,
        reason=error.reason,
        detail=error.detail,
        body=body,
        seen_at=services.now(),
    )
    return await keep_input(services, bad)


async def keep_message(
    services: Services, source: str, topic: str, message: Message, error: RejectedInput
) -> str:
    """Keep a message that its consumer refused; answer its id. Raises Unavailable."""
    bad = BadInput(
        kind=InputKind.MESSAGE,
        source=source,
        reason=error.reason,
        detail=error.detail,
        body=message.body.encode("utf-8", "replace"),
        address=Address(topic=topic, subject=message.subject, message_id=message.message_id),
        seen_at=services.now(),
    )
    return await keep_input(services, bad)


def bad_letter(topic: str, subscription: str, letter: DeadLetter, seen_at: datetime) -> BadInput:
    """A dead letter as bad input: the bus keeps the letter itself, this is its copy."""
    return BadInput(
        kind=InputKind.DEAD_LETTER,
        source=f"{topic}/{subscription}",
        reason=letter.reason,
        detail=letter.detail,
        body=letter.message.body.encode("utf-8", "replace"),
        address=Address(
            topic=topic,
            subject=letter.message.subject,
            subscription=subscription,
            message_id=letter.message.message_id,
        ),
        seen_at=seen_at,
    )


async def keep_input(services: Services, bad: BadInput) -> str:
    """Keep bad input and tell of it, once however often it comes; answer its id.

    Of noise only so much is kept (`shared.domain.alerts.flood`): then there is nothing of that id.
    Raises Unavailable where it cannot be kept now: whoever brought it must bring it again.
    """
    for _ in range(ATTEMPTS):
        was = await find_kept(services, bad.id)
        if is_known(was.value if was else None, bad):
            return bad.id
        try:
            await _keep(services, bad, was)
        except Conflict:
            continue
        return bad.id
    raise Unavailable("tables", f"the quarantine's rows of {bad.id} kept changing")


async def _keep(services: Services, bad: BadInput, was: Stored[Quarantined] | None) -> None:
    now, redactor = services.now(), services.redactor
    kept = keep(bad, was.value if was else None, now, redactor)
    redacted = redact_body(bad.body, redactor)
    if bad.may_be_lost_alert:
        row = f"unread|{trouble_of(kept)}"
        waking = await wake(services, row, now, lambda: open_unread(kept, SHARD, now))
    else:
        flood, waking = await _rise(services, kept.source, now)
        if not flood.takes:
            await commit(services, SHARD, waking.writes, events=waking.events)
            return
    kept = msgspec.structs.replace(kept, incident=waking.incident)
    place = Place(id=kept.id)
    writes: list[Write] = [
        Put(row=kept_row(kept.id), value=kept, etag=was.etag if was else MUST_NOT_EXIST),
        Put(row=body_row(kept.id), value=Body(content=redacted), redacted=True),
        Put(row=ALL + place_of(kept), value=place),
        Put(row=KEPT + place_of(kept), value=place),
        *waking.writes,
    ]
    if kept.incident:
        writes.append(Put(row=WOKE + place_of(kept), value=place))
    if was is not None and place_of(was.value) != place_of(kept):
        writes.append(Remove(row=ALL + place_of(was.value)))
    log.warning("quarantined %s from %s: %s", kept.id, kept.source, kept.reason)
    await commit(services, SHARD, writes, events=[*waking.events, tell_kept(kept)])


async def _rise(services: Services, source: str, now: datetime) -> tuple[Flood, Waking]:
    """Count what wakes nobody: only so much of it is kept."""
    first = flood_of(source, now)
    was = await services.state.read(SHARD, first.row, Flood)
    flood, events = rise(was.value if was else first, now)
    put = Put(row=flood.row, value=flood, etag=was.etag if was else MUST_NOT_EXIST)
    return flood, Waking(writes=[put], events=events)
