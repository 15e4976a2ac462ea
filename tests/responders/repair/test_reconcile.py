"""Reconcile: every intent that was left open is ended, and one that waits holds up no other."""

import asyncio

import msgspec
import pytest

from responders.repair.reconcile import reconcile
from shared.domain.decisions.intent import IntentState
from shared.domain.incidents.incident import State
from shared.domain.keys import digest, shard_of
from shared.domain.row import Put
from shared.protocol.acting.act import act
from shared.protocol.acting.actor import read_intent
from shared.protocol.commit import incident_row
from shared.protocol.leftovers import Leftovers, OpenIntent, find_leftovers
from shared.protocol.listing import point_to
from tests.fakes import FakeServices, Killed, catalog_of, die
from tests.fakes.scene import (
    INCIDENT,
    PLAN,
    SERVICE,
    SHARD,
    TARGET,
    incident_now,
    intent_now,
    new_services,
    record_now,
    store_case,
)

OTHER = msgspec.structs.replace(SERVICE, name="quotes")


@pytest.fixture
async def services() -> FakeServices:
    """A world in which a worker has died in the middle of the act."""
    made = new_services()
    await store_case(made)
    made.outside.turns.once("endpoint.write", die)
    with pytest.raises(Killed):
        await act(made, SERVICE, PLAN)
    return made.another("two")


async def leave_open_elsewhere(services: FakeServices) -> OpenIntent:
    """The same open intent, of another service."""
    services.outside.catalog = catalog_of(SERVICE, OTHER)
    shard, of_it = shard_of(OTHER.name), {"service": OTHER.name}
    incident = msgspec.structs.replace(
        await incident_now(services), id=INCIDENT.id.replace(SHARD, shard, 1), **of_it
    )
    intent, record = await intent_now(services), await record_now(services)
    plan = msgspec.structs.replace(intent.plan, id="plan-2", incident=incident.id, **of_it)
    marker = OpenIntent(service=OTHER.name, plan=plan.id)
    await point_to(services, incident)
    lease = msgspec.structs.replace(record.lease, plan=plan.id) if record.lease else None
    writes = [
        Put(row=incident_row(incident.id), value=incident),
        Put(row=f"intent|{plan.id}", value=msgspec.structs.replace(intent, plan=plan)),
        Put(
            row=f"endpoint|{digest(TARGET)}",
            value=msgspec.structs.replace(record, lease=lease, **of_it),
        ),
        Put(row=marker.row, value=marker),
    ]
    await services.state.write(shard, writes)
    return marker


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


async def test_a_busy_endpoint_holds_up_no_other(services: FakeServices) -> None:
    other = await leave_open_elsewhere(services)
    seen: list[IntentState] = []

    async def be_busy() -> None:
        for _ in range(1_000):
            await asyncio.sleep(0)
        seen.append((await read_intent(services, shard_of(OTHER.name), other.plan)).value.state)

    services.outside.turns.once("endpoint.read", be_busy)
    services.outside.wait(121)
    first = OpenIntent(service=SERVICE.name, plan=PLAN.id)

    await reconcile(services, Leftovers(messages={}, effects=[], intents=[first, other]))

    assert seen == [IntentState.CONFIRMED]
    assert (await intent_now(services)).state is IntentState.CONFIRMED
