"""Warm: do once a process what its first incident would wait for: import SDKs, open connections.

Beside the flow: the first tick of a process begins it and goes on at once. Trouble is logged and
left to whoever needs the part next. The responder never comes near the endpoints' SDK.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from shared.domain.catalog import TargetKind
from shared.domain.decisions.endpoint import parse_target
from shared.domain.message import CHANGES, WORK
from shared.errors import BackstopError
from shared.protocol.leftovers import Leftovers
from shared.services import Services

type Part = Callable[[Services], Awaitable[object]]

log = logging.getLogger("backstop.warm")


async def warm_responder(services: Services, _: Leftovers) -> None:
    """Begin to open the links to both topics and to load what asks the logs."""
    _once(services, _links, _logs)


async def warm_executor(services: Services, _: Leftovers) -> None:
    """Begin to open the links to both topics and to read an endpoint."""
    _once(services, _links, _endpoints)


def _once(services: Services, *parts: Part) -> None:
    if not services.memory.warmed:
        services.memory.warmed = services.errands.start("warm", lambda: _warm(services, parts))


async def _warm(services: Services, parts: tuple[Part, ...]) -> None:
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(_quietly(services, part) for part in parts))
    log.info("warm after %.1f s", asyncio.get_running_loop().time() - began)


async def _quietly(services: Services, part: Part) -> None:
    try:
        await part(services)
    except BackstopError as error:
        log.warning("not warm: %s", error)


async def _links(services: Services) -> None:
    await services.bus.warm((WORK, CHANGES))


async def _logs(services: Services) -> object:
    return services.logs


async def _endpoints(services: Services) -> None:
    """Read the catalog's first endpoint: the import takes a second, and one client serves all."""
    targets = [
        target for service in services.catalog.services.values() for target in service.targets
    ]
    for target in targets:
        if target.kind is TargetKind.ONLINE_ENDPOINT:
            await services.endpoints.read(parse_target(target.id))
            return
