"""The spine where nobody can be blamed at first: it looks again, and in the end asks a person."""

from collections import Counter

import msgspec
import pytest

from shared.domain.catalog import Mode
from shared.domain.incidents.patience import LOOKS
from tests.simulation.faults import Faults, chosen_faults
from tests.simulation.report import explain
from tests.simulation.scene import CALLS_LATE, CALLS_LOST, LOOKED_FOR, Scene
from tests.simulation.spine import Run, play

SCHEDULES = 6
TROUBLES = 2  # two alerts that are not the same: each asks for a diagnosis
QUERIES = 11  # of one look; whose diagnosis counts asks for the tenants as well
PROMPT_S = 10.0  # how long the spine takes for what it does not wait for


def told(run: Run, what: str) -> list[float]:
    """When the timeline told of it."""
    return [turn.at for turn in run.trace if turn.mark.startswith(f"TELLS {what}")]


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_what_the_first_look_cannot_tell_the_next_does_and_it_is_cured(seed: int) -> None:
    run = play(seed, Faults(), CALLS_LATE, notes=True)

    assert (run.broken, run.state) == ("", "mitigated")
    assert told(run, "asks for a person") == []
    (decided,) = told(run, "decided: roll back")
    assert decided >= CALLS_LATE.calls_late.total_seconds()


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_what_stays_unknown_is_a_person_s_once_and_somebody_is_paged_at_once(seed: int) -> None:
    run = play(seed, Faults(), CALLS_LOST, notes=True)

    assert (run.broken, run.state) == ("", "escalated")
    (asked,) = told(run, "asks for a person")
    assert asked <= LOOKED_FOR.total_seconds() + PROMPT_S
    calls = Counter(turn.call for turn in run.trace if not turn.mark)
    assert QUERIES < calls["logs.query"] <= TROUBLES * ((LOOKS + 1) * QUERIES + 1)
    assert told(run, "paged")[0] <= PROMPT_S


@pytest.mark.parametrize(
    "held",
    [{"switch_on": True}, {"frozen": True}, {"mode": Mode.OBSERVE}],
    ids=lambda one: next(iter(one)),
)
def test_what_holds_automation_back_holds_what_the_next_look_finds_out(
    held: dict[str, object],
) -> None:
    scene = msgspec.structs.replace(CALLS_LATE, **held)

    run = play(7, Faults(), scene, notes=True)

    assert run.broken == ""
    assert run.state != "mitigated"


@pytest.mark.parametrize("scene", [CALLS_LATE, CALLS_LOST], ids=lambda scene: scene.name)
def test_every_promise_is_kept_in_every_schedule(scene: Scene) -> None:
    runs = (play(seed, chosen_faults(seed), scene) for seed in range(SCHEDULES))
    broken = [run for run in runs if run.broken]

    assert not broken, explain(broken[0])
