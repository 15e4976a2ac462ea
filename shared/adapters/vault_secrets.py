"""The vault's secrets, as far as the readiness probe asks: whether this identity may read them.

The apps read no secret themselves: Azure resolves the references in their settings, by the same
identity and role, when they start and once a day after. A role that was taken away would show only
then. So the vault is asked for its list, one entry of it, which holds no value and is thrown away.
"""

from typing import Any
from urllib.parse import urlsplit

from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import HttpRequest

from shared.adapters.vault import API_VERSION, PART, TIMEOUT_S, authentication
from shared.errors import Misconfigured, Refused, Unavailable

SETTING = "BACKSTOP_VAULT"


class VaultSecrets:
    """The secrets of one vault, by its URL."""

    def __init__(self, vault: str, credential: Any) -> None:
        """Raises Misconfigured where the URL is not that of a vault."""
        if not vault:
            raise Misconfigured(f"{SETTING} is not set: nobody sees whether secrets can be read")
        where = urlsplit(vault)
        self._client: AsyncPipelineClient[Any, Any] = AsyncPipelineClient(
            f"{where.scheme}://{where.netloc}",
            policies=authentication(SETTING, where.scheme, where.hostname or "", credential),
            transport=AioHttpTransport(use_env_settings=False),
        )

    async def try_reading(self) -> None:
        """Ask for the list, which the right to read secrets opens. Raises Refused, Unavailable."""
        path = f"/secrets?api-version={API_VERSION}&maxresults=1"
        request = HttpRequest("GET", self._client.format_url(path))
        try:
            answer = await self._client.send_request(
                request, connection_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S
            )
        except AzureError as error:
            raise Unavailable(PART, type(error).__name__) from None
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's own numbers
            kind = Refused if answer.status_code in (401, 403) else Unavailable
            raise kind(PART, f"the vault answered {answer.status_code}", 30.0)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
