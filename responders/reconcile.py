"""Reconcile: every intent that its worker left open is ended, within its lease and two minutes."""

import logging

from shared.domain.catalog import Service
from shared.errors import BackstopError, Conflict, Unavailable
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
        await _end(services, service, intent.plan)


async def _end(services: Services, service: Service, plan: str) -> None:
    """End one intent; what stops that is said, and stops no other."""
    try:
        await resume(services, service, plan)
    except (Conflict, Unavailable) as error:
        log.info("intent %s waits for the next tick: %s", plan, error)
    except BackstopError:
        log.exception("intent %s could not be ended", plan)
