"""Damages: bytes spoiled as bytes, plain noise, and headers that say something else.

The other half of `mutations`, which spoils a document as JSON before it comes here.
"""

import codecs
import gzip
from collections.abc import Callable
from random import Random


def cut(chance: Random, body: bytes) -> bytes:
    """The end is missing."""
    return body[: chance.randrange(len(body) + 1)]


def flip(chance: Random, body: bytes) -> bytes:
    """Some bytes are others."""
    spoiled = bytearray(body)
    for _ in range(chance.randint(1, 8) if body else 0):
        spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
    return bytes(spoiled)


def double(chance: Random, body: bytes) -> bytes:
    """A stretch of it comes twice: a member, half of one, or the whole."""
    start, end = sorted(chance.randrange(len(body) + 1) for _ in range(2))
    return body[:end] + body[start:end] + body[end:]


def repeat_member(_: Random, body: bytes) -> bytes:
    """One member occurs twice in its object."""
    return body.replace(b'"severity"', b'"alertRule": "x", "severity"', 1)


def stuff(chance: Random, body: bytes) -> bytes:
    """Something stands in the middle that does not belong there."""
    at, what = chance.randrange(len(body) + 1), chance.choice(STUFFING)
    return body[:at] + what + body[at:]


def transcode(chance: Random, body: bytes) -> bytes:
    """In another encoding, with or without its mark."""
    name = chance.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "cp037"))
    return body.decode("utf-8", "replace").encode(name, "replace")


def mark(chance: Random, body: bytes) -> bytes:
    """One or two byte order marks, right or wrong."""
    return chance.choice((codecs.BOM_UTF8, codecs.BOM_UTF8 * 2, codecs.BOM_UTF16)) + body


def squeeze(_: Random, body: bytes) -> bytes:
    """Compressed, without saying so."""
    return gzip.compress(body, mtime=0)


DAMAGES: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(cut, flip, double, repeat_member, stuff, transcode, mark, squeeze),
)
STUFFING = (b"\x00", b"\xff", b",", b'"', b"{", b"]" * 70, b"[" * 70, b"\\ud800", b"NaN", b"\\")


def noise(chance: Random) -> bytes:
    size = chance.choice((0, 1, 7, 60, 600))
    if chance.random() < 0.5:
        return chance.randbytes(size)
    return bytes(chance.choice(b'{}[]",:\\ \n0e-tfnu') for _ in range(size))


def odd_headers(chance: Random) -> dict[str, str]:
    if chance.random() < 0.8:
        return {"content-type": "application/json; charset=utf-8"}
    return dict(chance.sample(ODD_HEADERS, chance.randint(0, 3)))


ODD_HEADERS = (
    *(("content-type", kind) for kind in ("text/plain", "application/json; charset=utf-16", "")),
    *(("content-type", kind) for kind in ("multipart/form-data; boundary=x", "\u00fc", "a" * 999)),
    *(("content-encoding", coding) for coding in ("gzip", "identity")),
    *(("origin", site) for site in ("null", "https://evil.example", "http://[", "//", "\u2028")),
    *(("sec-fetch-site", site) for site in ("cross-site", "none", "same-origin", "?")),
    *(("host", name) for name in ("evil.example", "", "[::1", "a" * 300)),
    *(("content-length", size) for size in ("-1", "1e9")),
)
