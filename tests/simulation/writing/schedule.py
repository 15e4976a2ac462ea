"""A schedule: who works, who is given each turn, and what goes wrong where. As a value, so that
it can be cut down, written into a line and played again.
"""

from enum import StrEnum
from random import Random

import msgspec

LEASE_S = 120.0
MOST_SKEW_S = 600.0


class Kind(StrEnum):
    """What may go wrong at a turn."""

    KILL = "dies"
    OUT = "gets no answer, and nothing happened"
    LOST = "gets no answer, though it happened"
    CONFLICT = "is told of a conflict that there was not"
    ECHO = "is told of a conflict, though it happened"
    STALE = "is shown the endpoint as it was before"
    REFUSED = "is refused by the endpoint"
    IGNORED = "is answered, and nothing happens"
    FAILED = "is answered, and the operation fails"
    LATE = "gets no answer; it happens later"
    SLEEP = "is frozen for a while"
    SKEW = "has its clock set"
    MOVED = "comes after a pipeline that moved the traffic elsewhere"
    BACK = "comes after a pipeline that moved the traffic to where it was"
    TOUCHED = "comes after a pipeline that left the traffic as it is"
    SWITCH = "comes after somebody turned the kill switch"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What happens at the first turn from `turn` on that it can befall. `amount` is in seconds."""

    turn: int
    kind: Kind
    amount: float = 0.0


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """`choices` say who is next wherever several can be: 0 is the one that had the last turn.

    Behind their end everybody goes on as long as possible. Of `plans` for the same endpoint,
    worker n carries out number n modulo `plans`.
    """

    workers: int
    plans: int = 1
    skews: tuple[float, ...] = ()
    faults: tuple[Fault, ...] = ()
    choices: tuple[int, ...] = ()

    def spell(self) -> str:
        """In one word that every shell leaves alone, such as 3/1/600,0,0/51:KILL:0/0012."""
        skews = ",".join(f"{skew:g}" for skew in self.skews)
        faults = ",".join(f"{f.turn}:{f.kind.name}:{f.amount:g}" for f in self.faults)
        choices = "".join(map(str, self.choices))
        return f"{self.workers}/{self.plans}/{skews}/{faults}/{choices}"


def parse_schedule(word: str) -> Schedule:
    """Read what `spell` wrote. Raises ValueError and KeyError."""
    workers, plans, skews, faults, choices = word.split("/")
    return Schedule(
        workers=int(workers),
        plans=int(plans),
        skews=tuple(float(skew) for skew in skews.split(",") if skew),
        faults=tuple(_parse_fault(fault) for fault in faults.split(",") if fault),
        choices=tuple(map(int, choices)),
    )


def _parse_fault(word: str) -> Fault:
    turn, kind, amount = word.split(":")
    return Fault(turn=int(turn), kind=Kind[kind], amount=float(amount))


_OFTEN = (
    *(Kind.KILL, Kind.KILL, Kind.KILL, Kind.SLEEP, Kind.SLEEP),
    *(Kind.OUT, Kind.OUT, Kind.LOST, Kind.LOST, Kind.CONFLICT, Kind.ECHO),
    *(Kind.MOVED, Kind.MOVED, Kind.BACK, Kind.TOUCHED),
    *(Kind.STALE, Kind.REFUSED, Kind.IGNORED, Kind.FAILED, Kind.LATE),
    *(Kind.SKEW, Kind.SWITCH),
)
# As long as the others wait, so that all go on at once: the tick, and who met the lease.
_SLEEPS = (20.0, 100.0, LEASE_S, LEASE_S + 0.5, LEASE_S + 0.5, 140.0, 3 * LEASE_S)
_AMOUNTS = {Kind.SLEEP: _SLEEPS, Kind.LATE: (0.0, 5.0, 70.0, 200.0), Kind.OUT: (1.0, 5.0, 30.0)}


def chosen_schedule(chance: Random) -> Schedule:
    """Three to five workers and up to four faults; the choices are left to whoever plays it."""
    workers = chance.choice((3, 3, 4, 5))
    is_skewed = chance.random() < 0.3
    skews = [
        chance.uniform(-MOST_SKEW_S, MOST_SKEW_S) if is_skewed else 0.0 for _ in range(workers)
    ]
    faults = [_chosen_fault(chance) for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 4)))]
    return Schedule(
        workers=workers,
        plans=chance.choice((1, 1, 2)),
        skews=tuple(round(skew) for skew in skews),
        faults=tuple(sorted(faults, key=lambda fault: fault.turn)),
    )


def _chosen_fault(chance: Random) -> Fault:
    kind = chance.choice(_OFTEN)
    amount = chance.choice(_AMOUNTS.get(kind, (0.0,)))
    if kind is Kind.SKEW:
        amount = round(chance.uniform(-MOST_SKEW_S, MOST_SKEW_S))
    return Fault(turn=chance.randint(1, 60), kind=kind, amount=amount)
