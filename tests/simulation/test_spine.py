"""The whole spine, alert to card, under seeded interleavings, deaths, outages and lost answers."""

from collections.abc import Callable

import pytest

from tests.batteries.soak import SOAK
from tests.simulation.report import explain
from tests.simulation.scene import BUDGET_SPENT, ONLY_SIGNALS, SCENES, Scene
from tests.simulation.spine import Faults, play

SCHEDULES = 1_000 * SOAK
BLOCK = 25


@pytest.mark.parametrize("first", range(0, SCHEDULES, BLOCK))
def test_every_promise_is_kept_in_every_schedule(
    first: int, record_property: Callable[[str, object], None]
) -> None:
    record_property("schedules", BLOCK)
    broken = [run for run in map(play, range(first, first + BLOCK)) if run.broken]

    assert not broken, explain(broken[0])


@pytest.mark.parametrize(
    "scene", [*SCENES.values(), BUDGET_SPENT, ONLY_SIGNALS], ids=lambda scene: scene.name
)
def test_without_faults_it_is_mitigated_exactly_where_it_can_be(scene: Scene) -> None:
    run = play(7, Faults(), scene)

    assert run.broken == ""
    assert (run.state == "mitigated") is scene.cures


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = play(11), play(11)

    assert first.trace == second.trace
    assert first.state == second.state


def test_the_same_choices_give_the_same_run() -> None:
    first = play(11)
    second = play(99, first.faults, first.scene, first.choices)

    assert first.trace == second.trace


def test_another_seed_gives_another_run() -> None:
    assert play(11).trace != play(12).trace


@pytest.mark.parametrize("turn", range(20, 400, 19))
def test_two_deaths_one_after_the_other_lose_nothing(turn: int) -> None:
    run = play(turn, Faults(kills=(turn, turn + 7)))

    assert run.broken == ""
