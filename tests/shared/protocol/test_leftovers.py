"""Leftovers: one range read a shard finds all that is unfinished, whatever it is and wherever."""

import msgspec
import pytest

from shared.domain.keys import shards
from shared.domain.message import Message
from shared.domain.row import Put
from shared.errors import Unavailable
from shared.protocol.effect import claimed
from shared.protocol.leftovers import OpenIntent, OutboxEntry, find_leftovers, in_turn
from shared.protocol.records import CONTROLS
from tests.fakes import FakeServices
from tests.fakes.scene import INCIDENT, NOW, SERVICE, SHARD, new_services, store_incident

ENTRY = OutboxEntry(
    topic="changes",
    message=Message(subject="incident.noted", body="{}", message_id="event-1"),
    committed_at=NOW,
)


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def leave(services: FakeServices, shard: str) -> None:
    await services.state.write(shard, [Put(row=ENTRY.row, value=ENTRY)])


async def test_messages_effects_and_intents_are_told_apart(services: FakeServices) -> None:
    marker = OpenIntent(service=SERVICE.name, plan="plan-1")
    await leave(services, SHARD)
    await services.state.write(SHARD, [Put(row=marker.row, value=marker)])
    await claimed(services, INCIDENT.id, "card-opened")

    found = await find_leftovers(services)

    assert found.messages[SHARD] == [ENTRY]
    assert [effect.name for effect in found.effects] == ["card-opened"]
    assert found.intents == [marker]


class Foreign(msgspec.Struct, frozen=True, kw_only=True, tag="of-tomorrow"):
    """What a newer version has left."""

    text: str = "nobody may read this"


@pytest.mark.parametrize("row", ["~effect|A|card", "~intent|a", "~new|a", "~out|a", "~review|z"])
async def test_a_row_that_cannot_be_read_costs_itself_only(
    services: FakeServices, row: str, caplog: pytest.LogCaptureFixture
) -> None:
    marker = OpenIntent(service=SERVICE.name, plan="plan-1")
    await leave(services, SHARD)
    await services.state.write(SHARD, [Put(row=marker.row, value=marker)])
    await services.state.write(SHARD, [Put(row=row, value=Foreign())])

    found = await find_leftovers(services)

    assert (found.messages[SHARD], found.intents) == ([ENTRY], [marker])
    (said,) = caplog.records
    assert (said.levelname, row in said.getMessage()) == ("ERROR", True)
    assert "nobody may read this" not in caplog.text
    assert "of-tomorrow" not in caplog.text


async def test_what_is_finished_is_not_read(services: FakeServices) -> None:
    await store_incident(services)

    found = await find_leftovers(services)

    assert (found.effects, found.intents) == ([], [])
    assert not any(found.messages.values())


async def test_the_shards_of_services_open_incidents_and_controls_are_read_every_time(
    services: FakeServices,
) -> None:
    unowned = next(shard for shard in shards() if shard != SHARD)
    other = msgspec.structs.replace(INCIDENT, id=f"INC-{unowned}-261123-0A1B2C3D")
    await store_incident(services, id=other.id)

    for _ in range(3):
        found = await find_leftovers(services)
        assert {SHARD, unowned, CONTROLS} <= set(found.messages)


@pytest.mark.parametrize("shard", ["00", "17", "63"])
async def test_a_shard_where_nothing_should_be_comes_up_in_turn(
    services: FakeServices, shard: str
) -> None:
    await leave(services, shard)

    turns = [await find_leftovers(services) for _ in range(8)]

    assert ENTRY in [entry for found in turns for entry in found.messages.get(shard, [])]


@pytest.mark.parametrize(("length", "count"), [(64, 8), (32, 8), (10, 3), (2, 8)])
@pytest.mark.parametrize("start", [0, 1, 1_763_900_000])
def test_all_names_come_up_in_turn(length: int, count: int, start: int) -> None:
    names = [f"{number:02d}" for number in range(length)]
    rounds = -(-length // count)

    seen = [in_turn(names, start + number, count) for number in range(rounds + 1)]

    assert set().union(*seen) == set(names)


async def test_tables_that_are_out_are_said(services: FakeServices) -> None:
    services.outside.tables_out(out=True)

    with pytest.raises(Unavailable):
        await find_leftovers(services)
