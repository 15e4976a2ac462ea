"""Without logs or without ARM nothing is guessed: a person is called, and no traffic moves."""

from pathlib import Path

import pytest

from tests.world.releases import bad_answers, earn_v1, ship_v2
from tests.world.stage import Json, Stage, new_stage

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]


async def test_without_logs_or_arm_nothing_is_guessed_and_with_them_it_is_cured(
    tmp_path: Path,
) -> None:
    async with new_stage(tmp_path, rule_every_s=3600.0) as stage:  # the test fires the alerts
        await earn_v1(stage)
        await ship_v2(stage)
        await bad_answers(stage, 30)

        await stage.drill("logs-out")
        view = await _inconclusive(stage, await stage.fire("logs-out"))
        assert view["diagnosis"]["health"] == "inconclusive"
        path = f"/api/incidents/{view['incident']['id']}/resolve"
        await stage.post(path, {"why": "the logs are back"})
        await stage.drill("heal")

        await stage.drill("arm-out")
        view = await _inconclusive(stage, await stage.fire("arm-out"))
        assert view["diagnosis"]["health"] == "breached"
        assert "endpoint" in view["decision"]["reason"]
        await stage.drill("heal")

        assert len((await stage.status())["changes"]) == 1  # the pipeline's own
        incident = await stage.fire("all-well")
        assert incident == view["incident"]["id"]  # of the same target, and diagnosed anew
        view = await stage.until_state(incident, "mitigated")
        assert (await stage.status())["traffic"]["v1"] == 100


async def _inconclusive(stage: Stage, incident: str) -> Json:
    view = await stage.until_state(incident, "escalated", "mitigated", "verifying")
    assert view["decision"]["verdict"] == "inconclusive", view["decision"]["reason"]
    assert view["intent"] is None
    await stage.paged(incident)
    return view
