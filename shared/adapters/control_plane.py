"""The control plane: who asks, what it may do with one resource, which alerts are told to whom.

Asked by the readiness probe alone, with the app's own identity; GETs and no other request. The next
page's link is followed by its path alone: no answer sends the token to another host.
"""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, HeadersPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import HttpRequest

from shared.adapters.arm_address import ARM, SCOPE, refuse_remote
from shared.domain.alerts.payload import Fields, fields, items, text
from shared.domain.readiness.rights import Permission, Rights
from shared.errors import Misconfigured, Missing, Refused, Unavailable

PART = "control-plane"
TIMEOUT_S = 10.0
MOST_PAGES = 20
PERMISSIONS = {"api-version": "2022-04-01"}
QUERY_RULES = {"api-version": "2023-12-01"}
ACTION_GROUPS = {"api-version": "2023-01-01"}
_KINDS = {401: Refused, 403: Refused, 404: Missing}


class ControlPlane:
    """Azure Resource Manager of one cloud. `arm_url` redirects to a local server."""

    def __init__(self, credential: Any, arm_url: str | None) -> None:
        refuse_remote(arm_url)
        if credential is None and arm_url is None:
            raise Misconfigured("an identity is needed to ask Azure Resource Manager")
        self._credential = credential
        self._client: AsyncPipelineClient[Any, Any] = AsyncPipelineClient(
            arm_url or ARM,
            policies=[_signing(credential)],
            transport=AioHttpTransport(use_env_settings=False),
        )

    async def identify(self) -> None:
        """Get a token, unless this is one's own machine. Raises Refused, and Unavailable."""
        if self._credential is None:
            return
        try:
            await self._credential.get_token(SCOPE)
        except ClientAuthenticationError as error:
            raise Refused(PART, str(error).partition("\n")[0][:200]) from None
        except AzureError as error:
            raise Unavailable(PART, type(error).__name__) from None

    async def rights(self, scope: str) -> Rights:
        """What this identity may do with a resource. Raises Refused, Missing and Unavailable."""
        place = f"{scope}/providers/Microsoft.Authorization/permissions"
        found = [entry async for entry in self._every(f"{place}?{urlencode(PERMISSIONS)}")]
        try:
            return Rights(permissions=tuple(msgspec.convert(found, list[Permission])))
        except msgspec.ValidationError as error:
            raise Unavailable(PART, f"the permissions cannot be read: {error}") from None

    async def alert_rules(self, subscription: str) -> frozenset[str]:
        """The names, lower case, of the log alert rules that are on and tell somebody.

        Raises as `rights` does.
        """
        place = f"/subscriptions/{subscription}/providers/Microsoft.Insights/scheduledQueryRules"
        return frozenset(
            [
                text(entry.get("name")).lower()
                async for entry in self._every(f"{place}?{urlencode(QUERY_RULES)}")
                if _tells(fields(entry.get("properties")))
            ]
        )

    async def webhooks(self, subscription: str) -> frozenset[str]:
        """Where action groups post alerts, in the schema and with the token that the door asks for.

        Raises as `rights` does.
        """
        place = f"/subscriptions/{subscription}/providers/Microsoft.Insights/actionGroups"
        return frozenset(
            [
                text(receiver.get("serviceUri"))
                async for entry in self._every(f"{place}?{urlencode(ACTION_GROUPS)}")
                for receiver in _receivers(fields(entry.get("properties")))
            ]
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _every(self, path: str) -> AsyncIterator[Fields]:
        """The entries of a list, page by page."""
        for _ in range(MOST_PAGES):
            document = await self._get(path)
            for entry in items(document.get("value")):
                yield fields(entry)
            link = urlsplit(text(document.get("nextLink")))
            if not link.path.startswith("/"):
                return
            path = f"{link.path}?{link.query}"
        raise Unavailable(PART, f"more than {MOST_PAGES} pages")

    async def _get(self, path: str) -> Fields:
        request = HttpRequest("GET", self._client.format_url(path))
        try:
            answer = await self._client.send_request(
                request, connection_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S
            )
        except ClientAuthenticationError as error:
            raise Refused(PART, str(error).partition("\n")[0][:200]) from None
        except AzureError as error:
            raise Unavailable(PART, type(error).__name__) from None
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's own numbers
            kind = _KINDS.get(answer.status_code, Unavailable)
            raise kind(PART, f"it answers {answer.status_code}")
        try:
            return fields(msgspec.json.decode(answer.content))
        except msgspec.DecodeError:
            raise Unavailable(PART, "the answer is not JSON") from None


def _tells(rule: Fields) -> bool:
    """Whether a rule is on, and has somebody to tell."""
    groups = items(fields(rule.get("actions")).get("actionGroups"))
    return rule.get("enabled") is not False and bool(groups)


def _receivers(group: Fields) -> list[Fields]:
    """The webhooks of an action group that is on, of those that the door lets in."""
    if group.get("enabled") is not True:
        return []
    found = [fields(one) for one in items(group.get("webhookReceivers"))]
    return [one for one in found if one.get("useAadAuth") and one.get("useCommonAlertSchema")]


def _signing(credential: Any) -> Any:
    """Who asks: the app's identity; nobody in particular on one's own machine."""
    if credential is not None:
        return AsyncBearerTokenCredentialPolicy(credential, SCOPE)
    return HeadersPolicy({"Authorization": "Bearer local"})
