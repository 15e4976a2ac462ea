"""Signing keys: the public keys of the issuer (JWKS), kept for the process and read anew in bounds.

Keys change rarely and without notice, so a key that is not known is asked for, but at most once a
minute: anybody can send a token that names one. An issuer that does not answer leaves the old keys.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import msgspec

from shared.errors import Unavailable

log = logging.getLogger("backstop.keys")

ASK_EVERY_S = 60.0  # at most, whatever is asked for
ASK_FIRST_EVERY_S = 5.0  # as long as there is none at all
OLD_S = 6 * 3600.0  # keys that were withdrawn are trusted no longer than this
TIMEOUT_S = 2.5  # whoever posts an alert hangs up after ten
LARGEST = 1_000_000
SHORTEST_BITS = 2048


class _Jwk(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the document, as far as it matters."""

    kty: str
    kid: str = ""
    n: str = ""
    e: str = ""
    use: str = "sig"
    alg: str = "RS256"

    @property
    def signs(self) -> bool:
        """Whether it may sign what we take."""
        return (self.kty, self.use, self.alg) == ("RSA", "sig", "RS256") and bool(self.kid)


class _Jwks(msgspec.Struct, frozen=True, kw_only=True):
    keys: tuple[_Jwk, ...]


class SigningKeys:
    """The issuer's keys by their id. `clock` gives seconds that never go back."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._asked_at = float("-inf")
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()
        self._beside: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> Any:
        """The RSA key of that id, or None. Raises Unavailable where no key was ever read.

        A key that is known is answered at once: old ones are read anew beside.
        """
        if kid not in self._keys:
            async with self._lock:  # who waited for somebody else's asking may know it by now
                if kid not in self._keys and self._may_ask():
                    await self._ask()
        elif self._clock() - self._read_at > OLD_S and self._may_ask():
            self._asked_at = self._clock()
            self._beside = asyncio.create_task(self._ask(), name="signing keys")
        if not self._keys:
            raise Unavailable("sign-in", "the issuer's keys cannot be read", ASK_FIRST_EVERY_S)
        return self._keys.get(kid)

    async def close(self) -> None:
        """Give up what is being read beside."""
        if self._beside is not None:
            self._beside.cancel()
            await asyncio.gather(self._beside, return_exceptions=True)

    def _may_ask(self) -> bool:
        bound = ASK_EVERY_S if self._keys else ASK_FIRST_EVERY_S
        return self._clock() - self._asked_at >= bound

    async def _ask(self) -> None:
        self._asked_at = self._clock()
        try:
            keys = _read(await self._get())
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, ValueError) as error:
            log.warning("the issuer's keys cannot be read: %s", type(error).__name__)
            return
        if keys:
            self._keys, self._read_at = keys, self._asked_at

    async def _get(self) -> bytes:
        """The document. A session of its own: this happens a few times a day."""
        limit = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.get(self._url, allow_redirects=False, raise_for_status=True) as response,
        ):
            document = bytearray()
            async for part in response.content.iter_any():
                document += part
                if len(document) > LARGEST:
                    raise ValueError("too large to be a list of keys")
            return bytes(document)


def _read(document: bytes) -> dict[str, Any]:
    """The keys that may sign, by id; one that cannot be read leaves the others alone."""
    found = msgspec.json.decode(document, type=_Jwks).keys
    keys = {jwk.kid: _key_of(jwk) for jwk in found if jwk.signs}
    return {kid: key for kid, key in keys.items() if key and key.key_size >= SHORTEST_BITS}


def _key_of(jwk: _Jwk) -> Any:
    from jwt import InvalidKeyError
    from jwt.algorithms import RSAAlgorithm

    try:
        return RSAAlgorithm.from_jwk({"kty": "RSA", "n": jwk.n, "e": jwk.e})
    except (InvalidKeyError, ValueError):
        log.warning("the issuer's key %s cannot be read", jwk.kid)
        return None
