"""The endpoint adapter against an ARM server over real HTTP: what it says when ARM misbehaves."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from infra.local.foundry.faults import DROPPED, Fault, in_flight, lost_answer, outage, throttled
from infra.local.foundry.seed import MODEL, SERVICE, seed
from infra.local.foundry.world import World
from infra.local.foundry.writes import shift_traffic
from shared.adapters.endpoint import Endpoints
from shared.domain.decisions.endpoint import TargetRef, WriteVerdict, parse_target
from shared.errors import Misconfigured, RejectedInput, Unavailable
from tests.infra.local.foundry.serving import arm_served

# azure-ai-ml notes its own calls with a function that 3.12 deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.*utcnow:DeprecationWarning:azure.ai.ml")

USER_IDENTITY = (
    "/subscriptions/s/resourceGroups/r/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/claims"
)


@pytest.fixture
def world() -> World:
    world = World(operation_s=0.2)
    seed(world)
    return world


@pytest.fixture
def target(world: World) -> TargetRef:
    return parse_target(world.endpoint(SERVICE).id)


@pytest.fixture
async def endpoints(world: World) -> AsyncIterator[Endpoints]:
    async with arm_served(world) as url:
        adapter = Endpoints(None, url, poll_s=0.05, read_timeout_s=5.0)
        yield adapter
        await adapter.close()


def finish(world: World) -> None:
    """Let the operations in flight end now."""
    for operation in world.operations.values():
        operation.done_at = world.clock()


def requests(world: World, method: str) -> list[str]:
    return [entry.path for entry in world.journal if entry.method == method]


class TestRead:
    async def test_tells_the_split_the_versions_and_where_to_score(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.deployment(SERVICE, "v2").document["sku"]["capacity"] = 0
        world.scoring_url = "http://127.0.0.1:9"
        snapshot = await endpoints.read(target)
        assert snapshot.target == target.id
        assert (snapshot.traffic, snapshot.mirror) == ({"v1": 100, "v2": 0}, {})
        assert (snapshot.state, snapshot.served()) == ("Succeeded", "v1")
        assert snapshot.scoring_uri == f"http://127.0.0.1:9/endpoints/{SERVICE}/score"
        described = [(d.name, d.state, d.instances, d.prompt_version) for d in snapshot.deployments]
        assert described == [("v1", "Succeeded", 2, "p12"), ("v2", "Succeeded", 0, "p13")]
        assert {d.model for d in snapshot.deployments} == {MODEL}

    async def test_two_readings_with_nothing_between_have_one_fingerprint(
        self, endpoints: Endpoints, target: TargetRef
    ) -> None:
        first, second = await endpoints.read(target), await endpoints.read(target)
        assert first.fingerprint == second.fingerprint

    async def test_the_fingerprint_moves_on_accept_and_again_on_completion(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.operation_s = 600.0
        before = await endpoints.read(target)
        shift_traffic(world, SERVICE, {"v1": 100}, "somebody")
        during = await endpoints.read(target)
        finish(world)
        after = await endpoints.read(target)
        assert during.state == "Updating"
        assert after.traffic == before.traffic
        assert len({before.fingerprint, during.fingerprint, after.fingerprint}) == 3

    async def test_an_endpoint_that_does_not_exist_is_rejected(
        self, endpoints: Endpoints, world: World
    ) -> None:
        gone = parse_target(world.endpoint(SERVICE).id + "x")
        with pytest.raises(RejectedInput) as caught:
            await endpoints.read(gone)
        assert caught.value.reason == "no-such-endpoint"

    async def test_an_outage_is_unavailable(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.faults.append(outage())
        with pytest.raises(Unavailable) as caught:
            await endpoints.read(target)
        assert caught.value.part == "endpoint"

    async def test_a_throttle_says_when_to_come_back_and_is_not_waited_for(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.faults.append(throttled(retry_after_s=40))
        with pytest.raises(Unavailable) as caught:
            await endpoints.read(target)
        assert caught.value.retry_after_s == 40.0
        assert len(world.journal) == 1

    async def test_a_connection_dropped_once_is_forgiven(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.faults.append(lost_answer("^GET", applied=False))
        assert (await endpoints.read(target)).served() == "v1"

    async def test_a_connection_dropped_again_is_unavailable(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.faults.append(lost_answer("^GET", applied=False, times=2))
        with pytest.raises(Unavailable):
            await endpoints.read(target)

    async def test_a_server_that_never_answers_is_unavailable(
        self, world: World, target: TargetRef
    ) -> None:
        world.faults.append(Fault(status=None, delay_s=5.0))
        async with arm_served(world) as url:
            hasty = Endpoints(None, url, read_timeout_s=0.2)
            with pytest.raises(Unavailable):
                await hasty.read(target)
            await hasty.close()

    async def test_stale_readings_end(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.operation_s = 0.0
        world.stale_reads_s = 600.0
        shift_traffic(world, SERVICE, {"v2": 100}, "pipeline")
        stale = await endpoints.read(target)
        world.endpoint(SERVICE).stale_until = 0.0
        true = await endpoints.read(target)
        assert (stale.served(), stale.state) == ("v1", "Succeeded")
        assert true.served() == "v2"
        assert stale.fingerprint != true.fingerprint


class TestWriteTraffic:
    async def test_an_accepted_write_takes_effect_when_its_operation_is_done(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.operation_s = 600.0
        answer = await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        assert answer.verdict is WriteVerdict.ACCEPTED
        assert (await endpoints.read(target)).served() == "v1"
        finish(world)
        assert (await endpoints.wait_idle(target, timeout_s=5.0)).served() == "v2"
        assert [(c.traffic, c.caller) for c in world.accepted] == [({"v2": 100}, "backstop")]

    async def test_nothing_but_the_traffic_changes(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        endpoint = world.endpoint(SERVICE)
        endpoint.document["identity"] = {
            "type": "SystemAssigned,UserAssigned",
            "userAssignedIdentities": {USER_IDENTITY: {}},
        }
        endpoint.properties["publicNetworkAccess"] = "Disabled"
        before = {**endpoint.document, "properties": dict(endpoint.properties)}
        await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        await endpoints.wait_idle(target, timeout_s=5.0)
        for part in ("tags", "identity", "location"):
            assert endpoint.document[part] == before[part]
        for part in ("description", "publicNetworkAccess", "authMode"):
            assert endpoint.properties[part] == before["properties"][part]
        own = set(endpoint.properties["properties"])
        assert own == {"azureml.onlineendpointid", "AzureAsyncOperationUri"}

    async def test_a_mirror_on_the_version_that_goes_live_is_taken_off(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.endpoint(SERVICE).properties["mirrorTraffic"] = {"v2": 20}
        answer = await endpoints.write_traffic(target, {"V2": 100}, deadline_s=5.0)
        assert answer.verdict is WriteVerdict.ACCEPTED
        snapshot = await endpoints.wait_idle(target, timeout_s=5.0)
        assert (snapshot.served(), snapshot.mirror) == ("v2", {})

    async def test_a_mirror_on_another_version_stays(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.endpoint(SERVICE).properties["mirrorTraffic"] = {"v2": 20}
        await endpoints.write_traffic(target, {"v1": 100}, deadline_s=5.0)
        assert (await endpoints.wait_idle(target, timeout_s=5.0)).mirror == {"v2": 20}

    async def test_the_sdk_does_not_go_on_polling(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        before = set(threading.enumerate())
        await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        pollers = set(threading.enumerate()) - before
        for thread in pollers:
            if thread.daemon:
                await asyncio.to_thread(thread.join, 5.0)
                assert not thread.is_alive()
        assert world.journal[-1].method == "PUT"

    async def test_an_answer_lost_after_it_was_applied_is_unknown_and_not_sent_again(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.faults.append(lost_answer("^PUT", applied=True))
        answer = await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        assert answer.verdict is WriteVerdict.UNKNOWN
        assert len(requests(world, "PUT")) == 1
        assert world.journal[-1].status == DROPPED
        assert (await endpoints.wait_idle(target, timeout_s=5.0)).served() == "v2"

    async def test_an_answer_lost_before_it_was_applied_is_unknown_and_not_sent_again(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.faults.append(lost_answer("^PUT", applied=False))
        answer = await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        assert answer.verdict is WriteVerdict.UNKNOWN
        assert len(requests(world, "PUT")) == 1
        assert (await endpoints.wait_idle(target, timeout_s=5.0)).served() == "v1"

    async def test_the_conflict_with_ones_own_lost_write_is_unknown_and_changes_nothing(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.operation_s = 600.0
        world.faults.append(lost_answer("^PUT", applied=True))
        await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        again = await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        assert again.verdict is WriteVerdict.UNKNOWN
        assert again.detail.startswith("409")
        assert len(world.accepted) == 1

    async def test_a_repeat_with_the_same_body_is_one_intended_change(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        for _ in range(2):
            await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
            await endpoints.wait_idle(target, timeout_s=5.0)
        assert len(world.accepted) == 2
        assert [change.traffic for change in world.intended_changes] == [{"v2": 100}]

    async def test_an_operation_that_no_reader_sees_is_unknown(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.faults.append(in_flight())
        assert (await endpoints.read(target)).state == "Succeeded"
        answer = await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        assert answer.verdict is WriteVerdict.UNKNOWN

    @pytest.mark.parametrize("status", [408, 409, 412, 500, 502, 503, 504])
    async def test_an_answer_that_proves_nothing_is_unknown(
        self, world: World, endpoints: Endpoints, target: TargetRef, status: int
    ) -> None:
        world.faults.append(Fault(match="^PUT", status=status))
        answer = await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        assert answer.verdict is WriteVerdict.UNKNOWN
        assert answer.detail.startswith(str(status))
        assert len(requests(world, "PUT")) == 1

    @pytest.mark.parametrize("status", [400, 401, 403, 404])
    async def test_an_answer_that_will_not_change_is_refused(
        self, world: World, endpoints: Endpoints, target: TargetRef, status: int
    ) -> None:
        world.faults.append(Fault(match="^PUT", status=status))
        answer = await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        assert answer.verdict is WriteVerdict.REFUSED

    @pytest.mark.parametrize("traffic", [{"v9": 100}, {"v1": 60}])
    async def test_the_services_own_rules_refuse(
        self, world: World, endpoints: Endpoints, target: TargetRef, traffic: dict[str, int]
    ) -> None:
        answer = await endpoints.write_traffic(target, traffic, deadline_s=5.0)
        assert answer.verdict is WriteVerdict.REFUSED
        assert answer.detail.startswith("400")
        assert world.accepted == []

    async def test_a_throttle_says_when_to_come_back(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.faults.append(throttled("^PUT", retry_after_s=40))
        answer = await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        assert (answer.verdict, answer.retry_after_s) == (WriteVerdict.UNKNOWN, 40.0)
        assert len(requests(world, "PUT")) == 1

    async def test_a_write_that_hangs_is_unknown_by_its_deadline(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        await endpoints.read(target)
        world.faults.append(Fault(match="^PUT", status=None, delay_s=30.0))
        answer = await endpoints.write_traffic(target, {"v2": 100}, deadline_s=0.3)
        assert answer.verdict is WriteVerdict.UNKNOWN

    async def test_what_was_read_last_is_changed_as_asked(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        read = (await endpoints.read(target)).fingerprint
        answer = await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0, expected=read)
        assert answer.verdict is WriteVerdict.ACCEPTED
        assert len(requests(world, "PUT")) == 1

    async def test_nothing_is_sent_to_an_endpoint_that_changed_since_it_was_read(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.operation_s = 0.0
        read = (await endpoints.read(target)).fingerprint
        shift_traffic(world, SERVICE, {"v1": 60, "v2": 40}, "pipeline")
        answer = await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0, expected=read)
        assert answer.verdict is WriteVerdict.CHANGED
        assert requests(world, "PUT") == []

    async def test_nothing_is_sent_after_the_deadline(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        await endpoints.read(target)
        world.journal.clear()
        answer = await endpoints.write_traffic(target, {"v2": 100}, deadline_s=0.0)
        assert answer.verdict is WriteVerdict.UNKNOWN
        assert "before the request was sent" in answer.detail
        assert world.journal == []


class TestWaitIdle:
    async def test_a_failed_operation_is_an_end_and_the_traffic_is_the_old(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.failing_operations = 1
        await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        snapshot = await endpoints.wait_idle(target, timeout_s=5.0)
        assert (snapshot.state, snapshot.served()) == ("Failed", "v1")

    async def test_single_readings_may_fail(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        await endpoints.write_traffic(target, {"v2": 100}, deadline_s=5.0)
        world.faults.append(Fault(match="^GET", times=2))
        assert (await endpoints.wait_idle(target, timeout_s=5.0)).served() == "v2"

    async def test_time_runs_out_on_an_operation_that_does_not_end(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.operation_s = 600.0
        shift_traffic(world, SERVICE, {"v2": 100}, "pipeline")
        await endpoints.read(target)
        with pytest.raises(Unavailable, match="Updating after"):
            await endpoints.wait_idle(target, timeout_s=1.0)

    async def test_time_runs_out_on_a_service_that_is_out(
        self, world: World, endpoints: Endpoints, target: TargetRef
    ) -> None:
        world.faults.append(outage())
        with pytest.raises(Unavailable, match="never read after") as caught:
            await endpoints.wait_idle(target, timeout_s=0.2)
        assert isinstance(caught.value.__cause__, Unavailable)


class TestClient:
    async def test_tasks_that_start_together_share_one_client(
        self, endpoints: Endpoints, target: TargetRef
    ) -> None:
        snapshots = await asyncio.gather(*(endpoints.read(target) for _ in range(4)))
        assert len({snapshot.fingerprint for snapshot in snapshots}) == 1
        assert len(endpoints._clients) == 1

    async def test_it_works_again_after_it_was_closed(
        self, endpoints: Endpoints, target: TargetRef
    ) -> None:
        await endpoints.read(target)
        await endpoints.close()
        assert (await endpoints.read(target)).served() == "v1"

    @pytest.mark.parametrize(
        "url", ["http://arm.example", "http://localhost:1", "https://10.0.0.1"]
    )
    def test_a_redirect_to_anywhere_else_is_refused(self, url: str) -> None:
        with pytest.raises(Misconfigured):
            Endpoints(None, url)

    def test_azure_itself_is_not_asked_without_an_identity(self) -> None:
        with pytest.raises(Misconfigured):
            Endpoints(None)
