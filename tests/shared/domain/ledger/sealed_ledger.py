"""A small ledger of three chains under four seals, and seven ways to tamper with such a ledger."""

import base64
import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

import msgspec

from shared.domain.ledger.chain import Head, append, head_at
from shared.domain.ledger.record import LedgerRow, hash_of
from shared.domain.ledger.rsa import fingerprint_of
from shared.domain.ledger.seal import Seal, moved, state
from shared.domain.ledger.verification import Verification
from shared.domain.ledger.whole import LedgerCheck
from tests.fakes.signer import public_key_of, sign_as
from tests.shared.domain.decisions.worked_case import NOW, alter
from tests.shared.domain.ledger.worked_chain import event

SHARDS = ("07", "22", "51")
LENGTH = 24
SEALED_AT = (5, 6, 17, 24)  # after so many records of every chain
KEY = fingerprint_of(public_key_of("backstop"))


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """Rows and heads as the table has them, seals as the blobs have them."""

    rows: dict[str, tuple[LedgerRow, ...]]
    heads: dict[str, Head]
    seals: tuple[Seal, ...]

    def verified(self, *keys: str) -> Verification:
        """What the verification says."""
        check = LedgerCheck(keys or (KEY,))
        for seal in self.seals:
            check.take_seal(seal)
        for name, rows in sorted(self.rows.items()):
            begun = check.begin(name, self.heads.get(name))
            for row in rows:
                begun.take(row)
            check.conclude(name, begun)
        return check.end()


def chain_of(shard: str, length: int = LENGTH) -> tuple[LedgerRow, ...]:
    """The records of one partition."""
    incident = f"INC-{shard}-261123-0A1B2C3D"
    events = [
        event(number, id=f"{incident}-{number:04d}", incident=incident)
        for number in range(1, length + 1)
    ]
    return append(None, events, f"{shard}-202611")[1]


def sealed(rows: Iterable[Sequence[LedgerRow]], whose: str = "backstop") -> tuple[Seal, ...]:
    """Seal chains again and again as they grow."""
    seals: list[Seal] = []
    chains = [chain for chain in rows if chain]
    for length in SEALED_AT:
        heads = [head_at(chain[min(length, len(chain)) - 1]) for chain in chains]
        seals.append(next_seal(seals[-1] if seals else None, heads, whose))
    return tuple(seals)


def next_seal(last: Seal | None, heads: Iterable[Head], whose: str = "backstop") -> Seal:
    """The seal that follows."""
    every, key = moved(last, heads), public_key_of(whose)
    at = NOW + timedelta(minutes=5 * (last.statement.number if last else 0))
    statement = state(last, every, fingerprint_of(key), at)
    signature = sign_as(whose, statement.signed_bytes())
    return Seal(
        statement=statement,
        signature=base64.b64encode(signature).decode(),
        public_key=base64.b64encode(key).decode(),
        heads=every,
    )


ROWS = {f"{shard}-202611": chain_of(shard) for shard in SHARDS}
LEDGER = Ledger(
    rows=ROWS,
    heads={name: head_at(rows[-1]) for name, rows in ROWS.items()},
    seals=sealed(ROWS.values()),
)


def restamped(row: LedgerRow) -> LedgerRow:
    """A record whose hashes fit what it says, as a forger would make it who knows the code."""
    row = alter(row, body_hash=hashlib.sha256(row.body.encode()).hexdigest())
    return alter(row, hash=hash_of(row))


def rehashed(rows: Sequence[LedgerRow]) -> tuple[LedgerRow, ...]:
    """A chain made anew."""
    made: list[LedgerRow] = []
    for row in rows:
        previous = made[-1].hash if made else row.previous_hash
        made.append(restamped(alter(row, previous_hash=previous)))
    return tuple(made)


def spoiled(row: LedgerRow) -> LedgerRow:
    """A record that gives another reason."""
    return alter(row, body=row.body.replace('"why":"policy"', '"why":"orders"'))


type Tampered = tuple[Ledger, str]


def edited(rng: random.Random) -> Tampered:
    """A body says something else."""
    name, at = _somewhere(rng)
    rows = list(LEDGER.rows[name])
    rows[at] = spoiled(rows[at])
    return _with(name, rows), rows[at].name


def inserted(rng: random.Random) -> Tampered:
    """A record that was never recorded, in a place that fits it."""
    name, at = _somewhere(rng, first=1)
    rows = LEDGER.rows[name]
    copy = restamped(alter(rows[at], event_id="made-up", previous_hash=rows[at - 1].hash))
    copy = restamped(alter(copy, body=copy.body.replace(rows[at].event_id, "made-up")))
    return _with(name, [*rows[:at], copy, *rows[at:]]), copy.name


def deleted(rng: random.Random) -> Tampered:
    """A record is not there any more."""
    name, at = _somewhere(rng, last=LENGTH - 1)
    rows = LEDGER.rows[name]
    return _with(name, [*rows[:at], *rows[at + 1 :]]), f"{name}/{at + 1}"


def reordered(rng: random.Random) -> Tampered:
    """Two records have changed places."""
    name, _ = _somewhere(rng)
    first, second = sorted(rng.sample(range(LENGTH), 2))
    rows = list(LEDGER.rows[name])
    rows[first], rows[second] = rows[second], rows[first]
    return _with(name, rows), LEDGER.rows[name][second].name


def truncated(rng: random.Random) -> Tampered:
    """The newest records are gone, and the head says so."""
    name, at = _somewhere(rng)
    rows = LEDGER.rows[name][:at]
    cut = _with(name, rows)
    heads = {**LEDGER.heads, name: head_at(rows[-1])} if rows else _without(LEDGER.heads, name)
    return alter(cut, heads=heads), f"{name}/{at + 1}"


def made_anew(rng: random.Random) -> Tampered:
    """A record says something else, and every hash behind it fits, the head's, too."""
    name, at = _somewhere(rng)
    rows = list(LEDGER.rows[name])
    rows[at] = spoiled(rows[at])
    anew = rehashed(rows)
    heads = {**LEDGER.heads, name: head_at(anew[-1])}
    vouched = max(sealed_at for sealed_at in (0, *SEALED_AT) if sealed_at <= at)
    return alter(_with(name, anew), heads=heads), LEDGER.rows[name][vouched].name


def made_anew_and_sealed_anew(rng: random.Random) -> Tampered:
    """The same, and every seal is signed again, with a key that the forger has."""
    tampered, _ = made_anew(rng)
    return alter(tampered, seals=sealed(tampered.rows.values(), "forger")), "seal 1"


CLASSES: tuple[Callable[[random.Random], Tampered], ...] = (
    edited,
    inserted,
    deleted,
    reordered,
    truncated,
    made_anew,
    made_anew_and_sealed_anew,
)


def _somewhere(rng: random.Random, first: int = 0, last: int = LENGTH) -> tuple[str, int]:
    return rng.choice(sorted(LEDGER.rows)), rng.randrange(first, last)


def _with(name: str, rows: Sequence[LedgerRow]) -> Ledger:
    return alter(LEDGER, rows={**LEDGER.rows, name: tuple(rows)})


def _without[T](heads: dict[str, T], name: str) -> dict[str, T]:
    return {key: head for key, head in heads.items() if key != name}
