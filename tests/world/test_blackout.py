"""A blackout: Azure fires and calls nobody. The sweep asks, and customers are served again."""

import msgspec
import pytest

from tests.world.releases import earn_v1, fired_incident, ship_v2
from tests.world.stage import ENDED, SERVICE, WATCHED, Json, Stage, told

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]

PACE = msgspec.structs.replace(WATCHED, sweep_every_s=1.0)


async def test_an_alert_that_never_arrives_is_found_and_traffic_goes_back(stage: Stage) -> None:
    await earn_v1(stage)
    await stage.drill("webhooks-out")
    await ship_v2(stage)

    incident = await fired_incident(stage)
    view = await stage.until_state(incident, *ENDED)

    status = await stage.status()
    assert view["incident"]["recovered_at"] is not None, told(view)
    assert status["traffic"] == {"v1": 100}
    assert status["alerts"] == 0
    delivery = await stage.until("the ledger's word", lambda: _swept(stage), bool)
    found = await stage.get(f"/api/deliveries/{delivery}")
    assert (found["source"], found["incident"]) == ("sweep", incident)


async def _swept(stage: Stage) -> str:
    """The first delivery of which the ledger says that the sweep found it; "" before."""
    found: Json = await stage.get(f"/api/changes?service={SERVICE}&limit=200")
    events = [change["event"] for change in found["changes"]]
    swept = [one["evidence"]["delivery"] for one in events if one["kind"] == "alert.swept"]
    return str(swept[-1]) if swept else ""
