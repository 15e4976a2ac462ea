"""Soak: how much the batteries play. Once in `make test`; BACKSTOP_SOAK times as much over night.

What fails is named so that it can be played again: the seed, or the very bytes, kept in a file.
"""

import os
import tempfile
from hashlib import sha256
from pathlib import Path

SOAK = max(1, int(os.environ.get("BACKSTOP_SOAK", "1")))
KEPT = Path(tempfile.gettempdir()) / "backstop-batteries"
SHOWN = 120  # bytes of an input that a message repeats


def keep(body: bytes) -> Path:
    """Keep an input that broke something, so that it can be posted again."""
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{sha256(body).hexdigest()[:16]}.bin"
    path.write_bytes(body)
    return path


def shown(body: bytes) -> str:
    """One line about an input: its beginning, its length, and where all of it is kept."""
    more = "..." if len(body) > SHOWN else ""
    return f"{body[:SHOWN]!r}{more} ({len(body)} bytes, kept in {keep(body)})"
