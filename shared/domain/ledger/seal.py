"""Seals: what all chains were at one moment, signed, numbered, and chained to one another.

`responders.evidence.seal` makes one wherever something was appended, and keeps it apart from the
table. What is signed is short: number, time, the root of the tree over all heads, and the hash of
the seal before. The heads lie beside it, because the root stands for them.
"""

import base64
import binascii
import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from shared.domain.ledger.chain import GENESIS, Head
from shared.domain.ledger.record import moment
from shared.domain.ledger.rsa import fingerprint_of, verify_signature
from shared.domain.ledger.tree import root_of

FORMAT = "backstop-seal/1"


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed. `key` is the fingerprint, `size` how many heads the root stands for.

    Its members are in alphabetical order and ASCII only: encoded, they are canonical JSON.
    """

    at: str
    format: str = FORMAT
    key: str
    number: int
    previous: str
    root: str
    size: int

    def signed_bytes(self) -> bytes:
        """What the signature is over."""
        return msgspec.json.encode(self)

    def hash(self) -> str:
        """What the next seal holds as `previous`."""
        return hashlib.sha256(self.signed_bytes()).hexdigest()


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """A statement with its signature, the key (both base64), and the heads in their order."""

    statement: Statement
    signature: str
    public_key: str
    heads: tuple[Head, ...]


def leaf(head: Head) -> bytes:
    """A head as a leaf of the tree."""
    return f"{head.partition} {head.sequence} {head.hash}".encode()


def root(heads: Sequence[Head]) -> str:
    """The root over heads in their order, in hex."""
    return root_of([leaf(head) for head in heads]).hex()


def moved(last: Seal | None, heads: Iterable[Head]) -> tuple[Head, ...]:
    """All heads of the next seal, by partition: those of the last one, and what has moved since."""
    known = {head.partition: head for head in last.heads} if last else {}
    known |= {head.partition: head for head in heads}
    return tuple(known[name] for name in sorted(known))


def state(last: Seal | None, heads: Sequence[Head], key: str, now: datetime) -> Statement:
    """What is to be signed next. Its time never goes back, whatever a clock says."""
    at = moment(now)
    return Statement(
        at=max(at, last.statement.at) if last else at,
        key=key,
        number=last.statement.number + 1 if last else 1,
        previous=last.statement.hash() if last else GENESIS,
        root=root(heads),
        size=len(heads),
    )


def check_seal(seal: Seal, last: Seal | None, keys: Collection[str]) -> str:
    """What is wrong with a seal that follows another (None: that is the first); "" for nothing."""
    said = seal.statement
    checks = (
        (said.key not in keys, f"it is signed with another key, {said.key}"),
        (not _signed(seal), "the signature is not that of its key"),
        (said.format != FORMAT, f"its format is {said.format}"),
        (said.number != (last.statement.number + 1 if last else 1), "it is out of order"),
        (said.previous != (last.statement.hash() if last else GENESIS), "it follows another seal"),
        (bool(last and said.at < last.statement.at), "it is older than the one before"),
        ((said.size, said.root) != (len(seal.heads), root(seal.heads)), "its heads were edited"),
        (bool(last) and _goes_back(seal, last), "a chain is shorter than it was"),
    )
    return next((problem for wrong, problem in checks if wrong), "")


def _signed(seal: Seal) -> bool:
    try:
        key = base64.b64decode(seal.public_key, validate=True)
        signature = base64.b64decode(seal.signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    known = fingerprint_of(key) == seal.statement.key
    return known and verify_signature(key, seal.statement.signed_bytes(), signature)


def _goes_back(seal: Seal, last: Seal | None) -> bool:
    now = {head.partition: head.sequence for head in seal.heads}
    return any(now.get(head.partition, 0) < head.sequence for head in last.heads) if last else False
