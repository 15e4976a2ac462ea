"""What `make start` shows: who serves and how customers fare, and a line for whatever changes."""

import asyncio
from typing import Any

import aiohttp

from infra.local.demo.screen import Screen
from infra.local.start.drills import Drills
from infra.local.world import Addresses

EVERY_S = 0.5


class Watch:
    """Looks at both sides and says what is new; a terminal gets a live line, too."""

    def __init__(
        self, addresses: Addresses, drills: Drills, session: aiohttp.ClientSession, screen: Screen
    ) -> None:
        self._addresses = addresses
        self._drills = drills
        self._session = session
        self._screen = screen
        self._traffic: dict[str, int] = {}
        self._states: dict[str, str] = {}

    async def run(self) -> None:
        """Look until cancelled; what does not answer is looked at again."""
        while True:
            try:
                await self._look()
            except (aiohttp.ClientError, TimeoutError) as error:
                self._screen.fact(f"no answer: {error}", "yellow")
            await asyncio.sleep(EVERY_S)

    async def _look(self) -> None:
        status = await self._drills.status()
        if status["traffic"] != self._traffic:
            self._traffic = status["traffic"]
            self._screen.fact(f"the endpoint serves {_split(self._traffic)}", "bold")
        self._screen.traffic(status)
        for incident in await self._incidents():
            self._tell(incident)

    def _tell(self, incident: dict[str, Any]) -> None:
        name, state = incident["id"], incident["state"]
        if self._states.get(name) == state:
            return
        self._states[name] = state
        said = incident["sentence"] or incident["title"]
        style = {"mitigated": "green", "resolved": "green", "escalated": "red"}.get(state, "yellow")
        self._screen.fact(f"{name} {incident['severity']} {state}: {said}", style)

    async def _incidents(self) -> list[dict[str, Any]]:
        url = f"{self._addresses.api}/api/incidents?limit=20"
        async with self._session.get(url) as answer:
            answer.raise_for_status()
            found: list[dict[str, Any]] = (await answer.json(content_type=None))["incidents"]
            return list(reversed(found))


def _split(traffic: dict[str, int]) -> str:
    return ", ".join(f"{name} {share} %" for name, share in sorted(traffic.items())) or "nothing"
