"""Tokens: what was found right is remembered, in bounds, and by the way that it came.

That every attack fails is shown at the door, in `tests/shared/protocol/door/test_admit.py`.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from shared.adapters import tokens as room
from shared.adapters.signing_keys import SigningKeys
from shared.adapters.tokens import REMEMBERED_S, Tokens
from shared.domain.authority.caller import Caller
from shared.domain.authority.claims import Channel, Expected
from shared.domain.authority.refused import Reason
from tests.fakes.callers import TENANT
from tests.fakes.issuer import AUDIENCE, FakeIssuer, issuing
from tests.fakes.scene import NOW


class CountedKeys(SigningKeys):
    """Counts how often a signature was checked."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.found = 0

    async def find(self, kid: str) -> object:
        self.found += 1
        return await super().find(kid)


@pytest.fixture
async def issuer() -> AsyncIterator[FakeIssuer]:
    async with issuing(NOW) as made:
        yield made


@pytest.fixture
def keys(issuer: FakeIssuer) -> CountedKeys:
    return CountedKeys(f"{issuer.authority}/{TENANT}/discovery/v2.0/keys")


@pytest.fixture
def tokens(issuer: FakeIssuer, keys: CountedKeys) -> Tokens:
    expected = Expected(authority=issuer.authority, tenant=TENANT, audience=AUDIENCE)
    return Tokens(expected, keys)


async def test_a_token_that_comes_again_is_not_checked_again(
    tokens: Tokens, issuer: FakeIssuer, keys: CountedKeys
) -> None:
    token = issuer.sign(issuer.claims())
    seen = [await tokens.caller_of(token, Channel.BEARER, NOW) for _ in range(5)]
    assert isinstance(seen[0], Caller)
    assert set(seen) == {seen[0]}
    assert keys.found == 1


async def test_it_is_checked_again_after_a_while_and_never_outlives_its_end(
    tokens: Tokens, issuer: FakeIssuer, keys: CountedKeys
) -> None:
    token = issuer.sign(issuer.claims())
    await tokens.caller_of(token, Channel.BEARER, NOW)
    await tokens.caller_of(token, Channel.BEARER, NOW + timedelta(seconds=REMEMBERED_S))
    assert keys.found == 2
    late = NOW + timedelta(hours=1, seconds=61)
    assert await tokens.caller_of(token, Channel.BEARER, late) is Reason.EXPIRED


async def test_a_token_is_remembered_for_the_way_that_it_came(
    tokens: Tokens, issuer: FakeIssuer
) -> None:
    token = issuer.sign(issuer.claims())
    assert isinstance(await tokens.caller_of(token, Channel.BEARER, NOW), Caller)
    refused = await tokens.caller_of(token, Channel.EASY_AUTH, NOW)
    assert refused is Reason.NEITHER_PERSON_NOR_APP


async def test_what_is_refused_is_not_remembered(
    tokens: Tokens, issuer: FakeIssuer, keys: CountedKeys
) -> None:
    early = issuer.sign(issuer.claims(nbf=NOW + timedelta(hours=1)))
    assert await tokens.caller_of(early, Channel.BEARER, NOW) is Reason.NOT_YET_VALID
    later = NOW + timedelta(minutes=59)
    assert isinstance(await tokens.caller_of(early, Channel.BEARER, later), Caller)


async def test_no_more_are_remembered_than_fit(
    tokens: Tokens, issuer: FakeIssuer, keys: CountedKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "REMEMBERED", 2)
    every = [issuer.sign(issuer.claims(uti=str(number))) for number in range(3)]
    for token in [*every, every[2], every[0]]:
        await tokens.caller_of(token, Channel.BEARER, NOW)
    assert keys.found == 4, "the last one was known still, the first one no more"


async def test_no_token_is_kept_as_it_came(tokens: Tokens, issuer: FakeIssuer) -> None:
    token = issuer.sign(issuer.claims())
    await tokens.caller_of(token, Channel.BEARER, NOW)
    assert token.encode() not in b"".join(tokens._known)
    assert token not in repr(tokens._known)
