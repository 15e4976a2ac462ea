"""Reconcile: every intent that its worker left open is ended, within its lease and two minutes."""

import contextlib
import logging

from shared.errors import Conflict, Unavailable
from shared.protocol.act import resume
from shared.protocol.leftovers import Leftovers
from shared.services import Services

log = logging.getLogger("backstop.reconcile")


async def reconcile(services: Services, leftovers: Leftovers) -> None:
    """End what was left open. Leases that still run and parts that are out wait for the next."""
    for intent in leftovers.intents:
        service = services.catalog.services.get(intent.service)
        if service is None:  # its file is broken now: nothing is done without policy
            log.error("intent %s waits: service %s has no valid file", intent.plan, intent.service)
            continue
        with contextlib.suppress(Conflict, Unavailable):
            await resume(services, service, intent.plan)
