"""Tokens: a JWT becomes the caller that it proves, or the reason why it proves none.

The only user of PyJWT. RS256 with a key of the issuer's own document and nothing else: the header's
`alg`, `jku`, `x5u` and `jwk` choose nothing. What was found right is remembered by the digest of
the token, so that a sender of many alerts is checked once and not a thousand times a second.
"""

import hashlib
from collections import OrderedDict
from datetime import datetime

import msgspec

from shared.adapters.signing_keys import SigningKeys
from shared.domain.authority.caller import Caller
from shared.domain.authority.claims import Channel, Expected, caller_from, read_claims
from shared.domain.authority.refused import Reason

ALGORITHM = "RS256"
LONGEST = 16_000  # characters; a token with two hundred groups has half of it
REMEMBERED = 4096
REMEMBERED_S = 600.0  # then it is checked again: a key may have been withdrawn


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was found right, until when (Unix seconds)."""

    caller: Caller
    until: float


class Tokens:
    """The tokens of one tenant for one app registration."""

    def __init__(self, expected: Expected, keys: SigningKeys | None = None) -> None:
        self._expected = expected
        url = f"{expected.authority}/{expected.tenant}/discovery/v2.0/keys"
        self._keys = keys or SigningKeys(url)
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def caller_of(self, token: str, channel: Channel, now: datetime) -> Caller | Reason:
        """Who calls by this token, or why it is refused. Raises Unavailable without any key."""
        if len(token) > LONGEST:
            return Reason.TOO_LONG
        name = _name_of(token, channel)
        known = self._known.get(name)
        if known is not None and now.timestamp() < known.until:
            return known.caller
        return await self._check(name, token, channel, now)

    async def close(self) -> None:
        """Give up what still runs."""
        await self._keys.close()

    async def _check(
        self, name: bytes, token: str, channel: Channel, now: datetime
    ) -> Caller | Reason:
        payload = await self._verified(token)
        if isinstance(payload, Reason):
            return payload
        claims = read_claims(payload)
        if claims is None:
            return Reason.WRONG_CLAIMS
        found = caller_from(claims, self._expected, channel, now)
        if isinstance(found, Caller):
            self._remember(name, found, min(claims.exp, now.timestamp() + REMEMBERED_S))
        return found

    async def _verified(self, token: str) -> bytes | Reason:
        """The payload, once the signature is right."""
        from jwt import InvalidTokenError, PyJWS

        jws = PyJWS(algorithms=[ALGORITHM])
        try:
            header = jws.get_unverified_header(token)
        except (InvalidTokenError, RecursionError):
            return Reason.MALFORMED
        if header.get("alg") != ALGORITHM or "crit" in header:
            return Reason.WRONG_ALGORITHM
        kid = header.get("kid")
        key = await self._keys.find(kid) if isinstance(kid, str) else None
        if key is None:
            return Reason.UNKNOWN_KEY
        try:
            payload: bytes = jws.decode(token, key, algorithms=[ALGORITHM])
        except InvalidTokenError:
            return Reason.WRONG_SIGNATURE
        return payload

    def _remember(self, name: bytes, caller: Caller, until: float) -> None:
        self._known[name] = _Known(caller=caller, until=until)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _name_of(token: str, channel: Channel) -> bytes:
    """What a token is remembered by; the same token that comes another way is another one."""
    digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
    return digest if channel is Channel.BEARER else channel.value.encode() + digest
