"""A Merkle tree as RFC 6962 defines it: one root that stands for all leaves, in their order.

Seals sign the root over all heads; a path proves to who has a seal and one head that it is in it.
"""

import hashlib
from collections.abc import Sequence


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf, which no node can be taken for."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two halves."""
    return hashlib.sha256(b"\1" + left + right).digest()


def levels_of(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All hashes, from the leaves' up; one without a neighbour goes up as it is."""
    levels = [[leaf_hash(leaf) for leaf in leaves]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = [node_hash(*below[i : i + 2]) for i in range(0, len(below) - 1, 2)]
        levels.append([*pairs, *(below[-1:] if len(below) % 2 else [])])
    return levels


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root, 32 bytes; of no leaves it is the hash of nothing."""
    return levels_of(leaves)[-1][0] if leaves else hashlib.sha256().digest()


def path_of(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The neighbours from leaf `index` up to the root: the RFC's audit path."""
    path = []
    for level in levels_of(leaves)[:-1]:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        index //= 2
    return path


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a leaf and its path lead to. Raises ValueError where the path does not fit."""
    found, left, last = leaf_hash(leaf), list(path), size - 1
    while last:
        if index ^ 1 <= last:
            if not left:
                raise ValueError("the path is too short")
            neighbour = left.pop(0)
            found = node_hash(neighbour, found) if index % 2 else node_hash(found, neighbour)
        index, last = index // 2, last // 2
    if left or index:
        raise ValueError("the path is too long")
    return found
