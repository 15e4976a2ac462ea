"""Reconcile: every intent that its worker left open is ended, within its lease and two minutes."""

import contextlib

from shared.errors import Conflict, Unavailable
from shared.protocol.act import open_intents, resume
from shared.services import Services


async def reconcile(services: Services) -> None:
    """End what was left open. Leases that still run and parts that are out wait for the next."""
    for service in services.catalog.services.values():
        for plan in await open_intents(services, service):
            with contextlib.suppress(Conflict, Unavailable):
                await resume(services, service, plan)
