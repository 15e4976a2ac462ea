"""What the demo asks and watches: Backstop's API and the control route of the simulated world."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self

import aiohttp
import msgspec

from infra.local.demo.screen import Screen
from infra.local.foundry.seed import SERVICE
from infra.local.issuer.wallet import Wallet, signing
from infra.local.world import Addresses

POLL_S = 0.2


class Stuck(Exception):
    """Something that should have happened did not happen in time; the message says what."""


class Client:
    """HTTP to both sides, with a live line of traffic while it waits: that of `shown`."""

    def __init__(self, addresses: Addresses, screen: Screen) -> None:
        self.shown = SERVICE
        self._addresses = addresses
        self._screen = screen
        self._wallet = Wallet(addresses.issuer)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=20),
            middlewares=[signing(addresses.api, addresses.issuer)],
        )

    async def __aenter__(self) -> Self:
        """Open nothing yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._session.close()

    async def get(self, path: str, *, who: str = "") -> dict[str, Any]:
        """Read from the API. Raises Stuck where it does not answer 200.

        `who` asks: one of the local identities, without it the usual one for this request.
        """
        return await self._json("GET", self._addresses.api + path, who=who)

    async def post(self, path: str, body: dict[str, Any], *, who: str = "") -> dict[str, Any]:
        """Post to the API. Raises Stuck where it refuses."""
        return await self._json("POST", self._addresses.api + path, body, who=who)

    async def download(self, path: str, *, who: str) -> bytes:
        """Take a file from the API. Raises Stuck where it refuses."""
        return await self._ask("GET", self._addresses.api + path, who=who)

    async def drill(self, name: str) -> None:
        """Play something that Backstop is not told of."""
        await self._json("POST", f"{self._addresses.control}/drills/{name}")

    async def start_load(self) -> None:
        """Let the customers come."""
        await self._json("POST", f"{self._addresses.control}/load")

    async def status(self, service: str = SERVICE) -> dict[str, Any]:
        """What an observer of the simulated world sees of a service."""
        return await self._json("GET", f"{self._addresses.control}/status?service={service}")

    async def recovered(self, after: float, deployment: str, region: str) -> float | None:
        """When the fifth good unpinned answer in a row came after a time, in a region."""
        query = f"after={after}&deployment={deployment}&region={region}"
        answer = await self._json("GET", f"{self._addresses.control}/recovered?{query}")
        at: float | None = answer["at"]
        return at

    async def cards(self) -> list[dict[str, Any]]:
        """The cards that the inbox has."""
        answer = await self._json("GET", f"{self._addresses.inbox}/api/cards")
        found: list[dict[str, Any]] = answer["cards"]
        return found

    async def pages(self) -> list[dict[str, Any]]:
        """The pager's alerts that the inbox has."""
        answer = await self._json("GET", f"{self._addresses.inbox}/api/pages")
        found: list[dict[str, Any]] = answer["alerts"]
        return found

    async def until[T](
        self,
        what: str,
        look: Callable[[], Awaitable[T]],
        done: Callable[[T], bool],
        within_s: float,
    ) -> T:
        """Look again and again until it is done. Raises Stuck after `within_s`."""
        deadline = time.monotonic() + within_s
        while True:
            found = await look()
            if done(found):
                return found
            if time.monotonic() > deadline:
                raise Stuck(f"waited {within_s:.0f} s for {what}")
            self._screen.traffic(await self.status(self.shown))
            await asyncio.sleep(POLL_S)

    async def _json(
        self, method: str, url: str, body: Any = None, *, who: str = ""
    ) -> dict[str, Any]:
        return msgspec.json.decode(await self._ask(method, url, body, who=who), type=dict[str, Any])

    async def _ask(self, method: str, url: str, body: Any = None, *, who: str = "") -> bytes:
        try:
            headers = {"Authorization": await self._wallet.bearer(who)} if who else {}
            async with self._session.request(method, url, json=body, headers=headers) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Stuck(f"{method} {url}: {error!r}") from error
        if answer.status >= 400:
            text = content.decode(errors="replace")[:300]
            raise Stuck(f"{method} {url} answered {answer.status}: {text}")
        return content
