"""Claims: what a token says whose signature is right, judged against what we expect of it.

Between the adapter that checks the signature and the door. Both forms of Entra's tokens are taken,
v1 (`appid`, `sts.windows.net`) and v2 (`azp`, `/v2.0`), each whole: a token that mixes them is none
of Entra's. Identity is the tenant and object id alone; people can change names and addresses.
"""

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.domain.authority.caller import AppRole, Caller, CallerKind
from shared.domain.authority.refused import Reason
from shared.domain.wording import plain

LEEWAY_S = 60.0
LONGEST_NAME = 120
_ROLES = {role.value: role for role in AppRole}
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Channel(StrEnum):
    """How a token came: by the caller itself, or by Easy Auth for a browser's session."""

    BEARER = "bearer"  # an access token for our API
    EASY_AUTH = "easy-auth"  # the id token of a sign-in


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Which tokens are ours. `audience` is the client id of our app registration."""

    authority: str
    tenant: str
    audience: str

    @property
    def issuer_v1(self) -> str:
        """Who issues tokens of the first form, whatever the authority's address is."""
        return f"https://sts.windows.net/{self.tenant}/"

    @property
    def issuer_v2(self) -> str:
        """Who issues tokens of the second form."""
        return f"{self.authority}/{self.tenant}/v2.0"


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims that count, by their names; decoding is strict: a `roles` string is no list."""

    iss: str
    aud: str
    tid: str
    exp: float
    iat: float
    nbf: float = 0.0
    oid: str = ""
    sub: str = ""
    ver: str = ""
    azp: str = ""
    appid: str = ""
    idtyp: str = ""
    scp: str = ""
    roles: tuple[str, ...] = ()
    name: str = ""
    app_displayname: str = ""

    @property
    def client(self) -> str:
        """The app that asked for the token; an id token names none."""
        return self.azp or self.appid


def read_claims(payload: bytes) -> Claims | None:
    """The claims of a token's payload; None where one is missing or not of its kind."""
    try:
        return msgspec.json.decode(payload, type=Claims)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def caller_from(
    claims: Claims, expected: Expected, channel: Channel, now: datetime
) -> Caller | Reason:
    """Who calls by these claims, or the first check that they fail."""
    failed = next((reason for reason, holds in _CHECKS if not holds(claims, expected)), None)
    if failed is not None:
        return failed
    untimely = _judge_times(claims, now.timestamp())
    if untimely is not None:
        return untimely
    kind = _kind_of(claims, channel)
    if kind is None or (channel is Channel.EASY_AUTH and claims.aud != expected.audience):
        return Reason.NEITHER_PERSON_NOR_APP
    return Caller(
        id=f"{claims.tid}/{claims.oid}".lower(),
        kind=kind,
        roles=frozenset(_ROLES[role] for role in claims.roles if role in _ROLES),
        name=plain(claims.name or claims.app_displayname)[:LONGEST_NAME],
        app_id=claims.client.lower(),
    )


def _has_issuer(claims: Claims, expected: Expected) -> bool:
    return claims.iss in (expected.issuer_v1, expected.issuer_v2)


def _has_audience(claims: Claims, expected: Expected) -> bool:
    """A token of the second form names the client id, one of the first may name its URI."""
    if claims.iss == expected.issuer_v2:
        return claims.aud == expected.audience
    return claims.aud in (expected.audience, f"api://{expected.audience}")


def _has_one_form(claims: Claims, expected: Expected) -> bool:
    if claims.iss == expected.issuer_v2:
        return not claims.appid and claims.ver in ("", "2.0")
    return not claims.azp and claims.ver in ("", "1.0")


_CHECKS: tuple[tuple[Reason, Callable[[Claims, Expected], bool]], ...] = (
    (Reason.WRONG_ISSUER, _has_issuer),
    (Reason.WRONG_TENANT, lambda claims, expected: claims.tid == expected.tenant),
    (Reason.WRONG_AUDIENCE, _has_audience),
    (Reason.MIXED_FORMS, _has_one_form),
    (Reason.NO_OBJECT, lambda claims, _: _GUID.fullmatch(claims.oid) is not None),
)


def _judge_times(claims: Claims, now: float) -> Reason | None:
    """Clocks may differ by the leeway, no more."""
    if not now < claims.exp + LEEWAY_S:
        return Reason.EXPIRED
    if not max(claims.nbf, claims.iat) <= now + LEEWAY_S:
        return Reason.NOT_YET_VALID
    return None


def _kind_of(claims: Claims, channel: Channel) -> CallerKind | None:
    """A person's access token has a scope, an app's has none; an id token names no client at all.

    Without `idtyp` an app's token is known by its subject, which is the object itself. None where
    the claims contradict one another, or where the token came by a way that is not its own.
    """
    by_person = claims.idtyp in ("", "user")
    if channel is Channel.EASY_AUTH:
        return CallerKind.PERSON if by_person and not claims.client and not claims.scp else None
    if not claims.client:
        return None
    if claims.scp:
        return CallerKind.PERSON if by_person else None
    is_app = claims.idtyp == "app" or (not claims.idtyp and claims.sub == claims.oid)
    return CallerKind.APP if is_app else None
