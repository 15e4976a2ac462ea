"""The whole spine, alert to card, under seeded interleavings, deaths, outages and lost answers."""

import pytest

from tests.simulation.spine import Faults, play

SEEDS = 120
BLOCK = 20


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_every_invariant_holds_in_every_schedule(first: int) -> None:
    broken = [
        (run.seed, run.broken) for run in map(play, range(first, first + BLOCK)) if run.broken
    ]

    assert broken == []


def test_without_faults_the_traffic_goes_back_and_the_incident_is_mitigated() -> None:
    run = play(7, Faults())

    assert (run.broken, run.state) == ("", "mitigated")


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = play(11), play(11)

    assert first.trace == second.trace
    assert first.state == second.state


def test_another_seed_gives_another_run() -> None:
    assert play(11).trace != play(12).trace


@pytest.mark.parametrize("turn", range(20, 400, 19))
def test_two_deaths_one_after_the_other_lose_nothing(turn: int) -> None:
    run = play(turn, Faults(kills=(turn, turn + 7)))

    assert run.broken == ""
