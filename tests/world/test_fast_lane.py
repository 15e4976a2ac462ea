"""The fast lane: what a service or a health check tells is acted on before the logs know of it.

The alert rules never look here; what happens is the signals' doing alone.
"""

from asyncio import TaskGroup
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests.world.releases import REGION, bad_answers, earn_v1, ship_v2
from tests.world.stage import QUICK, SERVICE, Json, Stage, new_stage, told

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]

CHECKED = msgspec.structs.replace(QUICK, health_every_s=2.0)
LAGGING = msgspec.structs.replace(QUICK, log_lag_s=5.0)


async def test_what_is_checked_or_told_is_acted_on_before_the_logs_know(tmp_path: Path) -> None:
    async with TaskGroup() as stories:  # they mostly wait
        stories.create_task(_a_stopped_indexer(tmp_path / "indexer"))
        stories.create_task(_a_signal_and_probes(tmp_path / "signal"))


async def _a_stopped_indexer(folder: Path) -> None:
    """It is found while every route answers, and ends by itself."""
    async with new_stage(folder, pace=CHECKED) as stage:
        await _is_found_and_ends(stage)


async def _a_signal_and_probes(folder: Path) -> None:
    """A signal, and probes by name, move the traffic before the logs know."""
    async with new_stage(folder, pace=LAGGING) as stage:
        await _move_the_traffic(stage)


async def _is_found_and_ends(stage: Stage) -> None:
    await stage.post(f"{stage.at.control}/load")
    assert (await _health(stage, "passed"))["first_failing"] == ""
    bad = (await stage.status())["bad"]

    await stage.drill("stale-index")

    assert (await _health(stage, "failed"))["first_failing"] == "policy-wordings"
    (incident,) = await stage.until("an incident", stage.open_incidents, bool)
    assert "policy-wordings" in incident["title"]
    status = await stage.status()
    assert status["bad"] - bad <= 5  # strays: the routes answer as before

    await stage.drill("heal")
    view = await stage.until_state(incident["id"], "resolved")
    assert view["intent"] is None, told(view)


async def _move_the_traffic(stage: Stage) -> None:
    await earn_v1(stage)
    await ship_v2(stage)
    await bad_answers(stage, (await stage.status())["bad"] + 3)

    incident = await stage.incident_of(await _signal(stage))

    view = await stage.until_view("the write", incident, lambda one: one["intent"])
    assert "a signal says" in view["diagnosis"]["sentence"], told(view)
    (rule,) = [one for one in view["decision"]["rules"] if one["rule"] == "second-source"]
    assert rule["observed"].endswith("when probed")
    await stage.until_state(incident, "verifying", "mitigated")
    assert (await stage.status())["traffic"]["v1"] == 100

    assert await stage.fire("the-alert-that-follows") == incident


async def _signal(stage: Stage) -> str:
    """What the service's own telemetry tells of the region; answer the delivery's key."""
    now = datetime.now(UTC)
    signal = {
        "id": f"fnol-{now:%H%M%S}",
        "service": SERVICE,
        "sli": "availability",
        "window": "10s",
        "good": 41,
        "total": 80,
        "source": "telemetry-helper",
        "region": REGION,
        "ended_at": now.isoformat(),
    }
    answer = await stage.post("/api/signals", signal, who="signal")
    assert answer["judged"] == "breach"
    return str(answer["delivery"])


async def _health(stage: Stage, verdict: str) -> Json:
    """The report of the health check, once it says so."""
    found = await stage.until(
        f"the health check to have {verdict}",
        lambda: stage.ask("GET", f"/api/health?service={SERVICE}"),
        lambda reply: reply.status == 200 and reply.body["verdict"] == verdict,
    )
    report: Json = found.body
    return report
