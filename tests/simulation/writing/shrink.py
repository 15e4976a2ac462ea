"""Shrink: from a schedule that breaks something to a short one that breaks the same thing.

Greedy: fewer faults first, then fewer plans and workers, then fewer choices, then choices that let
whoever is at it go on. Each try is one play.
"""

from collections.abc import Iterator

import msgspec

from tests.simulation.writing.play import Run, play
from tests.simulation.writing.schedule import Schedule

MOST_PLAYS = 600


def shrink(run: Run) -> Run:
    """The shortest run that was found to break what `run` breaks."""
    best, plays = run, 0
    found = True
    while found and plays < MOST_PLAYS:
        found = False
        for candidate in _smaller(best.schedule):
            plays += 1
            tried = play(candidate)
            if tried.broken == run.broken:
                best, found = _as_asked(tried, candidate), True
                break
            if plays >= MOST_PLAYS:
                break
    return best


def _as_asked(run: Run, schedule: Schedule) -> Run:
    """A run keeps the choices that it was asked for, without the zeros behind them."""
    choices = run.schedule.choices[: len(schedule.choices)]
    while choices and choices[-1] == 0:
        choices = choices[:-1]
    return msgspec.structs.replace(run, schedule=msgspec.structs.replace(schedule, choices=choices))


def _smaller(schedule: Schedule) -> Iterator[Schedule]:
    replace = msgspec.structs.replace
    for number in range(len(schedule.faults)):
        faults = schedule.faults[:number] + schedule.faults[number + 1 :]
        yield replace(schedule, faults=faults)
    if any(schedule.skews):
        yield replace(schedule, skews=())
    if schedule.plans > 1:
        yield replace(schedule, plans=1)
    if schedule.workers > 2:
        yield replace(schedule, workers=schedule.workers - 1)
    yield from _calmer(schedule)


def _calmer(schedule: Schedule) -> Iterator[Schedule]:
    """With fewer changes of who is at it."""
    choices = schedule.choices
    for length in (0, len(choices) // 2, len(choices) * 3 // 4, len(choices) - 1):
        if 0 <= length < len(choices):
            yield msgspec.structs.replace(schedule, choices=choices[:length])
    for number in reversed(range(len(choices))):
        if choices[number]:
            calmer = (*choices[:number], 0, *choices[number + 1 :])
            yield msgspec.structs.replace(schedule, choices=calmer)
