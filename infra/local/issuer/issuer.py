"""The issuer itself: a key, and tokens with the claims that Entra puts into them."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from infra.local.issuer.identities import AUDIENCE, COMMAND_LINE, TENANT, Identity

LIFE = timedelta(hours=1)


class Form(StrEnum):
    """The kinds of tokens: access tokens of both versions, and what a browser's sign-in yields."""

    V1 = "v1"
    V2 = "v2"
    ID = "id"


def _now() -> datetime:
    return datetime.now(UTC)


def make_key() -> rsa.RSAPrivateKey:
    """A new key, which takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """Signs tokens with one key, its own without a `key`. `authority` is its address, unslashed."""

    def __init__(
        self,
        authority: str,
        clock: Callable[[], datetime] = _now,
        key: rsa.RSAPrivateKey | None = None,
    ) -> None:
        self.authority = authority
        self._clock = clock
        self._key = key or make_key()
        self._kid = uuid.uuid4().hex

    def token(self, who: Identity, form: Form = Form.V2) -> str:
        """A token of a person or program, good for an hour. Programs have no id token."""
        claims = self._claims(who, form, self._clock())
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._kid})

    def keys(self) -> dict[str, Any]:
        """The JWKS: what a signature is checked with."""
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {
            "keys": [{**public, "kid": self._kid, "use": "sig", "issuer": self._issuer(Form.V2)}]
        }

    def configuration(self) -> dict[str, Any]:
        """The OpenID configuration of the tenant."""
        base = f"{self.authority}/{TENANT}"
        return {
            "issuer": self._issuer(Form.V2),
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["id_token", "token"],
            "subject_types_supported": ["pairwise"],
        }

    def _issuer(self, form: Form) -> str:
        if form is Form.V1:
            return f"https://sts.windows.net/{TENANT}/"  # whatever the authority's address is
        return f"{self.authority}/{TENANT}/v2.0"

    def _claims(self, who: Identity, form: Form, now: datetime) -> dict[str, Any]:
        return {
            "iss": self._issuer(form),
            "aud": f"api://{AUDIENCE}" if form is Form.V1 else AUDIENCE,
            "iat": now,
            "nbf": now,
            "exp": now + LIFE,
            "tid": TENANT,
            "oid": who.object_id,
            "sub": f"{who.key} of {AUDIENCE}" if who.is_person else who.object_id,
            "roles": list(who.roles),
            "uti": uuid.uuid4().hex,
            "ver": "1.0" if form is Form.V1 else "2.0",
            **_client(who, form),
            **(_person(who, form) if who.is_person else {"idtyp": "app"}),
        }


def _client(who: Identity, form: Form) -> dict[str, str]:
    """The client that asked for an access token, and how it proved itself."""
    if form is Form.ID:
        return {}
    claim = "appid" if form is Form.V1 else "azp"
    return {claim: who.client_id or COMMAND_LINE, f"{claim}acr": "0" if who.is_person else "2"}


def _person(who: Identity, form: Form) -> dict[str, str]:
    told = {"name": who.name, "preferred_username": f"{who.key}@backstop.local"}
    return told if form is Form.ID else {**told, "idtyp": "user", "scp": "user_impersonation"}
