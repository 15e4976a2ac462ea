"""Responder faults: whatever call fails, one to five times in a row, the work is done in the end.

Nothing is lost, nothing is done twice, a human is reached: the promises of the simulation are held.
"""

from random import Random

import pytest

from tests.batteries.failing import Cell, Way, calls, run, run_writes, ways_of
from tests.batteries.soak import SOAK
from tests.fakes.endpoints import Write

MOST_IN_A_ROW = 5
COUNTS = calls()
CALLS = sorted(call for call in COUNTS if ways_of(call))
DEPENDENCIES = {"tables", "bus", "logs", "endpoint", "teams", "pager", "app_events"}


def cells(call: str, round_: int) -> list[Cell]:
    """Every way and every length; where it begins is chosen by the round."""
    chance = Random(f"{call} {round_}")  # noqa: S311 - the same cells every time
    return [
        Cell(call=call, way=way, times=times, first=chance.randint(1, COUNTS[call]))
        for way in ways_of(call)
        for times in range(1, MOST_IN_A_ROW + 1)
    ]


@pytest.mark.parametrize("round_", range(SOAK))
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_fails_up_to_five_times_keeps_every_promise(call: str, round_: int) -> None:
    broken = []
    for seed, cell in enumerate(cells(call, round_), start=round_ * 100):
        breach, _ = run(cell, seed)
        if breach:
            broken.append(f"{breach}: {cell.says()}, seed {seed}")

    assert broken == []


@pytest.mark.parametrize("times", range(1, MOST_IN_A_ROW + 1))
@pytest.mark.parametrize("fate", [fate for fate in Write if fate is not Write.LATE])
def test_a_write_that_meets_its_fate_up_to_five_times_keeps_every_promise(
    fate: Write, times: int
) -> None:
    assert run_writes(fate, times).broken == ""


def test_every_dependency_is_called_and_every_way_strikes() -> None:
    every = [Cell(call=call, way=way, times=1) for call in CALLS for way in ways_of(call)]
    first = {cell.way: cell for cell in every}

    assert {cell.part for cell in every} == DEPENDENCIES
    assert set(first) == set(Way)
    assert {way: run(cell)[1] for way, cell in first.items()} == dict.fromkeys(first, 1)
