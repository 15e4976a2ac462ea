"""Others write at the same moment: what they did is not overwritten, and they are not fought."""

from functools import partial

import msgspec
import pytest

from shared.domain.decisions.intent import EndpointRecord, IntentState, Lease
from shared.domain.incidents.incident import State
from shared.domain.row import Put
from shared.errors import Conflict
from shared.protocol.acting.act import act
from shared.protocol.records import read_record
from tests.fakes import FakeServices
from tests.fakes.scene import (
    NOW,
    PLAN,
    SERVICE,
    SHARD,
    incident_now,
    intent_now,
    new_services,
    record_now,
    store_case,
)

WRITE_TURNS = ("state.scan", "state.write", "state.written", "endpoint.write")


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made)
    return made


async def pipeline_moves(services: FakeServices, traffic: dict[str, int]) -> None:
    services.endpoints.move(traffic)


async def after_the_first_reading(services: FakeServices, turn: str, traffic: str) -> None:
    """Order a pipeline's move for the next turn of that name behind the first reading."""

    async def order() -> None:
        services.outside.turns.once(turn, partial(pipeline_moves, services, {traffic: 100}))

    services.outside.turns.once("endpoint.read", order)


@pytest.mark.parametrize("turn", WRITE_TURNS)
async def test_a_deploy_between_the_reading_and_the_write_is_not_overwritten(
    services: FakeServices, turn: str
) -> None:
    await after_the_first_reading(services, turn, "v3")

    ended = await act(services, SERVICE, PLAN)

    assert services.endpoints.traffic == {"v3": 100}
    assert services.endpoints.writes == []
    assert ended.state is IntentState.ESCALATED
    assert "somebody else moved the traffic" in ended.detail
    assert (await incident_now(services)).state is State.ESCALATED


async def test_a_pipeline_that_moves_the_traffic_back_is_not_fought(
    services: FakeServices,
) -> None:
    services.outside.turns.once(
        "endpoint.wait", partial(pipeline_moves, services, dict(PLAN.before))
    )

    ended = await act(services, SERVICE, PLAN)

    assert services.endpoints.writes == [PLAN.after]
    assert ended.state is IntentState.ESCALATED
    assert "somebody may have moved it back" in ended.detail


async def test_a_write_that_found_its_row_changed_reads_all_again(services: FakeServices) -> None:
    """The watch looked at the endpoint meanwhile: no reason to wait until the lease is over."""

    async def watch() -> None:
        await store_record(services, serving="v2")

    async def order() -> None:
        services.outside.turns.once("state.write", watch)

    services.outside.turns.once("state.scan", order)

    assert (await act(services, SERVICE, PLAN)).state is IntentState.CONFIRMED
    assert services.endpoints.writes == [PLAN.after]


async def store_record(services: FakeServices, **changes: object) -> None:
    record = await read_record(services, SERVICE, PLAN.target)
    changed: EndpointRecord = msgspec.structs.replace(record.value, **changes)
    await services.state.write(SHARD, [Put(row=record.row, value=changed)])


async def another_plan_claims(services: FakeServices) -> None:
    fence = (await record_now(services)).fence + 1
    lease = Lease(holder="two", fence=fence, expires_at=NOW, plan="another")
    await store_record(services, fence=fence, lease=lease)


async def test_who_lost_the_endpoint_to_another_plan_writes_nothing(
    services: FakeServices,
) -> None:
    services.outside.turns.once("state.scan", partial(another_plan_claims, services))

    with pytest.raises(Conflict, match="in other hands"):
        await act(services, SERVICE, PLAN)

    assert services.endpoints.writes == []
    assert (await intent_now(services)).writes == 0


async def test_an_end_leaves_the_lease_of_another_plan_alone(services: FakeServices) -> None:
    services.outside.turns.once("endpoint.wait", partial(another_plan_claims, services))

    ended = await act(services, SERVICE, PLAN)

    lease = (await record_now(services)).lease
    assert ended.state is IntentState.CONFIRMED
    assert lease is not None
    assert lease.plan == "another"
