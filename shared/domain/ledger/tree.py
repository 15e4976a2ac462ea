"""A Merkle tree as RFC 6962 defines it: one root that stands for all leaves, in their order.

Seals sign the root over all heads.
"""

import hashlib
from collections.abc import Sequence


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root, 32 bytes; of no leaves it is the hash of nothing.

    No node can be taken for a leaf. One without a neighbour goes up as it is.
    """
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = [level[i] + level[i + 1] for i in range(0, len(level) - 1, 2)]
        odd = level[-1:] if len(level) % 2 else []
        level = [*(hashlib.sha256(b"\1" + pair).digest() for pair in pairs), *odd]
    return level[0] if level else hashlib.sha256().digest()
