"""Commit and relay: state, its events and the messages they cause, in one transaction.

The outbox lies beside the state under `~out|`. The committer hands its messages to the bus at once;
what a silent bus or a killed process left behind is sent by `relay`, which every tick runs.
"""

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import batched

import msgspec

from shared.domain.event import ChangeEvent
from shared.domain.incidents.incident import Incident
from shared.domain.keys import shard_of_incident
from shared.domain.message import CHANGES, WORK, Message
from shared.domain.row import Put, Remove, Stored, Write
from shared.errors import Conflict, NotFound, RejectedInput, Unavailable
from shared.protocol.leftovers import Leftovers, OutboxEntry
from shared.protocol.unreadable import tell_unreadable
from shared.services import Services

TRANSACTION = 100  # writes at most
PUBLISH_WITHIN_S = 1.0
RELAY_AFTER = timedelta(seconds=5)  # the committer itself publishes within PUBLISH_WITHIN_S


async def read_incident(services: Services, incident_id: str) -> Stored[Incident]:
    """The incident of that id. Raises NotFound."""
    shard = shard_of_incident(incident_id)
    row = incident_row(incident_id)
    found = await services.state.read(shard, row, Incident) if shard else None
    if found is None:
        raise NotFound(f"no incident {incident_id}")
    return found


def incident_row(incident_id: str) -> str:
    """The row of an incident in its shard."""
    return f"incident|{incident_id}"


def event_row(incident_id: str, sequence: int) -> str:
    """The row of one event in its incident's timeline, which a range read gives in order."""
    return f"event|{incident_id}|{sequence:06d}"


def command(subject: str, key: str, unique: str = "", due: datetime | None = None) -> Message:
    """A message for topic `work`: do `subject` with what is stored under `key`."""
    return Message(subject=subject, body=key, message_id=f"{subject}:{key}:{unique}", due=due)


def next_step(
    subject: str, incident: Incident, unique: str = "", due: datetime | None = None
) -> Message:
    """The command for the next step of an incident; `verify` names the check that is due, too."""
    key = check_name(incident) if subject == "verify" else incident.id
    return command(subject, key, unique, due)


def check_name(incident: Incident) -> str:
    """The check that is due: two commands for it are one check, however late one of them comes."""
    return f"{incident.id}:{incident.checks + 1}"


async def commit(
    services: Services,
    shard: str,
    writes: Sequence[Write],
    *,
    events: Sequence[ChangeEvent] = (),
    commands: Sequence[Message] = (),
    resubmitted: Sequence[tuple[str, Message]] = (),
) -> None:
    """Store state, events and messages in one transaction, then hand the messages to the bus.

    `resubmitted` are messages that somebody sends again, each with its topic. Raises Conflict where
    a row is not the version that was read: nothing is stored then. Raises Unavailable where the
    tables do not answer. A silent bus raises nothing: relay sends later. Events are redacted here,
    because the same goes to the timeline, the bus and the ledger, which hashes it.
    """
    told = [services.redactor.struct(event) for event in events]
    ours, now = _outgoing(told, commands), services.now()
    messages = [*ours, *resubmitted]
    outbox = [OutboxEntry(topic=t, message=m, committed_at=now) for t, m in messages]
    rows = [
        Put(row=entry.row, value=entry, redacted=number < len(ours))
        for number, entry in enumerate(outbox)
    ]
    timeline = [
        Put(row=event_row(event.incident, event.sequence), value=event, redacted=True)
        for event in told
        if event.incident
    ]
    await services.state.write(shard, [*writes, *timeline, *rows])
    await _send(services, shard, outbox)


def _outgoing(
    events: Sequence[ChangeEvent], commands: Sequence[Message]
) -> list[tuple[str, Message]]:
    """Every message with its topic."""
    facts = [(CHANGES, telling(event)) for event in events]
    return [*facts, *((WORK, message) for message in commands)]


def telling(event: ChangeEvent) -> Message:
    """The message that carries an event to topic `changes`."""
    body = msgspec.json.encode(event).decode()
    return Message(subject=event.kind.value, body=body, message_id=event.id)


async def publish_quietly(services: Services, topic: str, messages: Sequence[Message]) -> bool:
    """Hand messages to the bus; False where it did not take them: a durable row has them."""
    try:
        await services.bus.publish(topic, messages, within_s=PUBLISH_WITHIN_S)
    except (Unavailable, RejectedInput):  # what is never taken is for relay to quarantine
        return False
    return True


async def _send(services: Services, shard: str, entries: Sequence[OutboxEntry]) -> None:
    for topic in (WORK, CHANGES):
        sent = [entry for entry in entries if entry.topic == topic]
        if sent and await publish_quietly(services, topic, [entry.message for entry in sent]):
            # What cannot be removed now stays, and is sent again: consumers know the event's id.
            with contextlib.suppress(Unavailable):
                await _forget(services, shard, sent)


async def _forget(services: Services, shard: str, entries: Sequence[OutboxEntry]) -> None:
    for some in batched(entries, TRANSACTION, strict=False):
        removals = [Remove(row=entry.row) for entry in some]
        try:
            await services.state.write(shard, removals)
        except Conflict:  # somebody else removed one of them: take the rest one by one
            for removal in removals:
                await services.state.write(shard, [removal])


async def relay(services: Services, leftovers: Leftovers) -> None:
    """Send what the bus did not take when it was committed, or quarantine what it never takes.

    Last, tell of what no tick can read. Raises Unavailable where it cannot be told now.
    """
    now = services.now()
    for shard, entries in leftovers.messages.items():
        late = [entry for entry in entries if now - entry.committed_at > RELAY_AFTER]
        for topic in (WORK, CHANGES):
            await _relay(services, shard, [entry for entry in late if entry.topic == topic])
    await tell_unreadable(services)


async def _relay(services: Services, shard: str, entries: Sequence[OutboxEntry]) -> None:
    """Send what is for one topic; where a message is refused, one by one, so it alone stays."""
    if not entries:
        return
    with contextlib.suppress(Unavailable):  # the next tick goes on
        try:
            messages = [entry.message for entry in entries]
            await services.bus.publish(entries[0].topic, messages, within_s=PUBLISH_WITHIN_S)
        except RejectedInput as error:
            if len(entries) > 1:
                for entry in entries:
                    await _relay(services, shard, [entry])
                return
            await _quarantine(services, entries[0], error)
        await _forget(services, shard, entries)


async def _quarantine(services: Services, entry: OutboxEntry, error: RejectedInput) -> None:
    from shared.protocol.quarantine import keep_message  # noqa: PLC0415 - it commits by this room

    await keep_message(
        services, f"outbox/{entry.message.subject}", entry.topic, entry.message, error
    )
