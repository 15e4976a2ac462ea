"""An issuer of tokens with a real key, whose keys are read over real HTTP on this machine.

What Entra would sign is one dict of claims away; so is what it never would.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared.domain.authority.permissions import AZURE_MONITOR
from tests.fakes.callers import ALICE, PIPELINE, TENANT

AUDIENCE = "ba550000-0000-4000-8000-000000000001"
COMMAND_LINE = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
KID = "the-key"


@cache
def key_of(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key by its name, made once: that is what takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public_jwk(name: str, kid: str) -> dict[str, Any]:
    found = RSAAlgorithm.to_jwk(key_of(name).public_key(), as_dict=True)
    return {**found, "kid": kid, "use": "sig"}


class FakeIssuer:
    """`keys` is what its document says, by key id; `out` lets it answer 503."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.keys = {KID: "ours"}
        self.also: tuple[dict[str, Any], ...] = ()  # as they are
        self.out = False
        self.asked = 0
        self.authority = ""

    def claims(self, **changes: Any) -> dict[str, Any]:
        """A person's v2 access token for our API, with some claims changed; None takes one out."""
        usual = {
            "iss": f"{self.authority}/{TENANT}/v2.0",
            "aud": AUDIENCE,
            "iat": self.now,
            "nbf": self.now,
            "exp": self.now + timedelta(hours=1),
            "tid": TENANT,
            "oid": ALICE.partition("/")[2],
            "sub": "pairwise-of-alice",
            "name": "Alice Adams",
            "ver": "2.0",
            "azp": COMMAND_LINE,
            "scp": "user_impersonation",
            "roles": ["Commander"],
        }
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def app_claims(self, *roles: str, client: str, **changes: Any) -> dict[str, Any]:
        """An app's v2 access token."""
        oid = PIPELINE.partition("/")[2]
        usual = {"azp": client, "scp": None, "name": None, "oid": oid, "sub": oid}
        return self.claims(**{**usual, "roles": list(roles), **changes})

    def webhook_claims(self, **changes: Any) -> dict[str, Any]:
        """Azure Monitor's token, as v2."""
        return self.app_claims("ActionGroupsSecureWebhook", client=AZURE_MONITOR, **changes)

    def as_v1(self, claims: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """The same token in the first form."""
        client = claims["azp"]
        v1 = {
            "iss": f"https://sts.windows.net/{TENANT}/",
            "aud": f"api://{AUDIENCE}",
            "appid": client,
            "ver": "1.0",
        }
        kept = {name: value for name, value in claims.items() if name != "azp"}
        return kept | v1 | changes

    def id_claims(self, **changes: Any) -> dict[str, Any]:
        """The id token that a browser's sign-in yields."""
        return self.claims(**{"azp": None, "scp": None, **changes})

    def sign(self, claims: dict[str, Any], key: str = "ours", **header: Any) -> str:
        headers = {name: value for name, value in ({"kid": KID} | header).items() if value}
        return jwt.encode(claims, key_of(key), algorithm="RS256", headers=headers)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if self.out:
            return web.Response(status=503)
        ours = [public_jwk(name, kid) for kid, name in self.keys.items()]
        return await self._send(request, json.dumps({"keys": [*ours, *self.also]}).encode())

    async def _send(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """In two parts, as a network would: a reader that takes the first for all has half."""
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        await asyncio.sleep(0.01)
        await response.write(body[len(body) // 2 :])
        return response

    async def _serve(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get(f"/{TENANT}/discovery/v2.0/keys", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.authority = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner


@asynccontextmanager
async def issuing(now: datetime) -> AsyncIterator[FakeIssuer]:
    """An issuer that answers on a free port."""
    issuer = FakeIssuer(now)
    runner = await issuer._serve()
    try:
        yield issuer
    finally:
        await runner.cleanup()
