"""Driving a world of the cast from outside: alerts in, and waiting for what becomes of them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from infra.local.bench.cast import CastWorld
from infra.local.bench.figure import NotMeasured
from infra.local.issuer.wallet import signing

LIMIT_S = 60.0
POLL_S = 0.1  # seldom, because asking costs the processes that are measured

type Json = dict[str, Any]


class Driver:
    """HTTP to the API of a world and to the control route of its simulated services."""

    def __init__(self, world: CastWorld, session: aiohttp.ClientSession) -> None:
        self._at = world.addresses
        self._session = session

    async def post_alert(self, body: bytes) -> str:
        """Hand an alert over; answers its delivery id. Raises NotMeasured where it is not taken."""
        return await self._post("alerts", body)

    async def post_signal(self, body: bytes) -> str:
        """Hand a signal over, as the service's own app. Answers and raises as `post_alert`."""
        return await self._post("signals", body)

    async def _post(self, route: str, body: bytes) -> str:
        headers = {"content-type": "application/json"}
        url = f"{self._at.api}/api/{route}"
        async with self._session.post(url, data=body, headers=headers) as answer:
            if answer.status != 202:
                raise NotMeasured(f"a post to {route} was answered {answer.status}")
            return str((await answer.json(content_type=None))["delivery"])

    async def delivery(self, key: str, done: Callable[[Json], bool]) -> Json:
        """Wait until a delivery is as wanted."""
        return await self._until(f"{self._at.api}/api/deliveries/{key}", done)

    async def incident(self, key: str, done: Callable[[Json], bool]) -> Json:
        """Wait until an incident is as wanted."""
        return await self._until(f"{self._at.api}/api/incidents/{key}", done)

    async def seen(self, done: Callable[[Json], bool]) -> Json:
        """Wait until the simulated services have seen what is wanted."""
        return await self._until(f"{self._at.control}/seen", done)

    async def control(self, method: str, path: str) -> Json:
        """Ask the simulated services."""
        async with self._session.request(method, f"{self._at.control}{path}") as answer:
            answer.raise_for_status()
            found: Json = await answer.json(content_type=None)
            return found

    async def _until(self, url: str, done: Callable[[Json], bool]) -> Json:
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            async with self._session.get(url) as answer:
                found: Json = await answer.json(content_type=None)
                if answer.status == 200 and done(found):
                    return found
            await asyncio.sleep(POLL_S)
        raise NotMeasured(f"waited {LIMIT_S:.0f} s for {url}, which said {found}")


@asynccontextmanager
async def open_driver(world: CastWorld) -> AsyncIterator[Driver]:
    """A driver of a running world."""
    where = world.addresses
    middlewares = [signing(where.api, where.issuer)]
    async with aiohttp.ClientSession(middlewares=middlewares) as session:
        yield Driver(world, session)
