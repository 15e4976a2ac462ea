"""RS256 without a library says the same as the library, and takes nothing but a right signature."""

import hashlib
import random

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from shared.domain.ledger.rsa import encode_public_key, fingerprint_of, verify_signature
from tests.fakes.signer import key_of, public_key_of, sign_as

MESSAGE = b"what is signed"
KEY = public_key_of("backstop")
SIGNATURE = sign_as("backstop", MESSAGE)
DER, SPKI = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo


def test_a_signature_of_the_key_is_taken() -> None:
    assert verify_signature(KEY, MESSAGE, SIGNATURE)


def test_a_key_is_encoded_as_every_tool_does_it() -> None:
    numbers = key_of("backstop").public_key().public_numbers()
    assert encode_public_key(numbers.n, numbers.e) == KEY
    assert fingerprint_of(KEY) == hashlib.sha256(KEY).hexdigest()


def test_another_message_or_another_key_is_refused() -> None:
    assert not verify_signature(KEY, MESSAGE + b".", SIGNATURE)
    assert not verify_signature(public_key_of("forger"), MESSAGE, SIGNATURE)


def test_any_changed_byte_of_the_signature_is_refused() -> None:
    rng = random.Random(3)  # noqa: S311 - repeatable, not secret
    for _ in range(50):
        at = rng.randrange(len(SIGNATURE))
        changed = SIGNATURE[:at] + bytes([SIGNATURE[at] ^ 1]) + SIGNATURE[at + 1 :]
        assert not verify_signature(KEY, MESSAGE, changed)


def test_a_signature_that_is_too_large_by_the_modulus_is_refused() -> None:
    modulus = key_of("backstop").public_key().public_numbers().n
    larger = int.from_bytes(SIGNATURE) + modulus
    assert not verify_signature(KEY, MESSAGE, larger.to_bytes(257))


@pytest.mark.parametrize("signature", [b"", b"\0" * 256, SIGNATURE[:-1], b"\0" + SIGNATURE])
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    assert not verify_signature(KEY, MESSAGE, signature)


def test_other_hashes_and_paddings_are_refused() -> None:
    key = key_of("backstop")
    sha512 = key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA512())
    pss = key.sign(MESSAGE, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    assert not verify_signature(KEY, MESSAGE, sha512)
    assert not verify_signature(KEY, MESSAGE, pss)


def test_a_key_that_is_too_small_is_refused() -> None:
    """Its numbers are written down here, because nobody makes such keys any more."""
    p, q = 2**521 - 1, 2**607 - 1
    modulus, exponent = p * q, 65537
    secret = pow(exponent, -1, (p - 1) * (q - 1))
    size = (modulus.bit_length() + 7) // 8
    digest_info = bytes.fromhex("3031300d060960864801650304020105000420")
    tail = digest_info + hashlib.sha256(MESSAGE).digest()
    padded = b"\0\1" + b"\xff" * (size - len(tail) - 3) + b"\0" + tail
    signature = pow(int.from_bytes(padded), secret, modulus).to_bytes(size)
    assert not verify_signature(encode_public_key(modulus, exponent), MESSAGE, signature)


def test_what_is_no_rsa_key_is_refused() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(DER, SPKI)
    for key in (b"", b"0", KEY[:40], KEY + b"x", curve):
        assert not verify_signature(key, MESSAGE, SIGNATURE)
