"""Translations that outlive their process: to parse KQL in Python is half of a world's start.

`warmup` recalls them before it asks, and keeps what was new. They hold for the translator and the
sources that made them, and for nothing else.
"""

import contextlib
import hashlib
import os
from importlib.metadata import version
from pathlib import Path

import msgspec

from infra.local.logs import engine

SOURCES = Path(__file__).resolve().parent
KEPT = SOURCES.parents[2] / ".local" / "translations.json"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The file: what made the translations, and each by its KQL."""

    stamp: str
    translations: dict[str, engine.Translation]


def stamp() -> str:
    """A digest of all that a translation depends on."""
    parts = [version("duckdb-kql").encode()]
    parts += [path.read_bytes() for path in sorted(SOURCES.glob("*.py"))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def recall(path: Path = KEPT) -> int:
    """Know the translations of a file, if they still hold; how many."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return 0
    if kept.stamp != stamp():
        return 0
    engine.KNOWN.update(kept.translations)
    return len(kept.translations)


def keep(path: Path = KEPT) -> None:
    """Write down what is known; a disk that takes nothing costs the next start a second."""
    content = msgspec.json.encode(Kept(stamp=stamp(), translations=engine.KNOWN))
    beside = path.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
