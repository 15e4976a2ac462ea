"""Three to five workers, by seeds: deaths, lost answers, deploys in between, clocks that are off.

BACKSTOP_SOAK multiplies how many schedules are played; each is a millisecond.
"""

import re
from collections import Counter
from collections.abc import Callable

import pytest

from tests.batteries.soak import SOAK
from tests.simulation.writing.play import play
from tests.simulation.writing.replay import replay, report, run_seed
from tests.simulation.writing.schedule import Kind, parse_schedule
from tests.simulation.writing.stage import Call

SEEDS = 20_000 * SOAK
BLOCK = 2_000


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_every_invariant_holds_in_every_schedule(
    first: int, record_property: Callable[[str, object], None]
) -> None:
    record_property("schedules", BLOCK)
    for seed in range(first, first + BLOCK):
        run = run_seed(seed)
        assert not run.broken, report(run, seed)


def test_the_seeds_cross_every_fault_and_every_end() -> None:
    befell: Counter[object] = Counter()
    ends: Counter[str] = Counter()
    for seed in range(BLOCK):
        run = run_seed(seed)
        ends.update(run.ends)
        befell.update({call.fault for _, _, call in run.trace})

    assert set(befell) == {None, *Kind}
    assert min(befell.values()) > 10
    assert set(ends) == {"confirmed", "aborted", "escalated"}


def test_a_run_can_be_played_again_from_the_schedule_that_it_leaves() -> None:
    for seed in range(100):
        run = run_seed(seed)
        again = play(parse_schedule(run.schedule.spell()))

        assert told(again.trace) == told(run.trace), seed


def test_a_schedule_is_spelt_so_that_a_shell_leaves_it_alone() -> None:
    schedules = [run_seed(seed).schedule for seed in range(200)]

    assert [parse_schedule(one.spell()) for one in schedules] == schedules
    assert all(re.fullmatch(r"[\w/:,.-]+", one.spell()) for one in schedules)


def told(trace: list[tuple[float, str, Call]]) -> list[str]:
    return [f"{at} {who} {call.name} {call.fault}" for at, who, call in trace]


def test_a_replay_tells_every_turn_and_how_it_ended() -> None:
    lines = replay("act:7")

    assert lines[0].startswith("act:7: ")
    assert len(lines) == run_seed(7).turns + 2
    assert any("state.write" in line and "intent" in line for line in lines)
    assert lines[-1].startswith("all held; the intent ended confirmed")
