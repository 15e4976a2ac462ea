"""The data plane: who serves, what the customer gets, and what telemetry says of it."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import aiohttp
import msgspec
import pytest

from infra.local.foundry.behaviour import Behaviour, disliked, overflowing, tool_broken
from infra.local.foundry.resources import moment
from infra.local.foundry.scoring import DEPLOYMENT_HEADER, tell_watermark
from infra.local.foundry.seed import BAD_REGION, MODEL, SERVICE, seed
from infra.local.foundry.world import World
from infra.local.foundry.writes import shift_traffic
from tests.infra.local.foundry.serving import QUICK, HandClock, scoring_served

CLAIM = {"claim_id": "C-1", "region": "westeurope", "text": "Hail on the roof."}
Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def world(clock: HandClock, told: Told) -> World:
    world = World(
        clock=clock,
        sink=lambda table, row: told.append((table, row)),
        latency_scale=0.0,
        operation_s=0.0,
    )
    seed(world, fuse_s=20.0, later=overflowing(BAD_REGION, 1.0))
    behave(world, v1=QUICK, v2=QUICK)
    return world


@pytest.fixture
async def customer(world: World) -> AsyncIterator[aiohttp.ClientSession]:
    async with scoring_served(world) as url, aiohttp.ClientSession(url) as session:
        yield session


def behave(world: World, **behaviours: Behaviour) -> None:
    for name, behaviour in behaviours.items():
        world.deployment(SERVICE, name).behaviour = behaviour


async def score(
    customer: aiohttp.ClientSession, *, pin: str | None = None, **changed: Any
) -> tuple[int, str, dict[str, Any]]:
    headers = {DEPLOYMENT_HEADER: pin} if pin else {}
    url = f"/endpoints/{SERVICE}/score"
    async with customer.post(url, json={**CLAIM, **changed}, headers=headers) as response:
        served = response.headers.get(DEPLOYMENT_HEADER, "")
        return response.status, served, await response.json()


def rows(told: Told, table: str) -> list[dict[str, Any]]:
    return [row for name, row in told if name == table]


class TestRouting:
    async def test_the_split_decides_who_serves(
        self, customer: aiohttp.ClientSession, world: World
    ) -> None:
        shift_traffic(world, SERVICE, {"v1": 75, "v2": 25}, "pipeline")
        served = Counter([(await score(customer))[1] for _ in range(400)])
        assert set(served) == {"v1", "v2"}
        assert served["v2"] == pytest.approx(100, abs=30)

    async def test_a_pin_wins_over_the_split(self, customer: aiohttp.ClientSession) -> None:
        status, served, body = await score(customer, pin="v2")
        assert (status, served, body["deployment"]) == (200, "v2", "v2")

    async def test_a_move_is_served_only_when_its_operation_is_done(
        self, customer: aiohttp.ClientSession, world: World, clock: HandClock
    ) -> None:
        world.operation_s = 2.0
        shift_traffic(world, SERVICE, {"v2": 100}, "pipeline")
        assert (await score(customer))[1] == "v1"
        clock.now += 2.0
        assert (await score(customer))[1] == "v2"

    async def test_the_data_plane_may_lag_behind(
        self, customer: aiohttp.ClientSession, world: World, clock: HandClock
    ) -> None:
        world.propagation_s = 3.0
        world.endpoint(SERVICE).serve({"v1": 100}, 0.0)
        shift_traffic(world, SERVICE, {"v2": 100}, "pipeline")
        assert (await score(customer))[1] == "v1"
        clock.now += 3.0
        assert (await score(customer))[1] == "v2"

    async def test_without_weight_nobody_serves(
        self, customer: aiohttp.ClientSession, world: World
    ) -> None:
        shift_traffic(world, SERVICE, {"v1": 0}, "pipeline")
        assert (await score(customer))[0] == 404

    async def test_a_version_scaled_to_zero_does_not_serve(
        self, customer: aiohttp.ClientSession, world: World
    ) -> None:
        world.deployment(SERVICE, "v2").document["sku"]["capacity"] = 0
        assert (await score(customer, pin="v2"))[0] == 503

    async def test_a_request_that_names_no_region_is_served_in_the_first(
        self, customer: aiohttp.ClientSession, told: Told
    ) -> None:
        assert (await score(customer, region=""))[0] == 200
        (request,) = rows(told, "AppRequests")
        assert request["Properties"]["backstop.region"] == "westeurope"

    @pytest.mark.parametrize("changed", [{"region": "atlantis"}, {"claim_id": 7}])
    async def test_a_request_that_makes_no_sense_is_refused_and_not_told(
        self, customer: aiohttp.ClientSession, told: Told, changed: dict[str, Any]
    ) -> None:
        assert (await score(customer, **changed))[0] == 400
        assert told == []


class TestFuse:
    async def test_the_new_version_is_well_until_some_time_after_its_first_traffic(
        self, customer: aiohttp.ClientSession, world: World, clock: HandClock
    ) -> None:
        clock.now += 1000.0
        assert (await score(customer, pin="v2", region=BAD_REGION))[0] == 200
        shift_traffic(world, SERVICE, {"v2": 100}, "pipeline")
        assert (await score(customer, region=BAD_REGION))[0] == 200
        clock.now += 20.0
        status, served, body = await score(customer, region=BAD_REGION)
        assert (status, served) == (424, "v2")
        assert body["error"]["code"] == "context_length_exceeded"
        assert (await score(customer, region="westeurope"))[0] == 200

    async def test_moving_the_traffic_back_cures_the_region(
        self, customer: aiohttp.ClientSession, world: World, clock: HandClock
    ) -> None:
        shift_traffic(world, SERVICE, {"v2": 100}, "pipeline")
        world.settle()
        clock.now += 20.0
        assert (await score(customer, region=BAD_REGION))[0] == 424
        shift_traffic(world, SERVICE, {"v1": 100}, "backstop")
        assert (await score(customer, region=BAD_REGION))[0] == 200
        assert (await score(customer, pin="v2", region=BAD_REGION))[0] == 424


class TestTelemetry:
    async def test_every_row_of_an_answer_names_the_version_that_served(
        self, customer: aiohttp.ClientSession, world: World, told: Told
    ) -> None:
        shift_traffic(world, SERVICE, {"v1": 50, "v2": 50}, "pipeline")
        world.settle()
        told.clear()
        served = [(await score(customer))[1] for _ in range(40)]
        requests = rows(told, "AppRequests")
        assert [row["Properties"]["backstop.deployment"] for row in requests] == served
        by_operation = {r["OperationId"]: r["Properties"]["backstop.deployment"] for r in requests}
        assert len(by_operation) == 40
        for _, row in told:
            properties = row["Properties"]
            assert properties["backstop.deployment"] == by_operation[row["OperationId"]]
            assert all(isinstance(value, str) for value in properties.values())

    async def test_a_good_answer_leaves_its_request_calls_judgement_and_outcome(
        self, customer: aiohttp.ClientSession, told: Told, clock: HandClock
    ) -> None:
        await score(customer)
        (request,) = rows(told, "AppRequests")
        assert (request["Name"], request["Success"], request["ResultCode"]) == (
            "POST /score",
            True,
            "200",
        )
        assert request["AppRoleName"] == SERVICE
        assert request["TimeGenerated"] == moment(clock.now)
        calls = [
            (row["Properties"]["gen_ai.operation.name"], row["Target"])
            for row in rows(told, "AppDependencies")
        ]
        assert calls == [
            ("execute_tool", "policy_lookup"),
            ("execute_tool", "coverage_check"),
            ("chat", "westeurope.openai"),
        ]
        (event,) = rows(told, "AppEvents")
        assert event["Properties"]["backstop.outcome"] in {"accepted", "edited", "rejected"}
        (trace,) = rows(told, "AppTraces")
        assert trace["Properties"]["backstop.content_safety"] == "allowed"
        assert request["Properties"]["gen_ai.response.model"] == MODEL
        assert request["Properties"]["backstop.prompt_version"] == "p12"
        assert "backstop.probe" not in request["Properties"]

    async def test_a_failing_model_is_told_as_the_models_failure(
        self, customer: aiohttp.ClientSession, world: World, told: Told
    ) -> None:
        behave(world, v1=overflowing("westeurope", 1.0))
        assert (await score(customer))[0] == 424
        model = rows(told, "AppDependencies")[-1]
        assert (model["Success"], model["ResultCode"]) == (False, "400")
        (exception,) = rows(told, "AppExceptions")
        assert exception["ExceptionType"] == "context_length_exceeded"
        assert rows(told, "AppEvents") == []

    async def test_a_failing_tool_is_told_as_the_tools_failure(
        self, customer: aiohttp.ClientSession, world: World, told: Told
    ) -> None:
        behave(world, v1=tool_broken("coverage_check", 1.0))
        assert (await score(customer))[0] == 424
        calls = rows(told, "AppDependencies")
        assert {row["Properties"]["gen_ai.tool.name"]: row["Success"] for row in calls} == {
            "policy_lookup": True,
            "coverage_check": False,
        }

    async def test_a_blocked_answer_names_its_category(
        self, customer: aiohttp.ClientSession, world: World, told: Told
    ) -> None:
        behave(world, v1=msgspec.structs.replace(QUICK, safety_block_rate=1.0))
        status, _, body = await score(customer)
        assert (status, body["summary"]) == (200, "(withheld by content safety)")
        (trace,) = rows(told, "AppTraces")
        assert trace["Properties"]["backstop.content_safety"] == "blocked"
        assert trace["Properties"]["backstop.content_safety_category"] == "violence"

    async def test_probes_are_marked_on_every_row(
        self, customer: aiohttp.ClientSession, told: Told
    ) -> None:
        await score(customer, probe=True)
        assert {row["Properties"].get("backstop.probe") for _, row in told} == {"true"}

    async def test_the_customer_is_named_in_requests_and_calls(
        self, customer: aiohttp.ClientSession, told: Told
    ) -> None:
        await score(customer, tenant="org-7")
        tables = ("AppRequests", "AppDependencies")
        named = [
            row["Properties"].get("backstop.tenant") for name in tables for row in rows(told, name)
        ]
        assert named == ["org-7"] * 4

    async def test_who_names_no_customer_is_told_of_without(
        self, customer: aiohttp.ClientSession, told: Told
    ) -> None:
        await score(customer)
        assert not any("backstop.tenant" in row["Properties"] for _, row in told)

    async def test_disliked_answers_show_only_in_the_outcomes(
        self, customer: aiohttp.ClientSession, world: World, told: Told
    ) -> None:
        behave(world, v1=msgspec.structs.replace(disliked(1.0), error_rate={}, safety_block_rate=0))
        await score(customer)
        assert rows(told, "AppRequests")[0]["Success"]
        assert rows(told, "AppEvents")[0]["Properties"]["backstop.outcome"] == "rejected"

    def test_the_watermark_follows_the_clock_until_the_index_stops(
        self, world: World, told: Told, clock: HandClock
    ) -> None:
        def newest() -> datetime:
            tell_watermark(world)
            return datetime.fromisoformat(told[-1][1]["Properties"]["backstop.watermark"])

        first = newest()
        clock.now += 60.0
        assert (newest() - first).total_seconds() == 60.0
        world.stop_index()
        stopped = newest()
        clock.now += 600.0
        assert newest() == stopped
        world.resume_index()
        assert (newest() - stopped).total_seconds() == 600.0
        assert told[-1][1]["Name"] == "backstop.index_watermark"
