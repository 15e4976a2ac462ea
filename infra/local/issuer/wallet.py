"""The tokens of the local senders: asked for once, kept, and renewed before they end.

Whoever calls the API of a local world opens its session with `signing`, and need not think of it.
"""

import time

import aiohttp
from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse

from infra.local.issuer.identities import IDENTITIES, TENANT, sender_of

RENEW_BEFORE_S = 600.0
TIMEOUT = aiohttp.ClientTimeout(total=10)


class Wallet:
    """Tokens from the issuer at an address, by who is named and by kind."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._kept: dict[tuple[str, str], tuple[str, float]] = {}

    async def token(self, who: str, kind: str = "access_token") -> str:
        """A token with ten minutes to live at least. Raises aiohttp.ClientError and TimeoutError.

        `kind` is "access_token" or, for a person, "id_token".
        """
        kept, until = self._kept.get((who, kind), ("", 0.0))
        if time.monotonic() < until:
            return kept
        token, lives_s = await self._ask(who, kind)
        self._kept[who, kind] = token, time.monotonic() + lives_s - RENEW_BEFORE_S
        return token

    async def bearer(self, who: str) -> str:
        """The value of an Authorization header. Raises as `token` does."""
        return f"Bearer {await self.token(who)}"

    async def _ask(self, who: str, kind: str) -> tuple[str, float]:
        wanted = _form(who)
        url = f"{self._issuer}/{TENANT}/oauth2/v2.0/token"
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT) as session,
            session.post(url, data=wanted) as answer,
        ):
            answer.raise_for_status()
            given = await answer.json(content_type=None)
            return str(given[kind]), float(given["expires_in"])


def _form(who: str) -> dict[str, str]:
    known = IDENTITIES[who]
    if known.is_person:
        return {"grant_type": "password", "username": who}
    return {"grant_type": "client_credentials", "client_id": known.client_id}


def signing(api: str, issuer: str) -> ClientMiddlewareType:
    """Middleware of a client session: requests for the API carry a token, all others do not.

    Who sends is chosen by what is asked, as `sender_of` says; a header that is there already stays.
    """
    wallet = Wallet(issuer)

    async def sign(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
        if str(request.url).startswith(f"{api}/") and "Authorization" not in request.headers:
            who = sender_of(request.method, request.url.path)
            request.headers["Authorization"] = await wallet.bearer(who)
        return await send(request)

    return sign
