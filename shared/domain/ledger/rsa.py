"""RSA signatures as seals have them (RS256: PKCS #1 v1.5 with SHA-256), checked without a library.

A key is its SubjectPublicKeyInfo in DER, as every tool writes it, and is known by its fingerprint.
Signing is the adapter's (`shared.adapters.signer`): a private key is never in here.
"""

import hashlib

_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")
_SEQUENCE, _INTEGER, _BIT_STRING = 0x30, 0x02, 0x03
SMALLEST_BITS = 2048


def fingerprint_of(public_key: bytes) -> str:
    """SHA-256 of the key's DER, in hex: `openssl pkey -pubin -outform DER | sha256sum`."""
    return hashlib.sha256(public_key).hexdigest()


def encode_public_key(modulus: int, exponent: int) -> bytes:
    """The DER of a key of which the numbers are known."""
    numbers = _element(_INTEGER, _bytes_of(modulus)) + _element(_INTEGER, _bytes_of(exponent))
    key = _element(_BIT_STRING, b"\0" + _element(_SEQUENCE, numbers))
    return _element(_SEQUENCE, _RSA_ENCRYPTION + key)


def verify_signature(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether whoever has the private key signed this message. False for what is no such key."""
    try:
        modulus, exponent = _decode_public_key(public_key)
    except (ValueError, IndexError):
        return False
    size = (modulus.bit_length() + 7) // 8
    if modulus.bit_length() < SMALLEST_BITS or len(signature) != size:
        return False
    number = int.from_bytes(signature)
    tail = _DIGEST_INFO + hashlib.sha256(message).digest()
    padded = b"\0\1" + b"\xff" * (size - len(tail) - 3) + b"\0" + tail
    return number < modulus and pow(number, exponent, modulus).to_bytes(size) == padded


def _decode_public_key(public_key: bytes) -> tuple[int, int]:
    whole, rest = _take(_SEQUENCE, public_key)
    if rest or not whole.startswith(_RSA_ENCRYPTION):
        raise ValueError("not the DER of an RSA key")
    bits, _ = _take(_BIT_STRING, whole[len(_RSA_ENCRYPTION) :])
    numbers, _ = _take(_SEQUENCE, bits[1:])
    modulus, rest = _take(_INTEGER, numbers)
    exponent, _ = _take(_INTEGER, rest)
    return int.from_bytes(modulus), int.from_bytes(exponent)


def _take(tag: int, data: bytes) -> tuple[bytes, bytes]:
    """The content of the first element, and what follows it."""
    if data[0] != tag:
        raise ValueError("another element was expected")
    size, start = data[1], 2
    if size >= 0x80:
        start += size - 0x80
        size = int.from_bytes(data[2:start])
    if start + size > len(data):
        raise ValueError("the element is cut off")
    return data[start : start + size], data[start + size :]


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 + len(length)]) + length + content


def _bytes_of(number: int) -> bytes:
    """A positive number as DER has it: a first bit of 1 would mean that it is negative."""
    return number.to_bytes(number.bit_length() // 8 + 1)
