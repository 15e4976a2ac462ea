"""Waking: a trouble of Backstop's own opens one incident, and what follows of it joins that.

Used by whoever finds such a trouble: input that cannot be taken (`shared.protocol.quarantine`), a
ledger that was touched (`shared.protocol.evidence.tampering`). The caller stores the answer, with
what it has to store itself, in one transaction of Backstop's own shard; whoever sends pages does
the rest.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from shared.domain.alerts.unread import Unread, joins
from shared.domain.event import ITSELF, ChangeEvent
from shared.domain.incidents.incident import Incident, Step
from shared.domain.keys import shard_of
from shared.domain.row import MUST_NOT_EXIST, Put, Write
from shared.protocol.commit import incident_row
from shared.protocol.listing import point_to
from shared.services import Services

SHARD = shard_of(ITSELF)


class Waking(msgspec.Struct, frozen=True, kw_only=True):
    """The incident that tells of a trouble, "" for none, and what is to be stored for that."""

    incident: str = ""
    writes: Sequence[Write] = ()
    events: Sequence[ChangeEvent] = ()


async def wake(services: Services, row: str, now: datetime, make: Callable[[], Step]) -> Waking:
    """Join the incident that the row names, or open another one. Raises Unavailable."""
    told = await services.state.read(SHARD, row, Unread)
    if told is not None:
        known = await services.state.read(SHARD, incident_row(told.value.incident), Incident)
        if joins(known.value if known else None, now):
            return Waking(incident=told.value.incident)
    step = make()
    assert step.incident is not None, "it is opened"
    await point_to(services, step.incident)
    naming = Unread(incident=step.incident.id)
    return Waking(
        incident=step.incident.id,
        writes=[
            Put(row=row, value=naming, etag=told.etag if told else MUST_NOT_EXIST),
            Put(row=incident_row(step.incident.id), value=step.incident, etag=MUST_NOT_EXIST),
        ],
        events=step.events,
    )
