"""Custom events for Application Insights, which keeps them in the workspace's table AppEvents.

The product's own few events go over the ingestion route of the connection string, which the hosts
have anyway; no exporter and no queue is loaded for them. Telemetry never holds anybody up: what is
not taken is said in the log and lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import aiohttp
import msgspec
from azure.core.exceptions import AzureError

from shared.domain.app_event import AppEvent
from shared.errors import Misconfigured, Refused, Unavailable

TIMEOUT_S = 5.0
DEFAULT_INGESTION = "https://dc.services.visualstudio.com"
_TAKEN = (200, 206)
_REFUSED = (401, 403)

Bearer = Callable[[], Awaitable[str]]


class AppEvents:
    """The ingestion route of one connection string; `bearer` is None where none is asked for."""

    def __init__(self, connection: str, bearer: Bearer | None) -> None:
        parts = dict(part.split("=", 1) for part in connection.split(";") if "=" in part)
        self._key = parts.get("InstrumentationKey", "")
        base = parts.get("IngestionEndpoint", DEFAULT_INGESTION).rstrip("/")
        if not self._key or not _is_safe(base):
            raise Misconfigured("APPLICATIONINSIGHTS_CONNECTION_STRING is not understood")
        self._url = f"{base}/v2.1/track"
        self._bearer = bearer
        self._session: aiohttp.ClientSession | None = None

    async def send(self, events: Sequence[AppEvent]) -> None:
        """Send events, all in one request. Raises Refused, and Unavailable: they were not taken."""
        body = msgspec.json.encode([self._envelope(event) for event in events])
        headers = {"Content-Type": "application/json", **await self._authorization()}
        if self._session is None:
            self._session = aiohttp.ClientSession()
        request = self._session.post(self._url, data=body, headers=headers, allow_redirects=False)
        try:
            async with asyncio.timeout(TIMEOUT_S), request as response:
                if response.status not in _TAKEN:
                    kind = Refused if response.status in _REFUSED else Unavailable
                    raise kind("telemetry", f"HTTP {response.status}")
        except TimeoutError:
            raise Unavailable("telemetry", f"no answer within {TIMEOUT_S:g} s") from None
        except aiohttp.ClientError as error:
            raise Unavailable("telemetry", type(error).__name__) from error

    async def close(self) -> None:
        """Close the session; a later event opens a new one."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _authorization(self) -> dict[str, str]:
        if self._bearer is None:
            return {}
        try:
            return {"Authorization": f"Bearer {await self._bearer()}"}
        except AzureError as error:
            raise Unavailable("telemetry", f"no token: {type(error).__name__}") from error

    def _envelope(self, event: AppEvent) -> dict[str, object]:
        return {
            "name": "Microsoft.ApplicationInsights.Event",
            "time": event.at.isoformat(),
            "iKey": self._key,
            "tags": {"ai.cloud.role": event.role, "ai.cloud.roleInstance": "backstop"},
            "data": {
                "baseType": "EventData",
                "baseData": {
                    "ver": 2,
                    "name": event.name,
                    "properties": event.properties,
                    "measurements": event.measurements,
                },
            },
        }


def _is_safe(base: str) -> bool:
    parts = urlsplit(base)
    return parts.scheme == "https" or (parts.scheme, parts.hostname) == ("http", "127.0.0.1")
