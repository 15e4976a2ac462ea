"""The insurers that use the local services: two live in each region, and are out when it is lost.

What the customers' load sends and the drawn history holds; opaque ids, as real telemetry has them.
"""

from zlib import crc32

PER_REGION = 2


def tenant_of(region: str, number: int) -> str:
    """The insurer whose request the n-th of a region is; they take turns."""
    return f"org-{crc32(region.encode()) % 9000 + 1000}-{number % PER_REGION + 1}"
