"""What must not move traffic: trouble that no version has made, or that no version can cure.

In each story v2 has just taken over and looks suspicious. Backstop names what is really broken,
writes nothing to the endpoint, and calls a person. Each story has a world of its own, and two are
played side by side, because they mostly wait.
"""

from asyncio import TaskGroup
from pathlib import Path

import pytest

from tests.world.releases import REGION, bad_answers, earn_v1, fired_incident, ship_v2
from tests.world.stage import NEVER_S, WATCHED, Json, Stage, new_stage

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]


async def test_what_is_broken_beside_both_versions_is_named(tmp_path: Path) -> None:
    async with TaskGroup() as stories:
        stories.create_task(_a_region_that_both_versions_lose(tmp_path / "region"))
        stories.create_task(_a_throttled_model(tmp_path / "model"))


async def test_what_a_rollback_would_not_cure_moves_no_traffic(tmp_path: Path) -> None:
    async with TaskGroup() as stories:
        stories.create_task(_a_stale_index_and_then_a_lost_region(tmp_path / "index"))
        stories.create_task(_a_known_good_that_fails_and_then_what_follows_it(tmp_path / "good"))


async def _a_stale_index_and_then_a_lost_region(folder: Path) -> None:
    async with new_stage(folder, fuse_s=NEVER_S) as stage:  # v2 stays well
        await earn_v1(stage)
        await stage.drill("stale-index")
        await ship_v2(stage)
        view = await _handed_to_a_person(stage, await stage.fire("answers-rejected"))
        assert _cause(view) == ("index", "policy-wordings")
        assert "policy-wordings" in view["decision"]["reason"]
        await _resolve(stage, view)

        await stage.drill("heal")
        await stage.drill("region-out")
        await bad_answers(stage, 60)  # enough that the bin in which it began weighs little
        view = await _handed_to_a_person(stage, await stage.fire("region-lost"))
        assert _cause(view) == ("region", REGION)
        assert REGION in view["decision"]["reason"]


async def _a_region_that_both_versions_lose(folder: Path) -> None:
    async with new_stage(folder, fuse_s=NEVER_S) as stage:
        await earn_v1(stage)
        await ship_v2(stage, "share-v2")
        await stage.drill("region-out")
        await bad_answers(stage, 60)  # enough that the bin in which it began weighs little
        view = await _handed_to_a_person(stage, await stage.fire("region-lost"))
    assert _cause(view) == ("region", REGION), view["diagnosis"]


async def _a_throttled_model(folder: Path) -> None:
    async with new_stage(folder, pace=WATCHED, fuse_s=NEVER_S) as stage:
        await earn_v1(stage)
        await ship_v2(stage)
        await stage.drill("upstream-429")
        view = await _handed_to_a_person(stage, await fired_incident(stage))
        await stage.until("the webhook of both action groups", stage.status, _told_twice)
    cause, dependency = _cause(view)
    assert cause == "upstream", view["diagnosis"]
    assert dependency.endswith(".openai")
    assert dependency in view["decision"]["reason"]


async def _a_known_good_that_fails_and_then_what_follows_it(folder: Path) -> None:
    async with new_stage(folder) as stage:
        await earn_v1(stage)
        await stage.drill("spoil-v1")
        await bad_answers(stage, 20)
        view = await _handed_to_a_person(stage, await stage.fire("before-the-release"))
        assert view["diagnosis"]["health"] == "breached"
        assert "known good already" in view["decision"]["reason"]
        await _resolve(stage, view)

        await ship_v2(stage)
        began = (await stage.status())["bad"]
        await bad_answers(stage, began + 20)
        view = await _handed_to_a_person(stage, await stage.fire("after-the-release"))
        assert view["diagnosis"]["health"] == "breached"
        assert _cause(view)[0] != "version"  # it began before v2 took traffic


async def _handed_to_a_person(stage: Stage, incident: str) -> Json:
    """Wait for the decision; nothing may be written, and somebody must be paged."""
    view = await stage.until_state(incident, "escalated", "mitigated", "verifying")
    assert view["decision"]["verdict"] in ("hold", "refuse", "inconclusive"), view["decision"]
    assert view["incident"]["state"] == "escalated"
    assert view["intent"] is None
    await stage.paged(incident)
    await _nothing_was_written(stage)
    return await stage.view(incident)


async def _resolve(stage: Stage, view: Json) -> None:
    """A person ends it: the next trouble of this target is another incident."""
    path = f"/api/incidents/{view['incident']['id']}/resolve"
    await stage.post(path, {"why": "the first trouble is over"})


async def _nothing_was_written(stage: Stage) -> None:
    status = await stage.status()
    assert {change["caller"] for change in status["changes"]} <= {"release-pipeline"}
    assert status["refused_writes"] == 0


def _told_twice(status: Json) -> bool:
    """Azure Monitor has tokens of two forms, one an action group: both are taken, as one alert."""
    return bool(status["alerts"] >= 2 and status["folded"] >= 1)


def _cause(view: Json) -> tuple[str, str]:
    found = view["diagnosis"]["attribution"]
    return found["cause"], found["dependency"]
