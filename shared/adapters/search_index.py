"""Azure AI Search, as far as a health check asks it: how fresh an index is, by its own documents.

One query an index: how many documents there are, and the newest of them by the field that the
service's file names as the watermark. Telemetry of the indexer could say that it runs; only the
documents say that it has written.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from azure.core.exceptions import AzureError

from shared.domain.health.chain import Watermark
from shared.errors import Missing, Refused, RejectedInput, Unavailable

API_VERSION = "2024-07-01"
MOST_BYTES = 65_536
TIMEOUT_S = 5.0
_KINDS = {401: Refused, 403: Refused, 404: Missing}

Bearer = Callable[[], Awaitable[str]]


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a search answer that counts."""

    count: int = msgspec.field(name="@odata.count", default=0)
    value: tuple[dict[str, msgspec.Raw], ...] = ()


class SearchIndexes:
    """Indexes over one HTTP session. `endpoint` takes the place of what files say, locally."""

    def __init__(self, bearer: str | Bearer, endpoint: str = "") -> None:
        self._bearer = bearer
        self._endpoint = endpoint
        self._session: aiohttp.ClientSession | None = None

    async def watermark(self, endpoint: str, index: str, field: str) -> Watermark:
        """Ask an index for its newest document.

        Raises Refused, Missing where there is no such index, Unavailable and RejectedInput.
        """
        url = f"{_own(self._endpoint or endpoint)}/indexes/{quote(index, safe='')}/docs/search"
        body = {"search": "*", "count": True, "top": 1, "select": field, "orderby": f"{field} desc"}
        answer = await self._post(f"{url}?api-version={API_VERSION}", body)
        try:
            found = msgspec.json.decode(answer, type=_Found)
            newest = [msgspec.json.decode(one[field], type=datetime) for one in found.value]
        except (msgspec.DecodeError, KeyError) as error:
            raise Unavailable("search", f"index {index} has no times in {field}") from error
        return Watermark(documents=found.count, newest=_aware(newest[0]) if newest else None)

    async def close(self) -> None:
        """Close the session; a later question opens a new one."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, url: str, body: dict[str, object]) -> bytes:
        token = self._bearer if isinstance(self._bearer, str) else await _token(self._bearer)
        headers = {"Authorization": f"Bearer {token}"}
        if self._session is None:
            self._session = aiohttp.ClientSession()
        request = self._session.post(url, json=body, headers=headers, allow_redirects=False)
        try:
            async with asyncio.timeout(TIMEOUT_S), request as response:
                said = await response.content.read(MOST_BYTES)
                if response.status != 200:  # noqa: PLR2004 - the one that answers
                    kind = _KINDS.get(response.status, Unavailable)
                    raise kind("search", f"HTTP {response.status}")
                return said
        except TimeoutError:
            raise Unavailable("search", f"no answer within {TIMEOUT_S:g} s") from None
        except aiohttp.ClientError as error:
            raise Unavailable("search", type(error).__name__) from error


async def _token(bearer: Bearer) -> str:
    try:
        return await bearer()
    except AzureError as error:
        raise Unavailable("search", f"no token: {type(error).__name__}") from error


def _own(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    local = parts.scheme == "http" and parts.hostname == "127.0.0.1"
    if parts.scheme != "https" and not local:
        raise RejectedInput("unsafe-search-endpoint", f"{endpoint!r} is not https")
    return endpoint.rstrip("/")


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
