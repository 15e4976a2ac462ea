"""Keys: how names that hold anything become table keys, and which shard owns what.

A key is a digest because Azure's ids hold slashes, hashes and blanks, which table keys may not. The
state table is cut into 64 shards, so that what must change together lies in one partition.
"""

import hashlib
from functools import cache, lru_cache

SHARDS = 64


def digest(*parts: str) -> str:
    """32 hex digits of SHA-256 over the parts; parts cannot run into one another."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@lru_cache(maxsize=1024)  # services are few
def shard_of(owner: str) -> str:
    """The partition ("00" to "63") of a service's name, or of a target that no service owns."""
    return f"{int(digest(owner)[:8], 16) % SHARDS:02d}"


@cache
def shards() -> tuple[str, ...]:
    """All partitions of the state table, for relay and sweeps."""
    return tuple(f"{number:02d}" for number in range(SHARDS))


def shard_of_incident(incident_id: str) -> str:
    """The partition that an incident id carries (INC-07-...); "" where it is not such an id."""
    parts = incident_id.split("-")
    known = len(parts) == 4 and parts[0] == "INC" and parts[1] in shards()
    return parts[1] if known else ""
