"""Leftovers: one range read a shard finds all that is unfinished, whatever it is and wherever."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import batched

import msgspec
import pytest

from shared.domain.keys import shards
from shared.domain.message import Message
from shared.domain.reviews.review import Review, ReviewKind
from shared.domain.row import Put
from shared.errors import Unavailable
from shared.protocol.effect import claimed
from shared.protocol.leftovers import (
    KINDS,
    MOST,
    Effect,
    OpenIntent,
    OutboxEntry,
    find_leftovers,
    in_turn,
)
from shared.protocol.records import CONTROLS
from tests.fakes import FakeServices
from tests.fakes.scene import INCIDENT, NOW, SERVICE, SHARD, new_services, store_incident

ENTRY = OutboxEntry(
    topic="changes",
    message=Message(subject="incident.noted", body="{}", message_id="event-1"),
    committed_at=NOW,
)
REVIEW = Review(
    id="A-R1",
    incident="A",
    service=SERVICE.name,
    kind=ReviewKind.FREEZE_HOTFIX,
    about="v3",
    why="a hotfix was let by",
    opened_at=NOW,
    due_at=NOW + timedelta(days=5),
    opened_by="ada",
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


async def lay(services: FakeServices, rows: Sequence[tuple[str, msgspec.Struct]]) -> None:
    puts = [Put(row=row, value=value) for row, value in rows]
    for some in batched(puts, 100, strict=False):
        await services.state.write(SHARD, some)


def cards(count: int) -> list[tuple[str, msgspec.Struct]]:
    each = [Effect(incident="A", name=f"card-{n:03d}", claimed_at=NOW) for n in range(count)]
    return [(one.open_row, one) for one in each]


@pytest.mark.parametrize("count", [MOST - 1, MOST, MOST + 1, 2 * MOST])
async def test_what_waits_of_one_kind_hides_nothing_of_another(
    services: FakeServices, count: int
) -> None:
    marker = OpenIntent(service=SERVICE.name, plan="plan-1")
    others = [(marker.row, marker), (ENTRY.row, ENTRY), (REVIEW.row, REVIEW)]
    await lay(services, [*cards(count), *others])

    found = await find_leftovers(services)

    assert (found.intents, found.messages[SHARD]) == ([marker], [ENTRY])
    assert found.reviews == [REVIEW]
    assert len(found.effects) == min(count, MOST)


async def test_each_kind_has_the_whole_of_its_own_limit(services: FakeServices) -> None:
    intents = [OpenIntent(service=SERVICE.name, plan=f"plan-{n:03d}") for n in range(MOST + 5)]
    await lay(services, [*cards(MOST // 2), *((one.row, one) for one in intents)])

    found = await find_leftovers(services)

    assert len(found.effects) == MOST // 2
    assert found.intents == intents[:MOST]


async def test_rows_that_cannot_be_read_hide_nothing_however_many_they_are(
    services: FakeServices,
) -> None:
    await lay(services, [(f"~a|{n:03d}", Foreign()) for n in range(MOST + 1)])
    await leave(services, SHARD)

    assert (await find_leftovers(services)).messages[SHARD] == [ENTRY]


async def test_a_shard_is_read_by_one_range_unless_that_was_cut_off(
    services: FakeServices,
) -> None:
    async def looks() -> int:
        before = services.outside.turns.passed.count("state.scan")
        await find_leftovers(services.another("one more"))
        return services.outside.turns.passed.count("state.scan") - before

    calm = await looks()
    await lay(services, cards(MOST - 1))
    assert await looks() == calm
    await lay(services, cards(MOST))
    assert await looks() == calm + len(KINDS) - 1


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
