"""The spine where the service tells of it itself: every promise is kept there as well."""

import msgspec
import pytest

from tests.simulation.faults import Faults, chosen_faults
from tests.simulation.report import explain
from tests.simulation.scene import BAD_RELEASE, Scene
from tests.simulation.spine import play

TOLD = msgspec.structs.replace(BAD_RELEASE, name="a signal tells of it", by_signal=True)
AHEAD = msgspec.structs.replace(TOLD, name="a signal comes before the logs", logs_behind=True)
SCHEDULES = 8


@pytest.mark.parametrize("scene", [TOLD, AHEAD], ids=lambda scene: scene.name)
def test_without_faults_the_traffic_goes_back_and_customers_are_well(scene: Scene) -> None:
    run = play(7, Faults(), scene)

    assert run.broken == ""
    assert run.state == "mitigated"


@pytest.mark.parametrize("scene", [TOLD, AHEAD], ids=lambda scene: scene.name)
def test_every_promise_is_kept_in_every_schedule(scene: Scene) -> None:
    runs = (play(seed, chosen_faults(seed), scene) for seed in range(SCHEDULES))
    broken = [run for run in runs if run.broken]

    assert not broken, explain(broken[0])
