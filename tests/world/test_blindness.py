"""What cannot be found out is not guessed, what would not help is not done: a person is called."""

from pathlib import Path

import pytest

from tests.world.releases import bad_answers, earn_v1, ship_v2
from tests.world.stage import Json, Stage, new_stage

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]


async def test_without_logs_arm_or_a_good_version_nothing_moves_and_with_them_it_is_cured(
    tmp_path: Path,
) -> None:
    async with new_stage(tmp_path) as stage:
        await earn_v1(stage)
        await ship_v2(stage)
        await bad_answers(stage, 20)

        await stage.drill("logs-out")
        view = await _stays(stage, await stage.fire("logs-out"), "inconclusive")
        assert view["diagnosis"]["health"] == "inconclusive"
        path = f"/api/incidents/{view['incident']['id']}/resolve"
        await stage.post(path, {"why": "the logs are back"})
        await stage.drill("heal")

        await stage.drill("arm-out")
        view = await _stays(stage, await stage.fire("arm-out"), "inconclusive")
        assert view["diagnosis"]["health"] == "breached"
        assert "endpoint" in view["decision"]["reason"]
        await stage.drill("heal")

        await stage.drill("spoil-v1")
        view = await _stays(stage, await stage.fire("equally-bad"), "refuse")
        assert view["diagnosis"]["health"] == "breached"
        assert "target-probe-passes" in _failed(view)
        await stage.drill("heal")

        assert len((await stage.status())["changes"]) == 1  # the pipeline's own
        incident = await stage.fire("all-well")
        assert incident == view["incident"]["id"]  # of the same target, and diagnosed anew
        view = await stage.until_state(incident, "mitigated")
        assert (await stage.status())["traffic"]["v1"] == 100


async def _stays(stage: Stage, incident: str, verdict: str) -> Json:
    """Wait for the decision, which moves nothing and calls somebody."""
    view = await stage.until_state(incident, "escalated", "mitigated", "verifying")
    assert view["decision"]["verdict"] == verdict, view["decision"]["reason"]
    assert view["intent"] is None
    await stage.paged(incident)
    return view


def _failed(view: Json) -> list[str]:
    return [rule["rule"] for rule in view["decision"]["rules"] if not rule["passed"]]
