"""Reconcile: every intent that its worker left open is ended, within its lease and two minutes."""

import asyncio
import logging

from shared.errors import BackstopError, Conflict, Unavailable
from shared.protocol.acting.act import resume
from shared.protocol.leftovers import Leftovers, OpenIntent
from shared.services import Services

log = logging.getLogger("backstop.reconcile")

LANES = 8  # an endpoint that is busy takes most of a lease: nobody waits behind it


async def reconcile(services: Services, leftovers: Leftovers) -> None:
    """End what was left open, side by side: what stops one keeps no other from being ended."""
    lanes = asyncio.Semaphore(LANES)

    async def end(intent: OpenIntent) -> None:
        async with lanes:
            await end_intent(services, intent)

    await asyncio.gather(*(end(intent) for intent in leftovers.intents))


async def end_intent(services: Services, intent: OpenIntent) -> None:
    """End one intent. A lease that still runs and a part that is out wait for the next tick."""
    service = services.catalog.services.get(intent.service)
    if service is None:  # its file is broken now: nothing is done without policy
        log.error("intent %s waits: service %s has no valid file", intent.plan, intent.service)
        return
    try:
        await resume(services, service, intent.plan)
    except (Conflict, Unavailable) as error:
        log.info("intent %s waits for the next tick: %s", intent.plan, error)
    except BackstopError:
        log.exception("intent %s could not be ended", intent.plan)
