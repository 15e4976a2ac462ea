"""Shrinking: the shortest schedule that still breaks the same promise.

First fewer faults, then fewer deviations from the order of arrival; a few dozen runs at most.
"""

from collections.abc import Iterator, Sequence

import msgspec

from tests.simulation.spine import Faults, Run, play

MOST_RUNS = 80
_LISTS = ("kills", "stops", "outages", "lost_answers", "deploys", "fates", "losses")


class Shrinker:
    """Tries smaller runs as long as they break the promise that the first one broke."""

    def __init__(self, run: Run) -> None:
        self.best = run
        self.runs = 0
        self._promise = run.broken.partition(":")[0]

    def shrink(self) -> Run:
        """The smallest run that was found."""
        while self._drop_fault():
            pass
        self._straighten()
        return self.best

    def _drop_fault(self) -> bool:
        return any(self._try(faults, None) for faults in _with_fewer(self.best.faults))

    def _straighten(self) -> None:
        """Take back deviations: all of them, else halves, quarters and so on."""
        size = max(1, len(_deviations(self.best)))
        while size and self.runs < MOST_RUNS:
            if not self._take_back(size):
                size //= 2

    def _take_back(self, size: int) -> bool:
        turns = _deviations(self.best)
        for first in range(0, len(turns), size):
            choices = list(self.best.choices)
            for turn in turns[first : first + size]:
                choices[turn] = 0
            if self._try(self.best.faults, choices):
                return True
        return False

    def _try(self, faults: Faults, choices: Sequence[int] | None) -> bool:
        if self.runs >= MOST_RUNS:
            return False
        self.runs += 1
        run = play(self.best.seed, faults, self.best.scene, choices or self.best.choices)
        if run.broken.partition(":")[0] != self._promise:
            return False
        self.best = run
        return True


def deviations(run: Run) -> int:
    """How often a run went on with another call than the one that waited longest."""
    return len(_deviations(run))


def _deviations(run: Run) -> list[int]:
    return [turn for turn, choice in enumerate(run.choices) if choice]


def _with_fewer(faults: Faults) -> Iterator[Faults]:
    """The same faults without one of them."""
    for name in _LISTS:
        several = getattr(faults, name)
        for number in range(len(several)):
            rest = several[:number] + several[number + 1 :]
            yield msgspec.structs.replace(faults, **{name: rest})
    if faults.switch is not None:
        yield msgspec.structs.replace(faults, switch=None)
    if faults.freeze is not None:
        yield msgspec.structs.replace(faults, freeze=None)
