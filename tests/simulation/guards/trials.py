"""Trials: the runs in which a missing guard is looked for, the likeliest first."""

from collections.abc import Callable, Iterator
from functools import cache
from random import Random

import msgspec

from tests.simulation.faults import Faults
from tests.simulation.scene import SCENES, Scene
from tests.simulation.scheduler import Turn
from tests.simulation.spine import play

MOST_SEEDS = 60
FEW_SEEDS = 20

type Trials = Callable[[], Iterator["Trial"]]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One run in which a missing guard may show. Without faults and scene the seed chooses them."""

    seed: int
    faults: Faults | None = None
    scene: Scene | None = None


def seeds(*first: int) -> Trials:
    """Seeds with the faults of their own: these first, then from 0 on."""

    def trials() -> Iterator[Trial]:
        for seed in (*first, *range(MOST_SEEDS)):
            yield Trial(seed=seed)

    return trials


def scene(named: str | Scene) -> Trials:
    """A few seeds without faults in a scene."""

    def trials() -> Iterator[Trial]:
        played = SCENES[named] if isinstance(named, str) else named
        for seed in range(5):
            yield Trial(seed=seed, faults=Faults(), scene=played)

    return trials


def again(every: int) -> Trials:
    """The bus hands messages out twice, and nothing else goes wrong."""

    def trials() -> Iterator[Trial]:
        for seed in range(FEW_SEEDS):
            yield Trial(seed=seed, faults=Faults(again=every))

    return trials


def out(part: str, seconds: float) -> Trials:
    """A part is out from the beginning, and nothing else goes wrong."""

    def trials() -> Iterator[Trial]:
        for seed in range(FEW_SEEDS):
            yield Trial(seed=seed, faults=Faults(outages=((part, 0.0, seconds),)))

    return trials


def dying(part: str) -> Trials:
    """A part is out, and so many workers die early on that nobody of an app may be left."""

    def trials() -> Iterator[Trial]:
        for seed in range(MOST_SEEDS):
            chance = Random(f"dying {seed}")  # noqa: S311 - the same seed must give the same deaths
            kills = tuple(sorted(chance.sample(range(1, 30), 4)))
            yield Trial(seed=seed, faults=Faults(kills=kills, outages=((part, 0.0, 150.0),)))

    return trials


def losing(*subjects: str) -> Trials:
    """The bus loses a command of each of these subjects, and nothing else goes wrong."""

    def trials() -> Iterator[Trial]:
        for seed in range(FEW_SEEDS):
            yield Trial(seed=seed, faults=Faults(losses=subjects))

    return trials


def at(call: str, count: int, strike: Callable[[int], Faults], *, then: str = "") -> Trials:
    """A fault that strikes at the n-th call of a name, in a few seeds.

    With `then` it strikes where the same worker makes that call after it.
    """

    def trials() -> Iterator[Trial]:
        for seed in range(FEW_SEEDS):
            turn = _turn(_calls(seed), call, count, then)
            if turn:
                yield Trial(seed=seed, faults=strike(turn))

    return trials


@cache
def _calls(seed: int) -> list[Turn]:
    """The calls of a run without faults, turn by turn."""
    return [turn for turn in play(seed, Faults()).trace if turn.call]


def _turn(calls: list[Turn], call: str, count: int, then: str) -> int:
    """The number of the turn; 0 where the run has none such."""
    turns = [number for number, turn in enumerate(calls, start=1) if turn.call == call]
    if len(turns) < count:
        return 0
    first = turns[count - 1]
    if not then:
        return first
    worker = calls[first - 1].worker
    following = enumerate(calls[first:], start=first + 1)
    return next((n for n, turn in following if (turn.worker, turn.call) == (worker, then)), 0)
