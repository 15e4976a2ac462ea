"""Fired alerts: what Azure's Alerts Management says that was fired, whoever was told of it.

Asked by the sweep, page by page, with the app's own identity: one GET and no other request. The
service takes 100 calls a minute and subscription, so a call has to be allowed first. The next
page's link is followed by its path alone: no answer sends the token to another host.
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, HeadersPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import HttpRequest

from shared.adapters.arm_address import ARM, SCOPE, refuse_remote
from shared.domain.alerts.fired_alert import BrokenEntry, FiredAlert, FiredPage, read_fired
from shared.domain.alerts.payload import Fields, fields, items, text
from shared.domain.redaction.redactor import BARE, Redactor
from shared.errors import Misconfigured, RejectedInput, Unavailable

PART = "alerts"
API_VERSION = "2019-03-01"
PAGE = 25  # the most that the service gives with the alerts' context
CALLS_A_MINUTE = 80  # of Azure's 100: others may ask, too
BURST = 14
TIMEOUT_S = 10.0

_FILTER = {
    "api-version": API_VERSION,
    "includeContext": "true",  # without it there are no dimensions
    "pageCount": str(PAGE),
    "sortBy": "lastModifiedDateTime",  # an alert that fired long ago may have ended just now
    "sortOrder": "desc",
    "timeRange": "30d",
}


class FiredAlerts:
    """The service of one cloud. `arm_url` redirects to a local server, as everything of ARM."""

    def __init__(
        self,
        credential: Any,
        arm_url: str | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        redactor: Redactor = BARE,
    ) -> None:
        self._redactor = redactor
        refuse_remote(arm_url)
        self._clock = clock
        self._allowances: dict[str, _Allowance] = {}
        self._client: AsyncPipelineClient[Any, Any] = AsyncPipelineClient(
            arm_url or ARM,
            policies=[_signing(credential, arm_url)],
            transport=AioHttpTransport(use_env_settings=False),
        )

    def may_ask(self, subscription: str) -> bool:
        """Take one call from the subscription's allowance; False where none is left just now."""
        allowance = self._allowances.setdefault(subscription, _Allowance(self._clock()))
        return allowance.take(self._clock())

    async def page(self, subscription: str, after: str, now: datetime) -> FiredPage:
        """One page of what changed in the last 30 days. Raises Unavailable."""
        first = f"/subscriptions/{subscription}/providers/Microsoft.AlertsManagement/alerts"
        document = await self._get(after or f"{first}?{urlencode(_FILTER)}")
        return read_page(fields(document), now, self._redactor)

    async def _get(self, path: str) -> object:
        request = HttpRequest("GET", self._client.format_url(path))
        try:
            answer = await self._client.send_request(
                request, connection_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S
            )
        except AzureError as error:
            raise Unavailable(PART, type(error).__name__) from None
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's own numbers
            raise _refused(answer.status_code, answer.headers.get("Retry-After", ""))
        try:
            return msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            raise Unavailable(PART, "the answer is not JSON") from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


class _Allowance:
    """Calls that may be made: they come with time, and no more than a burst of them is kept."""

    def __init__(self, now: float) -> None:
        self._left = float(BURST)
        self._at = now

    def take(self, now: float) -> bool:
        grown = self._left + (now - self._at) * CALLS_A_MINUTE / 60
        self._left, self._at = min(grown, float(BURST)), now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _signing(credential: Any, arm_url: str | None) -> Any:
    """Who asks: the app's identity; nobody in particular on one's own machine."""
    if credential is not None:
        return AsyncBearerTokenCredentialPolicy(credential, SCOPE)
    if arm_url is None:
        raise Misconfigured("an identity is needed to ask for fired alerts")
    return HeadersPolicy({"Authorization": "Bearer local"})


def _refused(status: int, retry_after: str) -> Unavailable:
    hint = ": is Monitoring Reader granted?" if status in (401, 403) else ""
    wait = float(retry_after) if retry_after.isdecimal() else 30.0
    return Unavailable(PART, f"Alerts Management answered {status}{hint}", wait)


def read_page(document: Fields, now: datetime, redactor: Redactor = BARE) -> FiredPage:
    """Read an answer; an entry that is no alert costs itself and no other."""
    fired: list[FiredAlert] = []
    broken: list[BrokenEntry] = []
    for entry in items(document.get("value")):
        try:
            fired.append(read_fired(entry, now, redactor))
        except RejectedInput as error:
            broken.append(BrokenEntry(body=msgspec.json.encode(entry), why=str(error)))
    link = urlsplit(text(document.get("nextLink")))
    after = f"{link.path}?{link.query}" if link.path.startswith("/") else ""
    return FiredPage(fired=tuple(fired), broken=tuple(broken), after=after)
