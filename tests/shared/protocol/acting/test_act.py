"""Acting on an endpoint: an intent first, one intended change, and every intent ends."""

from datetime import timedelta

import msgspec
import pytest

from shared.domain.decisions.control import KillSwitch
from shared.domain.decisions.intent import Intent, IntentState
from shared.domain.incidents.incident import State
from shared.domain.row import Put
from shared.errors import Conflict, Unavailable
from shared.protocol.acting.act import act, resume
from shared.protocol.records import CONTROLS
from tests.fakes import FakeServices, Write
from tests.fakes.scene import (
    NOW,
    PLAN,
    SERVICE,
    SHARD,
    SNAPSHOT,
    incident_now,
    intent_now,
    kinds,
    new_services,
    record_now,
    store_case,
    told,
)


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made)
    return made


async def run(services: FakeServices) -> Intent:
    return await act(services, SERVICE, PLAN)


async def ends_as(services: FakeServices, state: IntentState, incident: State) -> Intent:
    """Assert how the intent ended, wherever that is written, and that the lease is free."""
    intent = await intent_now(services)
    assert (intent.state, (await incident_now(services)).state) == (state, incident)
    assert (await record_now(services)).lease is None
    assert services.state.rows(SHARD, "~") == []
    return intent


async def turn_kill_switch(services: FakeServices) -> None:
    switch = KillSwitch(scope="*", on=True, by="Ada", reason="storm", at=NOW)
    await services.state.write(CONTROLS, [Put(row="kill|*", value=switch)])


async def test_all_traffic_moves_to_the_known_good_by_one_write(services: FakeServices) -> None:
    ended = await run(services)

    assert ended == await ends_as(services, IntentState.CONFIRMED, State.VERIFYING)
    assert services.endpoints.traffic == {"v1": 100}
    assert services.endpoints.writes == [PLAN.after]


async def test_the_intent_is_durable_before_anything_is_written(services: FakeServices) -> None:
    seen: list[tuple[int, int]] = []

    async def look() -> None:
        intent, record = await intent_now(services), await record_now(services)
        assert record.lease is not None
        seen.append((intent.writes, record.lease.fence))

    services.outside.turns.once("endpoint.write", look)
    await run(services)

    assert seen == [(1, 1)]


async def test_what_happened_is_told_in_order_with_before_and_after(
    services: FakeServices,
) -> None:
    await run(services)

    assert kinds(services) == ["rollback.intended", "rollback.confirmed"]
    intended, confirmed = told(services)
    assert (intended.before, intended.after) == (PLAN.before, PLAN.after)
    assert intended.evidence["plan_hash"] == PLAN.hash
    assert confirmed.after == PLAN.after
    assert confirmed.sequence == intended.sequence + 1


async def test_a_verification_is_ordered_for_when_the_logs_know_of_the_time_since(
    services: FakeServices,
) -> None:
    await run(services)

    (order,) = services.bus.published["work"]
    assert (order.subject, order.body) == ("verify", f"{PLAN.incident}:1")
    behind = services.settings.log_lag_s + services.settings.log_bin_s
    assert order.due == NOW + timedelta(seconds=SERVICE.policy.verify_after_s + behind)


async def test_the_rollback_is_remembered_for_cooldown_and_rate(services: FakeServices) -> None:
    await run(services)

    (kept,) = (await record_now(services)).rollbacks
    assert (kept.away_from, kept.back_to, kept.at) == ("v2", "v1", NOW)
    assert (await incident_now(services)).automatic_rollbacks == 1


@pytest.mark.parametrize("fate", [Write.UNHEARD, Write.ACCEPTED])
async def test_a_write_that_was_applied_is_not_sent_again(
    services: FakeServices, fate: Write
) -> None:
    services.endpoints.fates.append(fate)

    await run(services)

    await ends_as(services, IntentState.CONFIRMED, State.VERIFYING)
    assert services.endpoints.writes == [PLAN.after]


@pytest.mark.parametrize("fate", [Write.LOST, Write.IGNORED])
async def test_a_write_that_came_to_nothing_is_sent_again_with_the_identical_body(
    services: FakeServices, fate: Write
) -> None:
    services.endpoints.fates.extend([fate, fate])

    await run(services)

    await ends_as(services, IntentState.CONFIRMED, State.VERIFYING)
    assert services.endpoints.writes == [PLAN.after] * 3


async def test_a_write_whose_answer_nobody_heard_is_remembered(services: FakeServices) -> None:
    services.endpoints.fates.append(Write.LOST)

    ended = await run(services)

    assert (ended.writes, ended.unheard) == (2, 1)
    assert ended.settled == services.endpoints.snapshot.fingerprint


async def test_after_three_writes_that_came_to_nothing_a_person_must_look(
    services: FakeServices,
) -> None:
    services.endpoints.fates.extend([Write.LOST] * 9)

    await run(services)

    ended = await ends_as(services, IntentState.ESCALATED, State.ESCALATED)
    assert ended.detail == "not applied after 3 writes"
    assert len(services.endpoints.writes) == 3


async def test_a_stale_reading_does_not_repeat_what_was_applied(services: FakeServices) -> None:
    async def go_stale() -> None:
        services.endpoints.stale = 1

    services.outside.turns.once("endpoint.written", go_stale)

    await run(services)

    await ends_as(services, IntentState.CONFIRMED, State.VERIFYING)
    assert services.endpoints.writes == [PLAN.after]


async def test_one_reading_that_nobody_confirms_is_not_believed(services: FakeServices) -> None:
    async def move_away() -> None:
        async def again() -> None:
            services.endpoints.move({"v3": 100})

        services.outside.turns.once("endpoint.read", never)
        services.outside.turns.once("endpoint.read", again)

    async def never() -> None:
        return None

    services.outside.turns.once("endpoint.written", move_away)

    await run(services)

    ended = await ends_as(services, IntentState.ESCALATED, State.ESCALATED)
    assert "somebody else moved the traffic" in ended.detail
    assert services.endpoints.traffic == {"v3": 100}


async def test_an_endpoint_that_changed_since_the_decision_is_not_touched(
    services: FakeServices,
) -> None:
    services.endpoints.move({"v2": 90, "v3": 10})

    await run(services)

    ended = await ends_as(services, IntentState.ABORTED, State.ESCALATED)
    assert "changed after the decision" in ended.detail
    assert services.endpoints.writes == []
    assert kinds(services) == ["rollback.intended", "rollback.aborted"]


async def test_what_wrote_nothing_was_no_rollback_that_another_has_to_wait_for(
    services: FakeServices,
) -> None:
    await turn_kill_switch(services)

    await run(services)

    assert (await record_now(services)).rollbacks == ()


@pytest.mark.parametrize("fate", [Write.REFUSED, Write.LOST])
async def test_what_may_have_moved_the_traffic_counts_as_a_rollback_however_it_ended(
    services: FakeServices, fate: Write
) -> None:
    services.endpoints.fates.extend([fate] * 3)

    await run(services)

    assert (await intent_now(services)).state is IntentState.ESCALATED
    (kept,) = (await record_now(services)).rollbacks
    assert kept.plan == PLAN.id


async def test_traffic_that_is_where_it_should_be_needs_no_write(services: FakeServices) -> None:
    services.endpoints.move(PLAN.after)

    await run(services)

    await ends_as(services, IntentState.CONFIRMED, State.VERIFYING)
    assert services.endpoints.writes == []


async def test_somebody_elses_operation_is_waited_for(services: FakeServices) -> None:
    services.endpoints.start_operation(polls=3)

    await run(services)

    await ends_as(services, IntentState.CONFIRMED, State.VERIFYING)
    assert "endpoint.wait" in services.outside.turns.passed


async def test_a_change_that_the_service_never_takes_is_a_persons_business(
    services: FakeServices,
) -> None:
    services.endpoints.fates.append(Write.REFUSED)

    await run(services)

    ended = await ends_as(services, IntentState.ESCALATED, State.ESCALATED)
    assert ended.detail == "the service refused the change: 400 no such deployment"
    assert len(services.endpoints.writes) == 1


async def test_an_endpoint_that_is_gone_ends_the_intent(services: FakeServices) -> None:
    services.endpoints.gone = True

    await run(services)

    ended = await ends_as(services, IntentState.ESCALATED, State.ESCALATED)
    assert "not found" in ended.detail


async def test_a_kill_switch_that_was_turned_since_the_decision_stops_the_write(
    services: FakeServices,
) -> None:
    await turn_kill_switch(services)

    await run(services)

    ended = await ends_as(services, IntentState.ABORTED, State.ESCALATED)
    assert ended.detail == "the kill switch is on for *: storm"
    assert services.endpoints.writes == []


async def test_a_kill_switch_stops_the_repeat_and_a_person_looks_at_the_first(
    services: FakeServices,
) -> None:
    services.endpoints.fates.append(Write.LOST)
    services.outside.turns.once("endpoint.written", lambda: turn_kill_switch(services))

    await run(services)

    await ends_as(services, IntentState.ESCALATED, State.ESCALATED)
    assert len(services.endpoints.writes) == 1


async def test_an_incident_that_has_moved_on_is_not_acted_on(services: FakeServices) -> None:
    await store_case(services, state=State.RESOLVED)
    services.outside.turns.passed.clear()

    with pytest.raises(Conflict, match="does not wait for plan plan-1 any more"):
        await run(services)

    assert services.outside.turns.passed == ["state.read"]
    assert services.endpoints.writes == []
    assert services.state.rows(SHARD, "intent|") == []


async def test_a_page_at_the_same_time_does_not_stop_the_act(services: FakeServices) -> None:
    async def note() -> None:
        await store_case(services, sequence=7)

    services.outside.turns.once("state.write", note)

    await run(services)

    await ends_as(services, IntentState.CONFIRMED, State.VERIFYING)


async def test_who_finds_the_lease_held_comes_back_when_it_ends(services: FakeServices) -> None:
    services.endpoints.out = True
    with pytest.raises(Unavailable):
        await run(services)

    with pytest.raises(Unavailable, match="holds the lease") as refused:
        await resume(services.another("two"), SERVICE, PLAN.id)

    assert refused.value.retry_after_s == 120.5


async def test_an_intent_that_was_left_open_is_ended_by_the_next_worker(
    services: FakeServices,
) -> None:
    services.endpoints.out = True
    with pytest.raises(Unavailable):
        await run(services)
    services.endpoints.out = False
    services.outside.wait(121)

    await resume(services.another("two"), SERVICE, PLAN.id)

    ended = await ends_as(services, IntentState.CONFIRMED, State.VERIFYING)
    assert (ended.fence, (await record_now(services)).fence) == (2, 2)


async def test_an_intent_that_has_ended_is_not_resumed(services: FakeServices) -> None:
    ended = await run(services)
    services.endpoints.move({"v3": 100})

    assert await resume(services, SERVICE, PLAN.id) == ended
    assert len(services.endpoints.writes) == 1


async def test_an_endpoint_that_cannot_be_read_for_long_ends_the_intent(
    services: FakeServices,
) -> None:
    services.endpoints.out = True
    with pytest.raises(Unavailable):
        await run(services)
    services.outside.wait(121)
    with pytest.raises(Unavailable):
        await resume(services, SERVICE, PLAN.id)
    services.outside.wait(121)

    await resume(services, SERVICE, PLAN.id)

    ended = await ends_as(services, IntentState.ESCALATED, State.ESCALATED)
    assert ended.detail.startswith("could not find out whether the traffic moved")


async def test_a_lease_without_time_left_writes_nothing() -> None:
    services = new_services(lease_s=0.0)
    await store_case(services)

    with pytest.raises(Unavailable, match="ran out"):
        await run(services)

    assert services.endpoints.writes == []


async def test_an_end_that_was_stored_but_not_heard_of_is_an_end(services: FakeServices) -> None:
    async def lose_next() -> None:
        services.state.lost_answers = 1

    async def lose_the_end() -> None:
        services.outside.turns.once("state.write", lose_next)

    services.outside.turns.once("endpoint.wait", lose_the_end)
    with pytest.raises(Unavailable):
        await run(services)

    assert (await resume(services, SERVICE, PLAN.id)).state is IntentState.CONFIRMED
    assert len(services.endpoints.writes) == 1


async def test_who_was_thought_dead_does_not_end_what_another_one_does(
    services: FakeServices,
) -> None:
    """The first worker reads a foreign change, sleeps past its lease, and wakes up too late."""
    services.endpoints.change(deployments=SNAPSHOT.deployments)

    async def sleep_through_the_lease() -> None:
        services.outside.wait(121)
        stored = await services.state.read(SHARD, f"intent|{PLAN.id}", Intent)
        assert stored is not None
        taken = msgspec.structs.replace(stored.value, fence=2)
        await services.state.write(SHARD, [Put(row=stored.row, value=taken)])

    services.outside.turns.once("endpoint.read", sleep_through_the_lease)

    with pytest.raises(Conflict, match="in other hands"):
        await run(services)

    assert (await intent_now(services)).state is IntentState.OPEN
