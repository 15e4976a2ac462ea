"""Synthetic requests to an endpoint's scoring route: whether it answers, and which version did.

The executor probes the known good *before* it moves traffic there (pinned by header), and the
endpoint afterwards (left to the split). It does so over its own HTTP: the SDK's `invoke` keeps the
pin of one call for all later ones, so what it calls unpinned proves nothing.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.client import _RequestContextManager
from azure.core.exceptions import AzureError

from shared.domain.decisions.endpoint import ProbeReport
from shared.domain.health.golden import MOST_BYTES, Reply
from shared.errors import RejectedInput, Unavailable

DEPLOYMENT_HEADER = "azureml-model-deployment"
PROBE_HEADER = "x-backstop-probe"
_SUCCESS = range(200, 300)

Payload = dict[str, Any]
Bearer = Callable[[], Awaitable[str]]


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One probe's answer; `trouble` is empty when it passed."""

    answered_by: str
    trouble: str


class Scoring:
    """Probes over one shared HTTP session, authorised by a key or by a provider of tokens."""

    def __init__(self, key: str | Bearer) -> None:
        self._key = key
        self._session: aiohttp.ClientSession | None = None

    async def probe(
        self,
        scoring_uri: str,
        *,
        deployment: str | None,
        region: str | None,
        payloads: Sequence[Payload],
        concurrency: int = 10,
        timeout_s: float = 10.0,
    ) -> ProbeReport:
        """Send every payload once and count what passed; trouble is counted, never raised.

        `deployment` pins each request, and then only that version's answers pass; None leaves the
        choice to the split. `region` is where the payloads ask for, as the report says it; each is
        sent as it stands, marked as a probe by a header. `timeout_s` is for one request.
        Raises RejectedInput when the URI would carry the key over plain HTTP, Unavailable where
        there is no token to authorise with.
        """
        _refuse_plain_http(scoring_uri)
        headers = await self._headers(deployment)
        gate = asyncio.Semaphore(concurrency)

        async def send(payload: Payload) -> _Answer:
            async with gate:
                return await self._send(scoring_uri, payload, headers, timeout_s)

        answers = await asyncio.gather(*(send(payload) for payload in payloads))
        return _report(answers, deployment, region)

    async def ask(self, scoring_uri: str, payload: Payload, *, timeout_s: float = 10.0) -> Reply:
        """Send one request, left to the split, and answer what came back; trouble is in the reply.

        Raises RejectedInput and Unavailable as `probe` does.
        """
        _refuse_plain_http(scoring_uri)
        headers = await self._headers(None)
        began = time.monotonic()
        try:
            async with asyncio.timeout(timeout_s), self._post(scoring_uri, payload, headers) as got:
                body = await got.content.read(MOST_BYTES)
        except TimeoutError:
            return Reply(trouble="no answer in time")
        except aiohttp.ClientError as error:
            return Reply(trouble=type(error).__name__)
        return Reply(
            status=got.status,
            body=body,
            elapsed_ms=1000 * (time.monotonic() - began),
            answered_by=got.headers.get(DEPLOYMENT_HEADER, ""),
        )

    async def close(self) -> None:
        """Close the session; a later probe opens a new one."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _headers(self, deployment: str | None) -> dict[str, str]:
        key = self._key if isinstance(self._key, str) else await _token(self._key)
        headers = {"Authorization": f"Bearer {key}", PROBE_HEADER: "true"}
        if deployment is not None:
            headers[DEPLOYMENT_HEADER] = deployment
        return headers

    def _post(self, uri: str, body: Payload, headers: dict[str, str]) -> _RequestContextManager:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session.post(uri, json=body, headers=headers, allow_redirects=False)

    async def _send(
        self, uri: str, body: Payload, headers: dict[str, str], limit_s: float
    ) -> _Answer:
        try:
            async with asyncio.timeout(limit_s), self._post(uri, body, headers) as response:
                await response.read()
                return _judge(response, headers.get(DEPLOYMENT_HEADER))
        except TimeoutError:
            return _Answer(answered_by="", trouble="no answer in time")
        except aiohttp.ClientError as error:
            return _Answer(answered_by="", trouble=type(error).__name__)


async def _token(bearer: Bearer) -> str:
    try:
        return await bearer()
    except AzureError as error:
        detail = f"no token for the scoring route: {type(error).__name__}"
        raise Unavailable("endpoint", detail) from error


def _judge(response: aiohttp.ClientResponse, pinned: str | None) -> _Answer:
    answered_by = response.headers.get(DEPLOYMENT_HEADER, "")
    trouble = ""
    if response.status not in _SUCCESS:
        trouble = f"HTTP {response.status}"
    elif pinned is not None and answered_by.lower() != pinned.lower():
        trouble = f"answered by {answered_by or 'nobody'}"
    return _Answer(answered_by=answered_by, trouble=trouble)


def _report(answers: Sequence[_Answer], deployment: str | None, region: str | None) -> ProbeReport:
    troubles = Counter(answer.trouble for answer in answers if answer.trouble)
    answered_by = Counter(answer.answered_by for answer in answers if answer.answered_by)
    return ProbeReport(
        deployment=deployment,
        region=region,
        sent=len(answers),
        passed=len(answers) - troubles.total(),
        detail=", ".join(f"{count} x {trouble}" for trouble, count in troubles.most_common(3)),
        answered_by=dict(answered_by),
    )


def _refuse_plain_http(uri: str) -> None:
    parts = urlsplit(uri)
    local = parts.scheme == "http" and parts.hostname == "127.0.0.1"
    if parts.scheme != "https" and not local:
        raise RejectedInput("unsafe-scoring-uri", f"{uri!r} is not https")
