"""The issuer's HTTP: the addresses of Entra that a validator and a sender ask.

It gives a token to whoever names somebody: there is no secret in the local world, and outside of it
its tokens are worth nothing.
"""

from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.local.issuer.identities import IDENTITIES, TENANT, Identity
from infra.local.issuer.issuer import LIFE, Form, Issuer


def create_issuer(issuer: Issuer) -> Starlette:
    """The app over one issuer; only requests by a loopback name are answered."""
    door = _Door(issuer)
    return Starlette(
        routes=[
            Route(f"/{TENANT}/v2.0/.well-known/openid-configuration", door.configuration),
            Route(f"/{TENANT}/discovery/v2.0/keys", door.keys),
            Route(f"/{TENANT}/oauth2/v2.0/token", door.token, methods=["POST"]),
            Route(f"/{TENANT}/oauth2/token", door.v1_token, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


class _Door:
    """The handlers."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    async def configuration(self, _request: Request) -> Response:
        """Where the keys are."""
        return _json(self._issuer.configuration())

    async def keys(self, _request: Request) -> Response:
        """The keys."""
        return _json(self._issuer.keys())

    async def token(self, request: Request) -> Response:
        """A v2 access token, with an id token for a person."""
        return self._answer(await _wanted(request), Form.V2)

    async def v1_token(self, request: Request) -> Response:
        """A v1 access token, as Azure Monitor's default is."""
        return self._answer(await _wanted(request), Form.V1)

    def _answer(self, who: Identity | None, form: Form) -> Response:
        if who is None:
            return _json({"error": "invalid_client", "known": sorted(IDENTITIES)}, 401)
        given: dict[str, object] = {
            "token_type": "Bearer",
            "expires_in": int(LIFE.total_seconds()),
            "access_token": self._issuer.token(who, form),
        }
        if who.is_person:
            given["id_token"] = self._issuer.token(who, Form.ID)
        return _json(given)


async def _wanted(request: Request) -> Identity | None:
    """Whom the form names: a program by `client_id`, a person by `username`."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    named = (form.get("client_id") or form.get("username") or [""])[0]
    by_client = {known.client_id: known for known in IDENTITIES.values() if known.client_id}
    return by_client.get(named) or IDENTITIES.get(named)


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
