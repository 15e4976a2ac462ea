"""Revise: change one incident by a pure step, again where somebody else changed it meanwhile.

Pages, people, alerts and automation all work on the same incident at the same time. Each says what
its step makes of the incident *as it is*; who loses the race takes the step again on what the
winner stored, and never overwrites it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from shared.domain.event import ChangeEvent
from shared.domain.incidents.incident import Incident, Step
from shared.domain.keys import shard_of_incident
from shared.domain.message import Message
from shared.domain.row import Put, Write
from shared.errors import Conflict
from shared.protocol.commit import commit, event_row, next_step, read_incident, telling
from shared.services import Services

ATTEMPTS = 8


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """A step with what is to be stored and sent beside it, in the same transaction.

    `told` is what the step's first event tells of, by name. It is stored as what is true now, and
    once more by the event's id, for good: whoever reads the event later finds it again.
    """

    step: Step
    told: Mapping[str, msgspec.Struct] = {}
    writes: Sequence[Write] = ()
    messages: Sequence[Message] = ()


type Take = Callable[[Incident], Revision]


async def revise(services: Services, incident_id: str, take: Take) -> Step:
    """Store what `take` makes of the incident; answer its step.

    A step without an incident changes nothing and is answered as it is. Raises NotFound,
    Unavailable, and Conflict where the incident never stood still.
    """
    for _ in range(ATTEMPTS):
        was = await read_incident(services, incident_id)
        revision = take(was.value)
        step = revision.step
        if step.incident is None:
            return step
        own = Put(row=was.row, value=step.incident, etag=was.etag)
        writes = [own, *_told(services, revision), *revision.writes]
        unique = str(step.incident.sequence)
        commands = [next_step(subject, step.incident, unique) for subject in step.commands]
        messages = [*commands, *revision.messages]
        shard = shard_of_incident(incident_id)
        try:
            await commit(services, shard, writes, events=step.events, commands=messages)
        except Conflict:
            if await _is_stored(services, shard, step):
                return step
            continue
        return step
    raise Conflict(f"incident {incident_id} kept changing")


def told_row(name: str, event_id: str) -> str:
    """The row of what an event tells of, such as its decision."""
    return f"{name}|{event_id}"


def _told(services: Services, revision: Revision) -> Iterator[Put]:
    for name, value in revision.told.items():
        event, clean = revision.step.events[0], services.redactor.struct(value)
        yield Put(row=f"{name}|{event.incident}", value=clean, redacted=True)
        yield Put(row=told_row(name, event.id), value=clean, redacted=True)


async def _is_stored(services: Services, shard: str, step: Step) -> bool:
    """Whether the conflict was with our own write, whose answer an SDK lost and asked for again.

    Relay sends the messages then.
    """
    if not step.events:
        return False
    last = services.redactor.struct(step.events[-1])  # as it is stored
    found = await services.state.read(shard, event_row(last.incident, last.sequence), ChangeEvent)
    return found is not None and telling(found.value) == telling(last)
