"""Killed anywhere, or asleep past its lease: the act is finished by the next one, and only once.

Each test runs the whole act again for every call to the outside, and interferes at that one.
"""

from collections import Counter
from functools import partial

import pytest

from responders.repair.relay import relay
from shared.domain.decisions.intent import IntentState
from shared.domain.incidents.incident import State
from shared.errors import Conflict, Unavailable
from shared.protocol.acting.act import act, resume
from shared.protocol.leftovers import find_leftovers
from tests.fakes import FakeServices, Killed, Write, die
from tests.fakes.scene import (
    PLAN,
    SERVICE,
    SHARD,
    incident_now,
    intent_now,
    new_services,
    record_now,
    store_case,
    told,
)

TURNS = 45  # the act takes fewer, whatever becomes of its writes
FATES = [[], [Write.UNHEARD], [Write.LOST]]


async def new_case(fates: list[Write]) -> FakeServices:
    services = new_services()
    await store_case(services)
    services.endpoints.fates.extend(fates)
    return services


async def act_and_die(services: FakeServices, number: int) -> bool:
    """Act, and be killed at the turn of this number; False where the act ended before."""
    services.outside.turns.at(number, die)
    try:
        await act(services, SERVICE, PLAN)
    except Killed:
        return True
    services.outside.turns.forget()
    return False


async def finish(services: FakeServices) -> None:
    """What the tick and the bus do later: the command comes again, and relay sends the rest."""
    services.outside.wait(121)
    state = (await incident_now(services)).state
    if state is State.DIAGNOSED:
        await act(services, SERVICE, PLAN)
    elif state is State.ACTING:
        await resume(services, SERVICE, PLAN.id)
    services.outside.wait(10)
    await relay(services, await find_leftovers(services))


async def assert_done_once(services: FakeServices) -> None:
    assert (await intent_now(services)).state is IntentState.CONFIRMED
    assert (await incident_now(services)).state is State.VERIFYING
    assert (await record_now(services)).lease is None
    assert len((await record_now(services)).rollbacks) == 1
    assert services.endpoints.traffic == {"v1": 100}
    assert services.state.rows(SHARD, "~") == []


def events(services: FakeServices) -> list[str]:
    """Kinds of the events that were told; one that was told twice has the same id."""
    kinds = {event.id: event.kind.value for event in told(services)}
    return [kinds[name] for name in sorted(kinds)]


@pytest.mark.parametrize("fates", FATES, ids=["heard", "unheard", "lost"])
async def test_killed_at_any_point_the_change_is_made_once_and_told_once(
    fates: list[Write],
) -> None:
    died = 0
    for number in range(1, TURNS):
        services = await new_case(fates)
        died += await act_and_die(services, number)
        await finish(services)

        await assert_done_once(services)
        assert events(services) == ["rollback.intended", "rollback.confirmed"], number
        assert set(map(str, services.endpoints.writes)) == {str(PLAN.after)}, number
        assert len(services.endpoints.writes) <= 3, number

    assert died > 20


async def test_killed_before_the_intent_is_stored_nothing_was_written() -> None:
    seen: Counter[bool] = Counter()
    for number in range(1, TURNS):
        services = await new_case([])
        await act_and_die(services, number)
        has_intent = services.state.rows(SHARD, "intent|") != []
        seen[has_intent] += 1
        assert has_intent or not services.endpoints.writes

    assert seen[False] == 3  # two readings, and the transaction itself
    assert seen[True] > 10


@pytest.mark.parametrize("fates", FATES, ids=["heard", "unheard", "lost"])
async def test_asleep_past_its_lease_a_worker_does_not_change_what_the_next_one_did(
    fates: list[Write],
) -> None:
    taken_over = 0
    for number in range(1, TURNS):
        services = await new_case(fates)
        taken_over += await _sleep_past_the_lease(services, number)
        await finish(services)

        await assert_done_once(services)
        intent = await intent_now(services)
        assert set(map(str, services.endpoints.writes)) == {str(PLAN.after)}, number
        # All writes are counted; the count itself says that there may be one more than was sent.
        assert len(services.endpoints.writes) <= intent.writes <= 3, number

    assert taken_over > 10


async def _sleep_past_the_lease(services: FakeServices, number: int) -> bool:
    """Let another worker take over at the turn of this number, if there is anything to take."""
    took_over = False

    async def oversleep() -> None:
        nonlocal took_over
        services.outside.wait(121)
        if (await incident_now(services)).state is State.ACTING:
            took_over = True
            await resume(services.another("two"), SERVICE, PLAN.id)

    services.outside.turns.at(number, oversleep)
    try:
        await act(services, SERVICE, PLAN)
    except Conflict:
        assert took_over
    services.outside.turns.forget()
    return took_over


async def test_two_workers_with_the_same_command_make_one_change() -> None:
    for number in range(1, TURNS):
        services = await new_case([])
        succeeded: list[str] = []

        async def attempt(worker: FakeServices) -> None:
            try:
                await act(worker, SERVICE, PLAN)
            except (Conflict, Unavailable):
                return
            succeeded.append(worker.settings.instance)  # noqa: B023 - runs within this round

        services.outside.turns.at(number, partial(attempt, services.another("two")))
        await attempt(services)
        services.outside.turns.forget()

        assert len(succeeded) == 1, number
        await assert_done_once(services)
        assert len(services.endpoints.writes) == 1
