"""A control: one clause of a framework, how it is judged, and what came of it.

Pass, fail, or n/a where nothing happened that it could be judged by. The failing events come first.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from shared.domain.evidence.story import Pointer
from shared.domain.evidence.trail import Trail

MOST_POINTERS = 1_000  # of one control; how many there are in all is said beside


class Result(StrEnum):
    """What came of a control."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    NOT_APPLICABLE = "n/a"


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the events: whether the ledger verifies, how long bodies are kept.

    `key` is the fingerprint of the key that signed the seals, "" where nothing is sealed.
    """

    as_of: datetime
    ledger_ok: bool
    ledger_problem: str
    seals: int
    key: str
    retention: timedelta


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one control: result, why in a sentence, and the events that it rests on."""

    result: Result
    why: str
    events: tuple[str, ...] = ()
    events_in_all: int = 0


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """One clause of one framework, what it asks in our words, and how it is judged."""

    id: str
    clause: str
    asks: str
    judge: Callable[[Trail, Ground], Judged]


def by_pointers(
    bad: Iterable[Pointer], good: Iterable[Pointer], *, fails: str, passes: str, none: str
) -> Judged:
    """Fail where anything is bad, n/a where there was nothing at all."""
    wrong, right = list(bad), list(good)
    every = [pointer.event for pointer in (*wrong, *right)]
    result = Result.FAIL if wrong else Result.PASS if right else Result.NOT_APPLICABLE
    count = len(wrong) or len(right)
    why = {Result.FAIL: fails, Result.PASS: passes, Result.NOT_APPLICABLE: none}[result]
    return Judged(
        result=result,
        why=why.format(count=count),
        events=tuple(every[:MOST_POINTERS]),
        events_in_all=len(every),
    )


def divide[T](these: Iterable[T], holds: Callable[[T], bool]) -> tuple[list[T], list[T]]:
    """Those for which it does not hold, and those for which it does."""
    every = [(holds(one), one) for one in these]
    return [one for ok, one in every if not ok], [one for ok, one in every if ok]
