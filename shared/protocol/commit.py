"""Commit: state, its events and the messages they cause, in one transaction.

The outbox lies beside the state under `~out|`. The committer hands its messages to the bus at once;
what a silent bus or a killed process left behind is sent by every tick (`responders.repair.relay`).
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
from shared.protocol.leftovers import OutboxEntry
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
                await forget_sent(services, shard, sent)


async def forget_sent(services: Services, shard: str, entries: Sequence[OutboxEntry]) -> None:
    """Remove what the bus has taken. Raises Unavailable."""
    for some in batched(entries, TRANSACTION, strict=False):
        removals = [Remove(row=entry.row) for entry in some]
        try:
            await services.state.write(shard, removals)
        except Conflict:  # somebody else removed one of them: take the rest one by one
            for removal in removals:
                await services.state.write(shard, [removal])
