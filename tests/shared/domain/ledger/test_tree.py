"""The tree is RFC 6962's: held to the RFC's own recursive words, and to its published root."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ledger.tree import root_of

LEAVES = st.lists(st.binary(max_size=40), max_size=70)
# The inputs and the root that Certificate Transparency's own tests publish.
KNOWN = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
KNOWN += ["606162636465666768696a6b6c6d6e6f"]
KNOWN_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def defined(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word: k is the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + defined(leaves[:k]) + defined(leaves[k:])).digest()


def test_it_has_the_root_that_is_published() -> None:
    assert root_of([bytes.fromhex(leaf) for leaf in KNOWN]).hex() == KNOWN_ROOT


@given(LEAVES)
def test_its_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert root_of(leaves) == defined(leaves)


@given(LEAVES.filter(bool), st.data())
def test_no_other_leaf_leads_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    others = [*leaves[:at], leaves[at] + b"x", *leaves[at + 1 :]]
    assert root_of(others) != root_of(leaves)
