"""Whatever is posted, the answer is a clear refusal or a recorded delivery, and never a 5xx.

A 500 would lose an alert for good, because Azure Monitor does not send it again.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.world.alerts import NOBODYS, SEARCH, alert
from tests.world.stage import Json, Reply, Stage

pytestmark = [pytest.mark.world, pytest.mark.timeout(180)]

FOLDER = Path(__file__).resolve().parents[2] / "events"
EVENTS = {path.stem: path.read_bytes() for path in FOLDER.glob("*.json")}
LEGACY = ("legacy_activity_log", "legacy_log", "legacy_metric")
FIRED_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def sound() -> Json:
    return alert("sound", rule="failures", fired_at=FIRED_AT)


def wrong_schema() -> bytes:
    return json.dumps(sound() | {"schemaId": "somethingElse"}).encode()


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty-body"),
    "blank": (b" \n ", "empty-body"),
    "not JSON": (b"hello", "not-json"),
    "cut off": (json.dumps(sound()).encode()[:-20], "not-json"),
    "not UTF-8": (b'{"schemaId": "\xff\xfe"}', "not-json"),
    "a list": (b"[1, 2]", "not-an-object"),
    "a number": (b"17", "not-an-object"),
    "301 KB": (b'{"pad": "' + b"x" * 308_224 + b'"}', "too-large"),
    "nested a thousand deep": (b'{"a":' * 1000 + b"1" + b"}" * 1000, "too-deep"),
    "a hundred thousand brackets": (b"[" * 100_000, "too-deep"),
    "a key twice": (b'{"schemaId": "a", "schemaId": "b"}', "duplicate-keys"),
    "NaN": (b'{"data": NaN}', "not-finite"),
    "infinity": (b'{"data": 1e999}', "not-finite"),
    "a lone surrogate": (b'{"data": "\\ud800"}', "lone-surrogate"),
    "another schema": (wrong_schema(), "wrong-schema"),
    "nothing in it": (b'{"schemaId": "azureMonitorCommonAlertSchema"}', "no-essentials"),
    "data of a wrong type": (
        b'{"schemaId": "azureMonitorCommonAlertSchema", "data": 3}',
        "no-essentials",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_no_alert_is_gets_refused_with_a_reason(stage: Stage, name: str) -> None:
    body, reason = REFUSED[name]
    reply = await stage.ask("POST", "/api/alerts", raw=body)
    refused(reply, 400)
    assert reply.body["type"].endswith(f":{reason}")


async def test_what_may_be_a_lost_alert_wakes_somebody_once_and_noise_nobody(stage: Stage) -> None:
    before = await _kept(stage)  # of other stories in this world
    for number in range(3):
        await stage.ask("POST", "/api/alerts", raw=EVENTS["legacy_log"] + b"\n" * number)
        await stage.ask("POST", "/api/alerts", raw=b"noise %d" % number)
    now = await _kept(stage)
    inputs = [now[name] for name in now.keys() - before.keys()]
    assert len(inputs) == 6
    woke = {one["incident"] for one in inputs if one["reason"] == "legacy-schema"}
    assert {one["incident"] for one in inputs if one["reason"] == "not-json"} == {""}
    (incident,) = woke
    assert len(await stage.paged(incident)) == 1
    told = await stage.until(
        "six events in the ledger",
        lambda: stage.get("/api/changes?service=backstop&limit=200"),
        lambda found: {one["id"] for one in inputs} <= _inputs(found),
    )
    assert b"noise" not in msgspec.json.encode(told)


async def _kept(stage: Stage) -> dict[str, Json]:
    found = await stage.get("/api/quarantine?limit=200")
    return {one["id"]: one for one in found["inputs"]}


def _inputs(changes: Json) -> set[str]:
    events = [change["event"] for change in changes["changes"]]
    return {e["evidence"]["input"] for e in events if e["kind"] == "input.quarantined"}


@pytest.mark.parametrize("name", LEGACY)
async def test_a_legacy_schema_is_refused_and_names_the_setting(stage: Stage, name: str) -> None:
    reply = await stage.ask("POST", "/api/alerts", raw=EVENTS[name])
    refused(reply, 400)
    assert "common alert schema" in reply.body["detail"]


@pytest.mark.parametrize("name", sorted(EVENTS.keys() - set(LEGACY)))
async def test_every_kind_is_accepted_and_comes_to_an_end(stage: Stage, name: str) -> None:
    reply = await stage.ask("POST", "/api/alerts", raw=EVENTS[name])
    assert reply.status == 202
    await recorded(stage, reply.body["delivery"])


WRONG_TYPES: dict[str, object] = {
    "severity": {"level": "high"},
    "alertTargetIDs": [SEARCH, 7, None],
    "monitorCondition": 3,
    "firedDateTime": [2026],
    "resolvedDateTime": "yesterday",
    "signalType": False,
    "monitoringService": ["Platform"],
    "description": {"text": "hello"},
    "alertRule": None,
}


@pytest.mark.parametrize("field", WRONG_TYPES)
async def test_a_field_of_a_wrong_type_costs_no_alert(stage: Stage, field: str) -> None:
    body = alert(f"wrong-{field}", rule=f"wrong-{field}", fired_at=FIRED_AT)
    body["data"]["essentials"][field] = WRONG_TYPES[field]
    await recorded(stage, await stage.send(body))


@pytest.mark.parametrize("context", [None, 3, "text", [], {"condition": {"allOf": "all"}}])
async def test_a_context_of_a_wrong_shape_costs_no_alert(stage: Stage, context: Any) -> None:
    body = alert(f"context-{context}", rule=f"context-{context}", fired_at=FIRED_AT)
    body["data"]["alertContext"] = context
    await recorded(stage, await stage.send(body))


async def test_an_alert_that_nobody_owns_becomes_an_unowned_incident(stage: Stage) -> None:
    body = alert("nobodys", rule="failures", target=NOBODYS, fired_at=FIRED_AT)
    delivery = await recorded(stage, await stage.send(body))
    view = await stage.view(delivery["incident"])
    assert view["incident"]["service"] == ""
    assert "no service" in view["incident"]["sentence"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/nothing"),
        ("GET", "/api/alerts"),
        ("PUT", "/api/alerts"),
        ("DELETE", "/api/incidents"),
        ("GET", "/api/deliveries"),
        ("POST", "/api/incidents/INC-1/acknowledge/now"),
        ("GET", "/admin/host/status"),
    ],
)
async def test_unknown_routes_are_not_found(stage: Stage, method: str, path: str) -> None:
    assert (await stage.ask(method, path)).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/deliveries/none",
        "/api/deliveries/260302-0000",
        "/api/deliveries/%23%3F%5C",
        "/api/deliveries/%00",
        "/api/deliveries/'%20or%201%20eq%201",
        f"/api/deliveries/{'x' * 2000}",
        "/api/incidents/none",
        "/api/incidents/INC-99-260302-00000000",
        "/api/incidents/INC-07-260302-00000000",
        "/api/incidents/INC-07-%23%3F-00",
        f"/api/incidents/INC-07-260302-{'x' * 2000}",
        "/api/incidents/INC-07-260302-00000000/affected",
    ],
)
async def test_what_does_not_exist_is_a_clear_404(stage: Stage, path: str) -> None:
    refused(await stage.ask("GET", path), 404)


@pytest.mark.parametrize(
    "path",
    [
        "/api/incidents?limit=0",
        "/api/incidents?limit=-1",
        "/api/incidents?limit=many",
        "/api/incidents?limit=99999999999999999999999",
        "/api/changes",
        "/api/changes?service=policy-search&before=tomorrow",
        "/api/changes?service=policy-search&month=none",
        "/api/changes?service=policy-search&month=%2F%23%3F%5C",
    ],
)
async def test_a_wrong_query_is_refused_with_a_reason(stage: Stage, path: str) -> None:
    refused(await stage.ask("GET", path), 400)


@pytest.mark.parametrize(
    "query", ["after=%23%3F", "after=zzzz", "after='", "state=wrong", "limit=200", "after=%00"]
)
async def test_odd_pages_of_the_list_are_answered(stage: Stage, query: str) -> None:
    assert (await stage.ask("GET", f"/api/incidents?{query}")).status in (200, 400)


async def test_a_month_without_changes_is_empty(stage: Stage) -> None:
    found = await stage.get("/api/changes?service=policy-search&month=202001")
    assert found == {"changes": [], "next": ""}


BAD_BODIES = (b"", b"hello", b"[]", b"null", b'{"why": 3}', b'{"who": "ada"}', b'{"x": 1}', b"\xff")


@pytest.mark.parametrize("action", ["acknowledge", "command", "notes", "severity", "resolve"])
async def test_an_action_with_a_wrong_body_changes_nothing(stage: Stage, action: str) -> None:
    incident = await _unowned(stage)
    before = (await stage.view(incident))["incident"]
    for body in BAD_BODIES:
        reply = await stage.ask("POST", f"/api/incidents/{incident}/{action}", raw=body)
        refused(reply, 400)
        assert (await stage.view(incident))["incident"] == before, body


async def test_an_unknown_action_is_refused(stage: Stage) -> None:
    incident = await _unowned(stage)
    refused(await stage.ask("POST", f"/api/incidents/{incident}/explode", {}), 400, 404)


@pytest.mark.parametrize("body", [*BAD_BODIES, b"{}", b'{"service": "none"}', b"[" * 100_000])
async def test_a_release_with_a_wrong_body_is_refused(stage: Stage, body: bytes) -> None:
    refused(await stage.ask("POST", "/api/releases", raw=body), 400)


async def test_a_release_of_an_unknown_service_names_the_known_ones(stage: Stage) -> None:
    body = {"service": "none", "version": "1", "deployment": "v1", "why": "new"}
    reply = await stage.ask("POST", "/api/releases", body)
    refused(reply, 400)
    assert "fnol-summary" in reply.body["detail"]


def refused(reply: Reply, *statuses: int) -> None:
    assert reply.status in statuses, reply
    assert reply.is_problem, reply
    assert reply.body["status"] == reply.status


async def recorded(stage: Stage, delivery: str) -> Json:
    """Wait until triage has taken the delivery; it must say what became of it."""
    incident = await stage.incident_of(delivery)
    found: Json = await stage.get(f"/api/deliveries/{delivery}")
    assert found["state"] in ("opened", "joined", "resolved", "remembered", "suppressed"), found
    assert found["state"] not in ("opened", "joined") or incident
    return found


async def _unowned(stage: Stage) -> str:
    body = alert("nobodys", rule="failures", target=NOBODYS, fired_at=FIRED_AT)
    return await stage.incident_of(await stage.send(body))
