"""The product's own events arrive in AppEvents, with their properties and measurements."""

import pytest

from infra.local.logs.server import create_app
from shared.adapters.app_events import AppEvents
from shared.domain.app_event import AppEvent
from shared.errors import Misconfigured, Unavailable
from tests.infra.local.logs.workspace import NOW, make_store, serve

EVENT = AppEvent(
    name="backstop.health_check",
    role="fnol-summary",
    at=NOW,
    properties={"backstop.probe": "true", "backstop.verdict": "failed"},
    measurements={"good": 17, "total": 20},
)
KQL = """AppEvents
| where Name == "backstop.health_check" and tostring(Properties["backstop.verdict"]) == "failed"
| project AppRoleName, Good = toint(Measurements["good"]), Total = toint(Measurements["total"])"""


async def test_what_was_sent_is_found_by_kql() -> None:
    with make_store() as store:
        async with serve(create_app(store)) as address:
            events = AppEvents(f"InstrumentationKey=k;IngestionEndpoint={address}/", None)
            await events.send([EVENT, EVENT])
            await events.close()
        assert [tuple(row) for row in store.query(KQL).rows] == [("fnol-summary", 17, 20)] * 2


async def test_what_is_not_taken_is_said() -> None:
    events = AppEvents("InstrumentationKey=k;IngestionEndpoint=http://127.0.0.1:1", None)
    with pytest.raises(Unavailable, match="telemetry"):
        await events.send([EVENT])
    await events.close()


@pytest.mark.parametrize(
    "connection",
    ["", "IngestionEndpoint=https://x", "InstrumentationKey=k;IngestionEndpoint=http://x.example"],
)
def test_a_connection_string_that_is_none_is_refused(connection: str) -> None:
    with pytest.raises(Misconfigured, match="APPLICATIONINSIGHTS"):
        AppEvents(connection, None)
