"""Verify: mitigated by rows and probes alike; escalated when bad, or when it cannot be told."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from responders.alert.verify import verify
from shared.domain.decisions.intent import Intent, IntentState
from shared.domain.incidents.incident import State
from shared.domain.row import Put
from tests.fakes import FakeServices, catalog_of
from tests.fakes.scene import (
    INCIDENT,
    NOW,
    PLAN,
    SERVICE,
    SHARD,
    incident_now,
    kinds,
    message,
    new_services,
    store_case,
)
from tests.shared.domain.diagnosis.telemetry_story import (
    OVERFLOWS,
    Trouble,
    answers_of,
    fails,
    no_trouble,
    serve,
)

MOVED_S = 300  # the story's second at which it is NOW
STILL_BAD = fails(OVERFLOWS, share=0.5, region="swedencentral")


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made, state=State.VERIFYING, plan=PLAN.id)
    done = Intent(
        plan=PLAN, fence=1, opened_at=NOW, state=IntentState.CONFIRMED, writes=1, ended_at=NOW
    )
    await made.state.write(SHARD, [Put(row=f"intent|{PLAN.id}", value=done)])
    made.endpoints.move(PLAN.after)
    return made


def serve_on(services: FakeServices, seconds: int, trouble: Trouble = no_trouble) -> None:
    """Customers are served by v1 for so long, and the logs tell of it."""
    requests = serve([(0, {"v1": 1})], until=MOVED_S + seconds, trouble=trouble)
    since = [request for request in requests if request.at >= NOW]
    services.logs.answers.update(answers_of(since))
    services.outside.wait(seconds)


async def store_intent(services: FakeServices, **changes: Any) -> None:
    """The intent as it was confirmed, changed in some way."""
    done = Intent(
        plan=PLAN, fence=1, opened_at=NOW, state=IntentState.CONFIRMED, writes=2, ended_at=NOW
    )
    changed = msgspec.structs.replace(
        done, settled=services.endpoints.snapshot.fingerprint, **changes
    )
    await services.state.write(SHARD, [Put(row=f"intent|{PLAN.id}", value=changed)])


async def test_a_late_request_of_ours_that_may_have_overwritten_a_deploy_is_a_persons(
    services: FakeServices,
) -> None:
    await store_intent(services, unheard=1)
    services.endpoints.move({"v3": 100})
    services.endpoints.move(PLAN.after)
    serve_on(services, 60)

    assert await check(services) is State.ESCALATED
    assert "may have overwritten somebody's deploy" in (await incident_now(services)).sentence


async def test_without_a_request_on_its_way_another_write_is_somebody_s_own(
    services: FakeServices,
) -> None:
    await store_intent(services, unheard=0)
    services.endpoints.move(PLAN.after)
    serve_on(services, 60)

    assert await check(services) is State.MITIGATED


async def test_a_request_on_its_way_that_never_arrived_changes_nothing(
    services: FakeServices,
) -> None:
    await store_intent(services, unheard=1)
    serve_on(services, 60)

    assert await check(services) is State.MITIGATED


async def check(services: FakeServices) -> State:
    """The check that is due."""
    due = (await incident_now(services)).checks + 1
    return await check_number(services, due)


async def check_number(services: FakeServices, number: int) -> State:
    await verify(services, message("verify", f"{INCIDENT.id}:{number}"))
    return (await incident_now(services)).state


async def test_customers_that_are_served_well_again_are_said_to_be(
    services: FakeServices,
) -> None:
    serve_on(services, 60)

    assert await check(services) is State.MITIGATED
    incident = await incident_now(services)
    assert incident.recovered_at == services.now()
    assert incident.sentence.startswith("Moved all traffic from v2 back to v1. It helped: ")
    assert incident.bad_share_after == 0.0
    assert kinds(services) == ["incident.verified", "incident.mitigated"]
    assert services.bus.published["work"] == []


async def test_the_same_failures_after_the_change_are_a_persons(services: FakeServices) -> None:
    serve_on(services, 60, STILL_BAD)

    assert await check(services) is State.ESCALATED
    assert kinds(services) == ["incident.verified", "incident.escalated"]
    assert services.endpoints.writes == []


async def test_too_little_traffic_is_looked_at_again_later(services: FakeServices) -> None:
    serve_on(services, 3)

    assert await check(services) is State.VERIFYING
    (order,) = services.bus.published["work"]
    assert (order.subject, order.body) == ("verify", f"{INCIDENT.id}:2")
    assert order.due == services.now() + timedelta(seconds=SERVICE.policy.verify_after_s)


async def test_every_check_is_ordered_by_a_message_of_its_own(services: FakeServices) -> None:
    serve_on(services, 3)
    await check(services)
    await check(services)

    ids = [order.message_id for order in services.bus.published["work"]]
    assert len(set(ids)) == 2


async def test_what_the_last_check_cannot_tell_is_a_persons(services: FakeServices) -> None:
    serve_on(services, 3)
    states = [await check(services) for _ in range(SERVICE.policy.verify_checks)]

    assert states == [State.VERIFYING, State.VERIFYING, State.ESCALATED]
    assert (await incident_now(services)).checks == 3


async def test_good_rows_without_a_good_probe_are_not_believed(services: FakeServices) -> None:
    serve_on(services, 60)
    services.scoring.failing.add("v1")

    assert await check(services) is State.VERIFYING


@pytest.mark.parametrize("part", ["endpoint", "gone", "scoring"])
async def test_a_probe_that_cannot_be_sent_proves_nothing(
    services: FakeServices, part: str
) -> None:
    serve_on(services, 60)
    services.endpoints.out = part == "endpoint"
    services.endpoints.gone = part == "gone"
    services.scoring.out = part == "scoring"

    assert await check(services) is State.VERIFYING


async def test_logs_that_are_out_prove_nothing(services: FakeServices) -> None:
    serve_on(services, 60)
    services.logs.fail("onset")

    assert await check(services) is State.VERIFYING
    assert "Cannot tell" in services.bus.published["changes"][0].body


async def test_a_service_whose_file_is_broken_by_now_is_a_persons(services: FakeServices) -> None:
    services.outside.catalog = catalog_of()

    assert await check(services) is State.ESCALATED
    assert "no valid file" in (await incident_now(services)).sentence


@pytest.mark.parametrize("state", [state for state in State if state is not State.VERIFYING])
async def test_an_incident_in_another_state_is_left_alone(
    services: FakeServices, state: State
) -> None:
    await store_case(services, state=state, plan=PLAN.id)

    assert await check(services) is state
    assert services.logs.asked == []


async def test_two_checks_at_once_are_one(services: FakeServices) -> None:
    serve_on(services, 60)
    services.outside.turns.once("state.write", lambda: check(services.another("two")))

    assert await check(services) is State.MITIGATED
    assert kinds(services) == ["incident.verified", "incident.mitigated"]


@pytest.mark.parametrize("number", [0, 2, 3])
async def test_a_command_for_a_check_that_is_not_due_checks_nothing(
    services: FakeServices, number: int
) -> None:
    serve_on(services, 60)

    assert await check_number(services, number) is State.VERIFYING
    assert services.logs.asked == []


async def test_a_reminder_beside_the_command_itself_spends_no_check(
    services: FakeServices,
) -> None:
    serve_on(services, 3)
    services.outside.turns.once("state.write", lambda: check_number(services.another("two"), 1))

    await check_number(services, 1)
    await check_number(services, 1)

    assert (await incident_now(services)).checks == 1
    assert kinds(services) == ["incident.verified"]


async def test_a_late_repeat_checks_nothing_twice(services: FakeServices) -> None:
    serve_on(services, 60)
    await check(services)
    await check(services)

    assert kinds(services).count("incident.mitigated") == 1
