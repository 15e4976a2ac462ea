"""Signers in memory: a key that was made once for all tests, and another one for forgers."""

from functools import cache
from typing import Any, override

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from shared.adapters.vault_secrets import VaultSecrets
from shared.domain.ledger.rsa import fingerprint_of
from shared.errors import Refused, Unavailable
from tests.fakes.turns import Turns


@cache
def key_of(whose: str) -> rsa.RSAPrivateKey:
    """A key for each name; makes it at first use."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_key_of(whose: str) -> bytes:
    """Its public part in DER."""
    form: dict[str, Any] = {
        "encoding": serialization.Encoding.DER,
        "format": serialization.PublicFormat.SubjectPublicKeyInfo,
    }
    public: bytes = key_of(whose).public_key().public_bytes(**form)
    return public


def sign_as(whose: str, message: bytes) -> bytes:
    """An RS256 signature."""
    signature: bytes = key_of(whose).sign(message, padding.PKCS1v15(), hashes.SHA256())
    return signature


class FakeSigner:
    """Signs as `whose`. `out` makes the vault unreachable, `refuses` answers 403.

    `signed` is what was signed.
    """

    def __init__(self, turns: Turns, whose: str = "backstop") -> None:
        self.out = False
        self.refuses = False
        self.whose = whose
        self.signed: list[bytes] = []
        self._turns = turns

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(public_key_of(self.whose))

    async def public_key(self) -> bytes:
        await self._turn("public_key")
        return public_key_of(self.whose)

    async def sign(self, message: bytes) -> bytes:
        await self._turn("sign")
        self.signed.append(message)
        return sign_as(self.whose, message)

    async def close(self) -> None:
        return None

    async def _turn(self, what: str) -> None:
        await self._turns.take(f"signer.{what}")
        if self.out:
            raise Unavailable("vault", "it does not answer")
        if self.refuses:
            raise Refused("vault", "the vault answered 403")


class FakeSecrets(VaultSecrets):
    """The app's own vault. `refuses` answers 403."""

    def __init__(self, turns: Turns) -> None:
        self.refuses = False
        self._turns = turns

    @override
    async def try_reading(self) -> None:
        await self._turns.take("secrets.try_reading")
        if self.refuses:
            raise Refused("vault", "the vault answered 403")

    @override
    async def close(self) -> None:
        return None
