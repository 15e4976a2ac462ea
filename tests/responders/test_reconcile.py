"""Reconcile: every intent that was left open is ended, and one that waits holds up no other."""

import msgspec
import pytest

from responders.reconcile import reconcile
from shared.domain.decisions.intent import IntentState
from shared.domain.incidents.incident import State
from shared.protocol.act import act
from shared.protocol.leftovers import OpenIntent, find_leftovers
from tests.fakes import FakeServices, Killed, catalog_of, die
from tests.fakes.scene import (
    PLAN,
    SERVICE,
    SHARD,
    incident_now,
    intent_now,
    new_services,
    store_case,
)


@pytest.fixture
async def services() -> FakeServices:
    """A world in which a worker has died in the middle of the act."""
    made = new_services()
    await store_case(made)
    made.outside.turns.once("endpoint.write", die)
    with pytest.raises(Killed):
        await act(made, SERVICE, PLAN)
    return made.another("two")


async def tick(services: FakeServices, seconds: float = 0) -> IntentState:
    services.outside.wait(seconds)
    await reconcile(services, await find_leftovers(services))
    return (await intent_now(services)).state


async def test_a_lease_that_runs_is_respected(services: FakeServices) -> None:
    assert await tick(services, 119) is IntentState.OPEN
    assert services.endpoints.writes == []


async def test_what_its_holder_left_open_is_ended_after_the_lease(services: FakeServices) -> None:
    assert await tick(services, 121) is IntentState.CONFIRMED
    assert (await incident_now(services)).state is State.VERIFYING
    assert services.state.rows(SHARD, "~intent|") == []


async def test_an_intent_that_has_ended_is_left_alone(services: FakeServices) -> None:
    await tick(services, 121)
    await tick(services, 121)

    assert len(services.endpoints.writes) == 1


async def test_a_part_that_is_out_waits_for_the_next_tick(services: FakeServices) -> None:
    services.endpoints.out = True
    assert await tick(services, 121) is IntentState.OPEN
    services.endpoints.out = False

    assert await tick(services, 121) is IntentState.CONFIRMED


async def test_every_intent_ends_even_if_nobody_can_tell_how(services: FakeServices) -> None:
    services.endpoints.out = True
    await tick(services, 121)

    assert await tick(services, 121) is IntentState.ESCALATED
    assert (await incident_now(services)).state is State.ESCALATED


async def test_an_endpoint_that_is_gone_does_not_stop_the_tick(services: FakeServices) -> None:
    services.endpoints.gone = True

    assert await tick(services, 121) is IntentState.ESCALATED


async def test_nothing_is_done_without_policy(services: FakeServices) -> None:
    services.outside.catalog = catalog_of()

    assert await tick(services, 121) is IntentState.OPEN
    assert services.endpoints.writes == []


async def test_two_that_reconcile_at_once_make_one_change(services: FakeServices) -> None:
    services.outside.turns.once("state.written", lambda: tick(services.another("three")))

    assert await tick(services, 121) is IntentState.CONFIRMED
    assert len(services.endpoints.writes) == 1


async def test_one_that_cannot_be_ended_stops_no_other(services: FakeServices) -> None:
    services.outside.wait(121)
    unknown = OpenIntent(service=SERVICE.name, plan="nobody-stored-this")
    found = await find_leftovers(services)

    await reconcile(services, msgspec.structs.replace(found, intents=[unknown, *found.intents]))

    assert (await intent_now(services)).state is IntentState.CONFIRMED
