"""Remind: no open incident waits for a step that does not come.

The responder's tick looks at the open incidents. Where a command was lost it is issued again, in
the same transaction as the event that tells of it; where that did not help, a person is woken. So
one is where nobody decided in time about a plan that waits for an approval. A signal that nobody
repeats holds no incident open in which customers are well again.
"""

import logging
from contextlib import suppress
from datetime import timedelta
from functools import partial

from shared.domain.approvals.steps import lapse
from shared.domain.catalog import UNOWNED
from shared.domain.incidents.incident import Incident, State
from shared.domain.incidents.patience import Patience
from shared.domain.incidents.silence import fall_silent
from shared.domain.incidents.stall import push
from shared.errors import Conflict, NotFound
from shared.protocol.leftovers import Leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.revise import Revision, revise
from shared.services import Services

log = logging.getLogger("backstop.remind")

EVERY_S = 30.0  # what it looks for takes minutes


async def remind(services: Services, _: Leftovers) -> None:
    """Push every incident that stands still, when it is time to look again. Raises Unavailable."""
    turns, now = services.memory.turns, services.now()
    if not turns.is_due("remind", EVERY_S, now):
        return
    turns.take("remind", now)
    for incident in await open_incidents(services):
        if _pushed(services, incident).step.incident is not None:
            log.warning("incident %s stands still: %s", incident.id, incident.state.value)
            with suppress(Conflict, NotFound):  # somebody else is at it
                await revise(services, incident.id, partial(_pushed, services))


def _pushed(services: Services, incident: Incident) -> Revision:
    service = services.catalog.services.get(incident.service, UNOWNED)
    if incident.state is State.WAITING:
        return Revision(step=lapse(incident, services.now()))
    if incident.state is State.MITIGATED:
        return Revision(step=fall_silent(incident, services.now()))
    settings = services.settings
    patience = Patience(
        lasts=timedelta(seconds=settings.patience_s),
        lag=timedelta(seconds=settings.logs_behind_s),
    )
    return Revision(step=push(incident, service, patience, services.now()))
