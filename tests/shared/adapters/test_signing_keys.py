"""The issuer's keys: asked for rarely, kept while it is out, and never more than they must."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from jwt.algorithms import RSAAlgorithm

from shared.adapters.signing_keys import (
    ASK_EVERY_S,
    ASK_FIRST_EVERY_S,
    OLD_S,
    SigningKeys,
)
from shared.errors import Unavailable
from tests.fakes.callers import TENANT
from tests.fakes.issuer import KID, FakeIssuer, issuing, key_of, public_jwk
from tests.fakes.scene import NOW


class Clock:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
async def issuer() -> AsyncIterator[FakeIssuer]:
    async with issuing(NOW) as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(issuer: FakeIssuer, clock: Clock) -> AsyncIterator[SigningKeys]:
    made = SigningKeys(f"{issuer.authority}/{TENANT}/discovery/v2.0/keys", clock)
    yield made
    await made.close()


async def test_a_known_key_is_read_once(keys: SigningKeys, issuer: FakeIssuer) -> None:
    found = [await keys.find(KID) for _ in range(3)]
    assert found[0].public_numbers() == key_of("ours").public_key().public_numbers()
    assert issuer.asked == 1


async def test_many_who_ask_at_once_ask_the_issuer_once(
    keys: SigningKeys, issuer: FakeIssuer
) -> None:
    found = await asyncio.gather(*(keys.find(kid) for kid in [KID, "another"] * 10))
    assert [key is not None for key in found] == [True, False] * 10
    assert issuer.asked == 1


async def test_unknown_keys_make_it_ask_once_a_minute_at_most(
    keys: SigningKeys, issuer: FakeIssuer, clock: Clock
) -> None:
    for number in range(50):
        assert await keys.find(f"unknown-{number}") is None
    assert issuer.asked == 1
    clock.at += ASK_EVERY_S
    for number in range(50):
        assert await keys.find(f"unknown-{number}") is None
    assert issuer.asked == 2


async def test_a_new_key_is_found_within_a_minute(
    keys: SigningKeys, issuer: FakeIssuer, clock: Clock
) -> None:
    await keys.find(KID)
    issuer.keys["new"] = "theirs"
    assert await keys.find("new") is None
    clock.at += ASK_EVERY_S
    assert await keys.find("new") is not None


async def test_while_the_issuer_is_out_the_old_keys_stay(
    keys: SigningKeys, issuer: FakeIssuer, clock: Clock
) -> None:
    await keys.find(KID)
    issuer.out = True
    clock.at += OLD_S + 1
    assert await keys.find(KID) is not None
    assert await keys.find("new") is None


async def test_a_key_that_was_withdrawn_is_forgotten_when_old_ones_are_read_anew(
    keys: SigningKeys, issuer: FakeIssuer, clock: Clock
) -> None:
    await keys.find(KID)
    issuer.keys = {"new": "theirs"}
    clock.at += OLD_S + 1
    assert await keys.find(KID) is not None, "nobody waits for the reading beside"
    assert keys._beside is not None
    await keys._beside
    assert await keys.find(KID) is None


async def test_without_any_key_it_is_unavailable_and_asked_again_soon(
    keys: SigningKeys, issuer: FakeIssuer, clock: Clock
) -> None:
    issuer.out = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            await keys.find(KID)
    assert issuer.asked == 1
    issuer.out = False
    clock.at += ASK_FIRST_EVERY_S
    assert await keys.find(KID) is not None


async def test_nobody_who_listens_is_the_same_as_out(issuer: FakeIssuer) -> None:
    with pytest.raises(Unavailable):
        await SigningKeys("http://127.0.0.1:9/keys").find(KID)


@pytest.mark.parametrize(
    "changes",
    [{"use": "enc"}, {"kty": "EC"}, {"alg": "RS512"}, {"n": "not a number", "e": ""}],
)
async def test_a_key_that_may_not_sign_is_no_key(
    keys: SigningKeys,
    issuer: FakeIssuer,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
) -> None:
    odd = {**public_jwk("theirs", "odd"), **changes}
    issuer.also = (odd,)
    assert await keys.find("odd") is None
    assert await keys.find(KID) is not None


async def test_a_document_without_end_is_no_document(keys: SigningKeys, issuer: FakeIssuer) -> None:
    issuer.also = ({"kty": "RSA", "n": "A" * 1_100_000},)
    with pytest.raises(Unavailable):
        await keys.find(KID)


async def test_a_short_key_is_no_key(keys: SigningKeys, issuer: FakeIssuer) -> None:
    short = RSAAlgorithm.to_jwk(key_of("short", 1024).public_key(), as_dict=True)
    issuer.also = ({**short, "kid": "short", "use": "sig"},)
    assert await keys.find("short") is None
