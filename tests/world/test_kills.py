"""Killed at any moment, Backstop ends what it began: once, completely, and told in full.

One incident, and half of its steps: after each, one function app or both are killed (SIGKILL) at a
moment that chance chooses. Every single boundary is for the simulator, hundreds of kills for the
kill soak; here it is one story, told in full by the real parts.
"""

from asyncio import sleep
from pathlib import Path
from random import Random

import pytest

from infra.local.demo.proof import Proof, prove
from tests.world.releases import bad_answers, earn_v1, ship_v2
from tests.world.stage import ENDED, Json, Stage, new_stage, told

pytestmark = [pytest.mark.world, pytest.mark.timeout(300)]

WITHIN_S = 120.0
ENOUGH = 20  # bad answers, so that policy's minimum of requests is reached in the region
STEPS = ("opened", "diagnosed", "decided", "acting", "written", "verifying")
STRUCK = 3


async def test_killed_at_random_it_is_mitigated_once_and_recorded(tmp_path: Path) -> None:
    chance = Random(6)  # noqa: S311 - repeatable
    async with new_stage(tmp_path) as stage:
        await earn_v1(stage)
        await ship_v2(stage)
        await bad_answers(stage, ENOUGH)
        incident = await stage.fire("killed")
        for step in sorted(chance.sample(STEPS, STRUCK), key=STEPS.index):
            await _kill_at(stage, incident, step, chance)
        view = await stage.until_state(incident, *ENDED, within_s=WITHIN_S)
        assert view["incident"]["state"] == "mitigated", told(view)
        assert view["intent"]["state"] == "confirmed"
        _changed_once((await stage.status())["changes"])
        proof = await _proven(stage, incident)
    assert proof.verified
    assert proof.missing == ()


async def _kill_at(stage: Stage, incident: str, step: str, chance: Random) -> None:
    """Wait for a step, or for the end; kill one app or both at a moment after it; start again."""
    await stage.until(step, lambda: _step(stage, incident), lambda now: now >= STEPS.index(step))
    await sleep(chance.uniform(0.0, 0.4))  # anywhere in the work that follows
    world = stage.world
    both = [world.responder, world.executor]
    chosen = chance.choice([both, [world.responder], [world.executor]])
    for app in chosen:
        app.kill()
    for app in chosen:
        app.start()
    for app in chosen:
        app.wait_ready()


async def _step(stage: Stage, incident: str) -> int:
    """How far the incident is, as an index of STEPS."""
    view = await stage.view(incident)
    if view["incident"]["state"] in (*ENDED, "verifying"):
        return STEPS.index("verifying")
    if view["intent"] is not None:
        written = len((await stage.status())["changes"]) > 1
        return STEPS.index("written" if written else "acting")
    if view["decision"] is not None:
        return STEPS.index("decided")
    return STEPS.index("diagnosed" if view["diagnosis"] is not None else "opened")


def _changed_once(changes: list[Json]) -> None:
    """One intended change: after the pipeline's own, all accepted bodies are the same."""
    own = [change["traffic"] for change in changes if change["caller"] != "release-pipeline"]
    assert own
    assert own == [own[0]] * len(own)
    assert own[0]["v1"] == 100


async def _proven(stage: Stage, incident: str) -> Proof:
    """The ledger's proof, once the fan-out has brought it everything and it stands still."""

    async def look() -> Proof:
        return await prove(stage.world, incident)

    return await stage.until(
        "the whole ledger", look, lambda proof: proof.verified and not proof.missing
    )
