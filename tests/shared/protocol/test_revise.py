"""Revise: a step is taken on the incident as it is, and never overwrites somebody else's."""

import pytest

from shared.domain.incidents.handling import add_note
from shared.domain.incidents.incident import Incident, Step
from shared.domain.row import Put
from shared.errors import Conflict, NotFound
from shared.protocol.commit import command
from shared.protocol.revise import ATTEMPTS, Revision, revise
from tests.fakes import FakeServices
from tests.fakes.scene import (
    INCIDENT,
    NOW,
    PLAN,
    SHARD,
    incident_now,
    kinds,
    new_services,
    store_incident,
)


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_incident(made)
    return made


def note(text: str) -> Revision:
    return Revision(step=add_note(INCIDENT, text, who="Ada", now=NOW))


async def write_note(services: FakeServices, text: str) -> None:
    def take(incident: Incident) -> Revision:
        return Revision(step=add_note(incident, text, who="Ada", now=NOW))

    await revise(services, INCIDENT.id, take)


async def test_what_the_step_makes_of_the_incident_is_stored_and_told(
    services: FakeServices,
) -> None:
    await write_note(services, "one")

    assert [kept.text for kept in (await incident_now(services)).notes] == ["one"]
    assert kinds(services) == ["incident.noted"]


async def test_rows_and_messages_go_with_the_step(services: FakeServices) -> None:
    def take(incident: Incident) -> Revision:
        step = add_note(incident, "one", who="Ada", now=NOW)
        order = command("verify", incident.id)
        return Revision(step=step, writes=[Put(row="plan", value=PLAN)], messages=[order])

    await revise(services, INCIDENT.id, take)

    assert services.state.rows(SHARD, "plan") == ["plan"]
    assert services.bus.subjects("work") == ["verify"]


async def test_the_commands_of_a_step_are_sent_about_the_incident(services: FakeServices) -> None:
    def take(incident: Incident) -> Revision:
        step = add_note(incident, "one", who="Ada", now=NOW)
        return Revision(
            step=Step(incident=step.incident, events=step.events, commands=("enforce",))
        )

    await revise(services, INCIDENT.id, take)

    (order,) = services.bus.published["work"]
    assert (order.subject, order.body) == ("enforce", INCIDENT.id)


async def test_a_step_that_was_stored_is_not_taken_again_whatever_the_tables_say(
    services: FakeServices,
) -> None:
    async def deny() -> None:
        raise Conflict("an SDK that repeats its own write is told that somebody was first")

    services.outside.turns.once("state.written", deny)

    await write_note(services, "one")

    assert [kept.text for kept in (await incident_now(services)).notes] == ["one"]


async def test_who_loses_the_race_takes_the_step_again_on_what_the_winner_stored(
    services: FakeServices,
) -> None:
    services.outside.turns.once("state.write", lambda: write_note(services, "first"))

    await write_note(services, "second")

    assert [kept.text for kept in (await incident_now(services)).notes] == ["first", "second"]
    assert (await incident_now(services)).sequence == INCIDENT.sequence + 2


async def test_a_step_that_does_not_apply_changes_nothing(services: FakeServices) -> None:
    nothing = Step(incident=None, reason="too late")

    assert await revise(services, INCIDENT.id, lambda _: Revision(step=nothing)) == nothing
    assert kinds(services) == []


async def test_an_incident_that_never_stands_still_is_a_conflict(services: FakeServices) -> None:
    async def keep_changing() -> None:
        await store_incident(services)
        services.outside.turns.once("state.read", after_read)

    async def after_read() -> None:
        services.outside.turns.once("state.write", keep_changing)

    seen: list[Incident] = []

    def take(incident: Incident) -> Revision:
        seen.append(incident)
        return note("never")

    await after_read()
    with pytest.raises(Conflict, match="kept changing"):
        await revise(services, INCIDENT.id, take)
    assert len(seen) == ATTEMPTS


async def test_an_unknown_incident_is_not_found(services: FakeServices) -> None:
    with pytest.raises(NotFound):
        await revise(services, "INC-35-261123-FFFFFFFF", lambda _: note("never"))
