"""Commit: state, events and messages are one transaction, and the bus may be out meanwhile."""

from datetime import timedelta

import msgspec
import pytest

from responders.repair.relay import relay
from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, Step, tell
from shared.domain.message import Message
from shared.domain.row import Put, Stored
from shared.errors import Conflict, NotFound, Unavailable
from shared.protocol.commit import command, commit, incident_row, read_incident
from shared.protocol.leftovers import find_leftovers
from tests.fakes import FakeServices, Killed, die
from tests.fakes.bus import MOST_BYTES
from tests.fakes.scene import INCIDENT, NOW, SHARD, kinds, new_services, store_incident


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_incident(made)
    return made


def noted(incident: Incident) -> Step:
    return tell(incident, EventKind.NOTED, actor="Ada", what="noted", why="a test", now=NOW)


async def change(services: FakeServices, was: Stored[Incident], commands: int = 1) -> None:
    step = noted(was.value)
    assert step.incident is not None
    put = Put(row=was.row, value=step.incident, etag=was.etag)
    unique = [f"{step.incident.sequence}-{number}" for number in range(commands)]
    orders = [command("diagnose", INCIDENT.id, name) for name in unique]
    await commit(services, SHARD, [put], events=step.events, commands=orders)


async def relay_later(services: FakeServices) -> None:
    services.outside.wait(6)
    await relay(services, await find_leftovers(services))


async def test_state_timeline_and_messages_are_stored_and_sent(services: FakeServices) -> None:
    await change(services, await read_incident(services, INCIDENT.id))

    assert (await read_incident(services, INCIDENT.id)).value.sequence == 3
    assert services.state.rows(SHARD, "event|") == [f"event|{INCIDENT.id}|000003"]
    assert kinds(services) == ["incident.noted"]
    assert services.bus.subjects("work") == ["diagnose"]
    assert services.state.rows(SHARD, "~out|") == []


async def test_who_read_an_older_version_stores_and_sends_nothing(services: FakeServices) -> None:
    was = await read_incident(services, INCIDENT.id)
    await change(services, was)

    with pytest.raises(Conflict):
        await change(services, was)

    assert kinds(services) == ["incident.noted"]
    assert (await read_incident(services, INCIDENT.id)).value.sequence == 3


async def test_a_silent_bus_is_nobodys_trouble_and_relay_sends_later(
    services: FakeServices,
) -> None:
    services.bus.out = True
    await change(services, await read_incident(services, INCIDENT.id))
    assert len(services.state.rows(SHARD, "~out|")) == 2

    services.bus.out = False
    await relay_later(services)

    assert kinds(services) == ["incident.noted"]
    assert services.bus.subjects("work") == ["diagnose"]
    assert services.state.rows(SHARD, "~out|") == []


async def test_what_cannot_be_removed_from_the_outbox_is_no_failure(
    services: FakeServices,
) -> None:
    async def take_tables_away() -> None:
        services.outside.tables_out(out=True)

    services.outside.turns.once("changes.published", take_tables_away)
    await change(services, await read_incident(services, INCIDENT.id), commands=0)
    services.outside.tables_out(out=False)

    await relay_later(services)

    first, again = services.bus.published["changes"]
    assert first == again  # the same id twice: its consumers know


@pytest.mark.parametrize("number", range(1, 8))
async def test_killed_anywhere_the_event_is_told_if_and_only_if_the_state_is_stored(
    services: FakeServices, number: int
) -> None:
    was = await read_incident(services, INCIDENT.id)
    services.outside.turns.at(number, die)
    with pytest.raises(Killed):
        await change(services, was)

    await relay_later(services)

    stored = (await read_incident(services, INCIDENT.id)).value.sequence == 3
    assert stored == (number > 1)
    assert set(kinds(services)) == ({"incident.noted"} if stored else set())
    assert services.state.rows(SHARD, "~out|") == []


async def test_a_commit_whose_message_the_bus_never_takes_is_a_commit(
    services: FakeServices,
) -> None:
    huge = [command("diagnose", "x" * MOST_BYTES)]

    await commit(services, SHARD, [], commands=huge)

    assert len(services.state.rows(SHARD, "~out|")) == 1


async def test_tables_that_are_out_are_said_and_nothing_is_sent(services: FakeServices) -> None:
    was = await read_incident(services, INCIDENT.id)
    services.outside.tables_out(out=True)

    with pytest.raises(Unavailable, match="tables"):
        await change(services, was)

    assert services.bus.published == {"work": [], "changes": []}


@pytest.mark.parametrize("unknown", [INCIDENT.id.replace("0A", "FF"), "INC-99-1-2", "", "x/y"])
async def test_an_incident_that_is_not_there_is_not_found(
    services: FakeServices, unknown: str
) -> None:
    with pytest.raises(NotFound):
        await read_incident(services, unknown)


async def test_the_time_of_a_command_is_the_buss_business(services: FakeServices) -> None:
    due = NOW + timedelta(minutes=1)
    order = command("enforce", INCIDENT.id, "plan-1", due)

    assert order == Message(
        subject="enforce", body=INCIDENT.id, message_id=f"enforce:{INCIDENT.id}:plan-1", due=due
    )
    stored = msgspec.json.decode(msgspec.json.encode(order), type=Message)
    assert stored == order
    assert incident_row(INCIDENT.id) == f"incident|{INCIDENT.id}"
