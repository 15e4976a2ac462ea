"""What a benchmark answers: figures with their targets, and what they were made of."""

import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from infra.local.bench.cast import CastWorld, bench_world


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One number. At most one of `at_most` and `at_least` is its target; neither: it informs."""

    name: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target was reached; None without a target."""
        if self.at_most is not None:
            return self.value <= self.at_most
        if self.at_least is not None:
            return self.value >= self.at_least
        return None

    @property
    def target(self) -> str:
        """The target in words; "" without one."""
        if self.at_most is not None:
            return f"at most {self.at_most:g}"
        return f"at least {self.at_least:g}" if self.at_least is not None else ""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark's figures, measured `at` (UTC) in `took_s`; `details` for who asks why.

    `load` is how many processes wanted a core meanwhile, ours among them: the last minute's mean.
    """

    title: str
    figures: tuple[Figure, ...]
    at: str = ""
    took_s: float = 0.0
    load: float | None = None
    quick: bool = False
    details: dict[str, Any] = {}


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """How a benchmark is run: where it may write, how it tells its progress, and how thoroughly.

    `open_world` answers a world as `bench_world` does, or one that has at least what is asked for.
    """

    folder: Path
    say: Callable[[str], None]
    quick: bool = False
    open_world: Callable[..., AbstractContextManager[CastWorld]] = bench_world

    def count(self, thorough: int, quick: int) -> int:
        """How often to do something."""
        return quick if self.quick else thorough


class NotMeasured(Exception):
    """A benchmark could not be carried through; the message says what did not happen."""


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)
