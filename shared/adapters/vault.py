"""The vault: RS256 by a key of Azure Key Vault that the executor may use and never sees.

`sign` of a Key Vault key takes the SHA-256 of what is signed; the key's version is asked once a
process, so that fingerprint and signatures are of one key. A token leaves for a vault of Azure and
for no other host.
"""

import base64
import binascii
import hashlib
from typing import Any
from urllib.parse import urlsplit

import msgspec
from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import HttpRequest

from shared.domain.ledger.rsa import encode_public_key
from shared.errors import Misconfigured, Refused, Unavailable

PART = "vault"
SETTING = "BACKSTOP_SIGNING_KEY"
API_VERSION = "7.4"
TIMEOUT_S = 10.0
# The clouds' vaults, each with the scope of its tokens: no other host ever gets one.
VAULTS = {
    ".vault.azure.net": "https://vault.azure.net/.default",
    ".vault.usgovcloudapi.net": "https://vault.usgovcloudapi.net/.default",
    ".vault.azure.cn": "https://vault.azure.cn/.default",
}
LOOPBACK = "127.0.0.1"


class _PublicNumbers(msgspec.Struct, frozen=True):
    """What is read of a vault's key: its own URL with the version, modulus, exponent."""

    kid: str
    kty: str
    n: str
    e: str


class _Key(msgspec.Struct, frozen=True):
    key: _PublicNumbers


class _Signature(msgspec.Struct, frozen=True):
    value: str


class VaultSigner:
    """A key of Azure Key Vault, by its URL with or without a version."""

    def __init__(self, key: str, credential: Any) -> None:
        """Raises Misconfigured where the URL is not that of a vault's key."""
        where = urlsplit(key)
        if not where.path.startswith("/keys/"):
            raise Misconfigured(f"BACKSTOP_SIGNING_KEY is not the URL of a key: {key}")
        self._path = where.path.rstrip("/")
        self._host = where.hostname or ""
        self._key: _PublicNumbers | None = None
        self._client: AsyncPipelineClient[Any, Any] = AsyncPipelineClient(
            f"{where.scheme}://{where.netloc}",
            policies=authentication(SETTING, where.scheme, self._host, credential),
            transport=AioHttpTransport(use_env_settings=False),
        )

    async def public_key(self) -> bytes:
        """The SubjectPublicKeyInfo in DER. Raises Unavailable."""
        key = await self._pinned()
        return encode_public_key(int.from_bytes(_decode(key.n)), int.from_bytes(_decode(key.e)))

    async def sign(self, message: bytes) -> bytes:
        """The RS256 signature of a message. Raises Unavailable."""
        key = await self._pinned()
        digest = base64.urlsafe_b64encode(hashlib.sha256(message).digest()).rstrip(b"=").decode()
        request = HttpRequest(
            "POST",
            self._url(f"{urlsplit(key.kid).path}/sign"),
            json={"alg": "RS256", "value": digest},
        )
        return _decode((await self._ask(request, _Signature)).value)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _pinned(self) -> _PublicNumbers:
        """The key's version that this process signs with."""
        if self._key is None:
            found = await self._ask(HttpRequest("GET", self._url(self._path)), _Key)
            if not found.key.kty.startswith("RSA"):
                raise Misconfigured("BACKSTOP_SIGNING_KEY is not an RSA key")
            self._key = found.key
        return self._key

    def _url(self, path: str) -> str:
        return str(self._client.format_url(f"{path}?api-version={API_VERSION}"))

    async def _ask[T: msgspec.Struct](self, request: HttpRequest, kind: type[T]) -> T:
        try:
            answer = await self._client.send_request(
                request, connection_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S
            )
        except AzureError as error:
            raise Unavailable(PART, type(error).__name__) from None
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's own numbers
            hint = ": is Key Vault Crypto User granted?" if answer.status_code in (401, 403) else ""
            trouble = Refused if hint else Unavailable
            raise trouble(PART, f"the vault answered {answer.status_code}{hint}", 30.0)
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.MsgspecError:
            raise Unavailable(PART, "the answer cannot be read") from None


def authentication(setting: str, scheme: str, host: str, credential: Any) -> list[Any]:
    """The app's identity towards a vault of Azure; nobody in particular on one's own machine.

    Raises Misconfigured, with the setting's name, where a token would go to another host.
    """
    if host == LOOPBACK and credential is None:
        return []
    scope = next((scope for end, scope in VAULTS.items() if host.endswith(end)), "")
    if scheme != "https" or not scope or credential is None:
        raise Misconfigured(f"{setting}: an identity and an https URL of a vault are needed")
    return [AsyncBearerTokenCredentialPolicy(credential, scope)]


def _decode(text: str) -> bytes:
    """The bytes of base64url without padding. Raises Unavailable."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise Unavailable(PART, "the answer cannot be read") from None
