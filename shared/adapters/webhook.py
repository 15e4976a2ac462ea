"""Posting JSON to a webhook whose URL is a secret: the part that Teams and the pager share.

The URL (its path and query are the credential) never appears in a log, an error or a repr. Answers
become `Delivered`, `RejectedInput` (never try this body again) or `Unavailable` (try later). What
is posted goes through the redactor.
"""

from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

import aiohttp
import msgspec

from shared.domain.redaction.redactor import Redactor
from shared.domain.wording import plain
from shared.errors import Misconfigured, RejectedInput, Unavailable

_TIMEOUT_S = 7.0  # pager and fallback, one after the other, are within an effect's claim
_ACCEPTED = range(200, 300)
_TOO_MANY = 429
_BUSY = frozenset({408, 425, _TOO_MANY, *range(500, 600)})
_SHORTEST_SECRET = 4
_LONGEST_WAIT_S = 300.0


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """Who accepted the message ("teams", "pager" or "webhook") and with which status.

    Accepted is not shown: Teams may still drop a card that it answered with 202.
    """

    by: str
    status: int


class Webhook:
    """One webhook. `name` is who accepts, `part` what is unavailable when it does not answer."""

    def __init__(self, url: str, *, name: str, part: str, redactor: Redactor | None = None) -> None:
        self._redactor = redactor or Redactor()
        self._url = url
        self._name = name
        self._part = part
        self._secrets = _secrets_of(checked(url, name))
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: dict[str, Any]) -> Delivered:
        """Send the body once; raises RejectedInput or Unavailable."""
        try:
            async with self._opened().post(
                self._url,
                data=body_text(body, self._redactor).encode(),
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
            ) as response:
                return await self._judged(response, str(body.get("routing_key", "")))
        except (aiohttp.ClientError, TimeoutError) as error:
            trouble = type(error).__name__  # its text may hold the URL
        raise Unavailable(self._part, f"{self._name} did not answer ({trouble})")

    async def close(self) -> None:
        """Close the connections; the next post opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        """One session, made on the loop that posts."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def _judged(self, response: aiohttp.ClientResponse, key: str) -> Delivered:
        status = response.status
        if status in _ACCEPTED:
            return Delivered(by=self._name, status=status)
        if status in _BUSY:
            wait = _retry_after(response)
            raise Unavailable(self._part, f"{self._name} answered {status}", wait)
        said = (await response.content.read(2000)).decode("utf-8", "replace")
        detail = f"{self._name} answered {status}: {self._redacted(said, key)}"
        raise RejectedInput(f"{self._name}-refused", detail)

    def _redacted(self, said: str, key: str) -> str:
        for secret in (*self._secrets, key):
            said = said.replace(secret, "***") if secret else said
        return plain(said)[:300]


def body_text(body: dict[str, Any], redactor: Redactor) -> str:
    """A body as it is posted. Its routing key is for the pager, and nobody else gets it."""
    key = body.get("routing_key")
    told = {name: value for name, value in body.items() if name != "routing_key"}
    clean = redactor.value(told)
    return msgspec.json.encode(clean if key is None else {"routing_key": key, **clean}).decode()


def checked(url: str, name: str) -> SplitResult:
    """Take the URL apart; raises Misconfigured unless it is https, or http on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Misconfigured(f"the URL of {name} is malformed") from None
    local = parts.scheme == "http" and parts.hostname == "127.0.0.1"
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise Misconfigured(f"the URL of {name} must begin with https://")
    return parts


def _secrets_of(parts: SplitResult) -> tuple[str, ...]:
    """What must not be repeated from an answer, the longest first."""
    values = [value for _, value in parse_qsl(parts.query)]
    found = {parts.geturl(), parts.path, parts.query, *values}
    secrets = (text for text in found if len(text) >= _SHORTEST_SECRET)
    return tuple(sorted(secrets, key=len, reverse=True))


def _retry_after(response: aiohttp.ClientResponse) -> float:
    """Seconds to wait, from a number or an HTTP date; bounded, 30 s where nothing is said."""
    said = response.headers.get("Retry-After", "")
    if said.isdecimal():
        return min(float(said), _LONGEST_WAIT_S)
    try:
        until = parsedate_to_datetime(said)
        sent = parsedate_to_datetime(response.headers.get("Date", ""))
        return min(max((until - sent).total_seconds(), 1.0), _LONGEST_WAIT_S)
    except (TypeError, ValueError, OverflowError):
        return 30.0 if response.status == _TOO_MANY else 5.0
