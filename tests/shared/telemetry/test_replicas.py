"""Replicas: each knows its own answers only, and together they have one breach with one end."""

import random
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.alerts.alert import Alert, Condition
from shared.domain.incidents.incident import Claim, DeliveryOutcome
from shared.domain.signals.signal import alert_of
from shared.telemetry.watch import Heard, Watch
from tests.shared.domain.incidents.incidents import World, at
from tests.shared.domain.signals.told import SIGNAL, TELLING

SLOT_S, WINDOW_S = 10, 60
STILL_S = 0.9 * WINDOW_S
"""So long after its last word a replica is not thought to be well by another one's."""

BAD, GOOD, IDLE = "bad", "good", "idle"
SERVED = st.lists(
    st.tuples(st.sampled_from([BAD, GOOD, GOOD, IDLE]), st.integers(3, 25)), min_size=1, max_size=4
).map(lambda runs: [what for what, slots in runs for _ in range(slots)])


class Fleet:
    """Replicas that serve side by side; what each tells is taken at once."""

    def __init__(self, size: int) -> None:
        self.world = World(TELLING)
        self.told: list[Alert] = []
        self.watches = [_watch() for _ in range(size)]
        self.breach_at: dict[int, float] = {}  # a replica's last word, where that is a breach
        self.ended = 0

    def serve(self, second: int, which: int, what: str) -> None:
        for _ in range(0 if what == IDLE else SLOT_S):
            telling = self.watches[which].count(good=what == GOOD, now=float(second))
            if telling is None:
                continue
            self.watches[which].hear(telling, Heard(taken=True), float(second))
            self._take(second, which, telling.good, telling.total)
            if telling.is_end:
                self.breach_at.pop(which, None)
                self.ended += 1
            else:
                self.breach_at[which] = second

    def _take(self, second: int, which: int, good: int, total: int) -> None:
        signal = msgspec.structs.replace(
            SIGNAL,
            id=f"{which}-{len(self.told)}",
            window=f"{WINDOW_S}s",
            good=good,
            total=total,
            ended_at=moment(second),
        )
        self.told.append(alert_of(signal, TELLING))
        self.world.take(self.told[-1])

    @property
    def open(self) -> bool:
        return bool(self.world.open())


def _watch() -> Watch:
    return Watch(0.99, window_s=WINDOW_S, minimum_requests=50, every_s=30)


def moment(second: float) -> datetime:
    return at(0) + timedelta(seconds=second)


def play(served: list[list[str]]) -> Fleet:
    """Let the replicas serve, and look after each slot."""
    fleet = Fleet(len(served))
    for slot in range(max(map(len, served))):
        second, ended = slot * SLOT_S, fleet.ended
        for which, mine in enumerate(served):
            fleet.serve(second, which, mine[slot] if slot < len(mine) else IDLE)
        quiet_s = [second - one for one in fleet.breach_at.values()]
        burns = any(
            which in fleet.breach_at and _burns(served[which], slot) for which in range(len(served))
        )
        if burns or any(quiet < STILL_S for quiet in quiet_s):
            assert fleet.open, "a replica burns, or has just said so"
        if not fleet.breach_at or (fleet.ended > ended and min(quiet_s) >= WINDOW_S):
            assert not fleet.open, "all are well again, or were silent for a window"
    return fleet


def _burns(mine: list[str], slot: int) -> bool:
    """Whether a replica has answered everybody badly for a whole window, and still does."""
    lately = mine[: slot + 1][-WINDOW_S // SLOT_S :]
    return len(mine) > slot and len(lately) == WINDOW_S // SLOT_S and set(lately) == {BAD}


@given(st.lists(SERVED, min_size=3, max_size=3))
def test_the_breach_is_open_while_any_replica_burns_and_ends_with_the_last(
    served: list[list[str]],
) -> None:
    play(served)


def test_one_that_is_well_again_does_not_end_anothers_breach() -> None:
    fleet = play([[BAD] * 10 + [GOOD] * 30, [BAD] * 30 + [GOOD] * 20, [GOOD] * 50])

    assert fleet.ended == 2
    assert [step.outcome for step in fleet.world.steps].count(DeliveryOutcome.OPENED) == 1
    assert not fleet.open


def test_one_that_was_shut_down_holds_the_others_breach_for_a_window_and_no_longer() -> None:
    killed, other = [BAD] * 20, [BAD] * 14 + [GOOD] * 40
    fleet = play([killed, other])
    assert not fleet.open

    alone = play([killed, [GOOD] * 54])
    assert alone.open, "whoever never burned cannot tell that it is over"


@given(st.lists(SERVED, min_size=3, max_size=3), st.randoms(use_true_random=False))
def test_in_whatever_order_it_arrives_the_end_is_the_same(
    served: list[list[str]], chance: random.Random
) -> None:
    fleet = play(served)
    mixed = list(fleet.told)
    chance.shuffle(mixed)

    assert bool(World(TELLING).take_all(mixed).open()) == fleet.open


@pytest.mark.parametrize(("before_s", "fires"), [(0, True), (53, True), (54, False), (90, False)])
def test_a_window_without_a_breach_ends_what_was_told_before_it_began(
    before_s: int, fires: bool
) -> None:
    world = World(TELLING)
    ends = msgspec.structs.replace(
        SIGNAL, id="end", good=80, window=f"{WINDOW_S}s", ended_at=moment(300)
    )
    begins = msgspec.structs.replace(
        SIGNAL, id="begin", window=f"{WINDOW_S}s", ended_at=moment(300 - before_s)
    )
    world.take_all([alert_of(begins, TELLING), alert_of(ends, TELLING)])

    (claim,) = world.claims.values()
    assert isinstance(claim, Claim)
    assert claim.is_firing is fires
    assert alert_of(ends, TELLING).condition is Condition.RESOLVED
