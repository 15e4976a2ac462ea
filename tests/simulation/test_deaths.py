"""A grave alert reaches a human in time while workers die and one part is out.

Deaths strike from the first call on, when only one process knows of the alert, and so close to each
other that nobody of the responder may be left. Reaching means that Teams or the pager accepted it.
"""

from random import Random

import pytest

from tests.batteries.soak import SOAK
from tests.simulation.faults import PARTS, Faults
from tests.simulation.report import explain
from tests.simulation.spine import play

SEEDS = 12 * SOAK
OUT_S = 150.0  # longer than an action group tries
FIRST_TURNS = 60  # the alert is stored, taken, diagnosed and told of by then


@pytest.mark.parametrize("part", [*PARTS, "none"])
def test_somebody_knows_in_time_although_workers_die_and_a_part_is_out(part: str) -> None:
    runs = (play(seed, faults(part, seed)) for seed in range(SEEDS))
    broken = [run for run in runs if run.broken]

    assert not broken, explain(broken[0])


def faults(part: str, seed: int) -> Faults:
    """Up to four deaths early on, and a part that is out as the alert comes, or soon after."""
    chance = Random(f"{part} {seed}")  # noqa: S311 - the same seed must give the same faults
    kills = sorted(chance.sample(range(1, FIRST_TURNS), chance.choice((1, 2, 3, 4))))
    start = chance.choice((0.0, 0.0, 2.0, 8.0))
    outages = () if part == "none" else ((part, start, OUT_S),)
    return Faults(kills=tuple(kills), outages=outages)
