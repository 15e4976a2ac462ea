"""The ARM server on the wire: documents, operations, refusals, faults, and its own records."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from infra.local.foundry.faults import Fault, lost_answer, outage, throttled
from infra.local.foundry.scoring import tell_watermark
from infra.local.foundry.seed import SERVICE, seed, seed_further
from infra.local.foundry.world import World
from infra.local.foundry.writes import shift_traffic
from tests.infra.local.foundry.quotes import QUOTES
from tests.infra.local.foundry.serving import HandClock, arm_served

VERSION = {"api-version": "2022-02-01-preview"}
Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def world(clock: HandClock, told: Told) -> World:
    def sink(table: str, row: dict[str, Any]) -> None:
        told.append((table, row))

    world = World(clock=clock, sink=sink, callers={"token": "pipeline"})
    seed(world)
    return world


@pytest.fixture
async def arm(world: World) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": "Bearer token"}
    async with arm_served(world) as url, aiohttp.ClientSession(url, headers=headers) as session:
        yield session


def path(world: World, *tail: str) -> str:
    return "/".join([world.endpoint(SERVICE).id, *tail])


async def get(arm: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with arm.get(url, params=VERSION) as response:
        assert response.status == 200
        body: dict[str, Any] = await response.json()
        return body


async def put(
    arm: aiohttp.ClientSession, url: str, body: dict[str, Any]
) -> tuple[int, dict[str, Any], str]:
    async with arm.put(url, params=VERSION, json=body) as response:
        operation = response.headers.get("Azure-AsyncOperation", "")
        return response.status, await response.json(), operation


async def with_traffic(
    arm: aiohttp.ClientSession, world: World, traffic: dict[str, int]
) -> dict[str, Any]:
    document = await get(arm, path(world))
    document["properties"]["traffic"] = traffic
    return document


class TestReading:
    async def test_shows_the_workspace_its_endpoints_and_their_versions(
        self, arm: aiohttp.ClientSession, world: World
    ) -> None:
        assert (await get(arm, world.workspace_id))["location"] == "westeurope"
        listed = await get(arm, f"{world.workspace_id}/onlineEndpoints")
        assert [endpoint["name"] for endpoint in listed["value"]] == [SERVICE]
        versions = await get(arm, path(world, "deployments"))
        assert [version["name"] for version in versions["value"]] == ["v1", "v2"]
        assert (await get(arm, path(world, "deployments", "v2")))["name"] == "v2"

    @pytest.mark.parametrize(
        ("tail", "headers", "params", "status"),
        [
            ("x", {}, VERSION, 404),
            ("/deployments/v9", {}, VERSION, 404),
            ("", {"Authorization": "Basic x"}, VERSION, 401),
            ("", {}, {}, 400),
        ],
    )
    async def test_refuses_what_arm_refuses(
        self,
        arm: aiohttp.ClientSession,
        world: World,
        tail: str,
        headers: dict[str, str],
        params: dict[str, str],
        status: int,
    ) -> None:
        async with arm.get(path(world) + tail, headers=headers, params=params) as response:
            assert response.status == status
            assert (await response.json())["error"]["code"]

    async def test_another_workspace_is_not_found(
        self, arm: aiohttp.ClientSession, world: World
    ) -> None:
        elsewhere = path(world).replace(world.workspace, "elsewhere")
        async with arm.get(elsewhere, params=VERSION) as response:
            assert response.status == 404


class TestWriting:
    async def test_a_put_is_accepted_and_takes_effect_when_its_time_has_come(
        self, arm: aiohttp.ClientSession, world: World, clock: HandClock
    ) -> None:
        body = await with_traffic(arm, world, {"v2": 100})
        status, answer, operation = await put(arm, path(world), body)
        assert status == 201
        assert answer["properties"]["provisioningState"] == "Updating"
        assert answer["properties"]["traffic"] == {"v1": 100, "v2": 0}
        own = operation.removeprefix(world.arm_url).partition("?")[0]
        assert (await get(arm, own))["status"] == "Updating"
        clock.now += world.operation_s
        assert (await get(arm, own))["status"] == "Succeeded"
        assert (await get(arm, path(world)))["properties"]["traffic"] == {"v2": 100}

    async def test_the_last_modification_moves_on_accept_and_on_completion(
        self, arm: aiohttp.ClientSession, world: World, clock: HandClock
    ) -> None:
        moments = []
        body = await with_traffic(arm, world, {"v2": 100})
        moments.append(body["systemData"]["lastModifiedAt"])
        clock.now += 1.0
        _, answer, _ = await put(arm, path(world), body)
        moments.append(answer["systemData"]["lastModifiedAt"])
        clock.now += world.operation_s
        moments.append((await get(arm, path(world)))["systemData"]["lastModifiedAt"])
        assert moments == sorted(set(moments))

    async def test_a_second_put_conflicts_until_the_first_is_done(
        self, arm: aiohttp.ClientSession, world: World, clock: HandClock
    ) -> None:
        body = await with_traffic(arm, world, {"v2": 100})
        await put(arm, path(world), body)
        status, answer, _ = await put(arm, path(world), body)
        assert (status, answer["error"]["code"]) == (409, "Conflict")
        clock.now += world.operation_s
        status, _, _ = await put(arm, path(world), body)
        assert status == 201

    async def test_a_failed_operation_leaves_the_old_traffic(
        self, arm: aiohttp.ClientSession, world: World, clock: HandClock
    ) -> None:
        world.failing_operations = 1
        body = await with_traffic(arm, world, {"v2": 100})
        _, _, operation = await put(arm, path(world), body)
        clock.now += world.operation_s
        own = operation.removeprefix(world.arm_url).partition("?")[0]
        assert (await get(arm, own))["error"]["code"] == "InferencingClientCallFailed"
        properties = (await get(arm, path(world)))["properties"]
        assert properties["provisioningState"] == "Failed"
        assert properties["traffic"] == {"v1": 100, "v2": 0}
        assert world.endpoint(SERVICE).split_at(clock.now) == {"v1": 100}

    async def test_a_put_replaces_what_it_leaves_out(
        self, arm: aiohttp.ClientSession, world: World, clock: HandClock
    ) -> None:
        body = {"location": "westeurope", "properties": {"authMode": "Key", "traffic": {"v1": 100}}}
        await put(arm, path(world), body)
        clock.now += world.operation_s
        document = await get(arm, path(world))
        assert (document["tags"], document["properties"]["description"]) == ({}, None)

    @pytest.mark.parametrize(
        "body",
        [
            {"properties": {"authMode": "Key"}},
            {"location": "westeurope", "properties": {}},
            {"location": "westeurope", "properties": {"authMode": "Key", "traffic": {"v1": 3}}},
        ],
    )
    async def test_a_bad_put_changes_nothing(
        self, arm: aiohttp.ClientSession, world: World, body: dict[str, Any]
    ) -> None:
        before = await get(arm, path(world))
        status, _, _ = await put(arm, path(world), body)
        assert status == 400
        assert await get(arm, path(world)) == before
        assert world.accepted == []

    async def test_a_new_version_can_be_put_and_deleted_again(
        self, arm: aiohttp.ClientSession, world: World, clock: HandClock
    ) -> None:
        body = {"location": "westeurope", "tags": {"backstop.prompt_version": "p14"}}
        status, _, _ = await put(arm, path(world, "deployments", "v3"), body)
        assert status == 201
        clock.now += world.operation_s
        assert world.deployment(SERVICE, "v3").state == "Succeeded"
        assert world.deployment(SERVICE, "v3").prompt_version == "p14"
        async with arm.delete(path(world, "deployments", "v3"), params=VERSION) as response:
            assert response.status == 204
        assert "v3" not in world.endpoint(SERVICE).deployments

    async def test_a_version_that_serves_is_not_deleted(
        self, arm: aiohttp.ClientSession, world: World
    ) -> None:
        async with arm.delete(path(world, "deployments", "v1"), params=VERSION) as response:
            assert response.status == 400

    async def test_an_endpoint_can_be_put_and_deleted(
        self, arm: aiohttp.ClientSession, world: World
    ) -> None:
        other = path(world).replace(SERVICE, "other")
        body = {"location": "westeurope", "properties": {"authMode": "Key"}}
        assert (await put(arm, other, body))[0] == 201
        async with arm.delete(other, params=VERSION) as response:
            assert response.status == 409
        async with arm.delete(path(world), params=VERSION) as response:
            assert response.status == 204
        assert list(world.endpoints) == ["other"]


class TestRecords:
    async def test_the_journal_has_every_request_with_its_answer(
        self, arm: aiohttp.ClientSession, world: World, clock: HandClock
    ) -> None:
        body = await with_traffic(arm, world, {"v1": 1})
        await put(arm, path(world), body)
        seen = [(e.method, e.path, e.status, e.at) for e in world.journal]
        place = path(world)
        assert seen == [("GET", place, 200, clock.now), ("PUT", place, 400, clock.now)]

    def test_repeats_of_a_body_are_one_intended_change(
        self, world: World, clock: HandClock
    ) -> None:
        for traffic in ({"v2": 100}, {"v1": 100}, {"v2": 100}):
            shift_traffic(world, SERVICE, traffic, "pipeline")
            clock.now += world.operation_s
        assert [change.traffic for change in world.accepted] == [
            {"v2": 100},
            {"v1": 100},
            {"v2": 100},
        ]
        assert [change.traffic for change in world.intended_changes] == [{"v2": 100}, {"v1": 100}]

    async def test_the_activity_log_names_the_caller_and_how_it_ended(
        self, arm: aiohttp.ClientSession, world: World, clock: HandClock, told: Told
    ) -> None:
        await put(arm, path(world), await with_traffic(arm, world, {"v2": 100}))
        clock.now += world.operation_s
        world.settle()
        rows = [row for table, row in told if table == "AzureActivity"]
        assert [row["ActivityStatusValue"] for row in rows] == ["Start", "Success"]
        assert {row["Caller"] for row in rows} == {"pipeline"}
        assert {row["ResourceId"] for row in rows} == {path(world).lower()}
        assert len({row["CorrelationId"] for row in rows}) == 1


class TestFaults:
    async def test_an_outage_lasts_until_it_is_taken_away(
        self, arm: aiohttp.ClientSession, world: World
    ) -> None:
        world.faults.append(outage())
        for _ in range(3):
            async with arm.get(path(world), params=VERSION) as response:
                assert response.status == 503
        world.faults.clear()
        assert await get(arm, path(world))

    async def test_a_throttle_says_when_to_come_back_and_ends_by_itself(
        self, arm: aiohttp.ClientSession, world: World
    ) -> None:
        world.faults.append(throttled(retry_after_s=9))
        async with arm.get(path(world), params=VERSION) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "9")
        assert await get(arm, path(world))

    @pytest.mark.parametrize(("applied", "changes"), [(True, 1), (False, 0)])
    async def test_an_answer_is_lost_after_or_before_the_write_was_taken(
        self, arm: aiohttp.ClientSession, world: World, applied: bool, changes: int
    ) -> None:
        body = await with_traffic(arm, world, {"v2": 100})
        # Twice, as the client repeats a PUT by itself.
        world.faults.append(lost_answer("^PUT", applied=applied, times=2))
        with pytest.raises(aiohttp.ClientConnectionError):
            await put(arm, path(world), body)
        assert len(world.accepted) == changes
        assert world.journal[-1].status == 0

    async def test_a_write_can_be_applied_and_yet_be_answered_with_an_error(
        self, arm: aiohttp.ClientSession, world: World
    ) -> None:
        body = await with_traffic(arm, world, {"v2": 100})
        world.faults.append(Fault(match="^PUT", status=500, applied=True))
        status, _, _ = await put(arm, path(world), body)
        assert (status, len(world.accepted)) == (500, 1)

    async def test_a_fault_spoils_only_what_it_matches(
        self, arm: aiohttp.ClientSession, world: World
    ) -> None:
        world.faults.append(Fault(match="^PUT"))
        assert await get(arm, path(world))
        assert world.faults[0].times == 1

    async def test_readers_see_the_old_split_for_a_while(
        self, arm: aiohttp.ClientSession, world: World, clock: HandClock
    ) -> None:
        world.stale_reads_s = 5.0
        shift_traffic(world, SERVICE, {"v2": 100}, "pipeline")
        clock.now += world.operation_s
        stale = (await get(arm, path(world)))["properties"]
        clock.now += world.stale_reads_s
        true = (await get(arm, path(world)))["properties"]
        assert (stale["traffic"], stale["provisioningState"]) == ({"v1": 100, "v2": 0}, "Succeeded")
        assert true["traffic"] == {"v2": 100}


async def test_a_further_service_lives_in_its_own_workspace_and_tells_under_its_own_name(
    arm: aiohttp.ClientSession, world: World, told: Told
) -> None:
    home = "/subscriptions/f2/resourceGroups/rg/providers/Microsoft.MachineLearningServices"
    arm_id = f"{home}/workspaces/mlw/onlineEndpoints/quotes-live"
    endpoint = seed_further(world, QUOTES)
    shown = await get(arm, arm_id)
    assert shown["id"] == arm_id
    assert shown["properties"]["traffic"] == {"v1": 100, "v2": 0}
    assert world.endpoint_of("quotes") is endpoint
    assert world.endpoint_of(SERVICE).name == SERVICE
    async with arm.get(arm_id.replace("/mlw/", "/other/"), params=VERSION) as response:
        assert response.status == 404
    tell_watermark(world)
    assert [row["AppRoleName"] for _, row in told] == [SERVICE, "quotes"]
