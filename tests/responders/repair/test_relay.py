"""Relay: what a silent bus left behind is sent, and what it never takes is kept."""

import pytest

from responders.repair.relay import relay
from shared.domain.message import Message
from shared.domain.row import Put
from shared.protocol.commit import command, commit
from shared.protocol.kept import list_kept
from shared.protocol.leftovers import OutboxEntry, find_leftovers
from shared.protocol.records import CONTROLS
from tests.fakes import FakeServices, Killed, die
from tests.fakes.bus import MOST_BYTES
from tests.fakes.scene import INCIDENT, NOW, SHARD, new_services


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def leave(services: FakeServices, commands: int, name: str = "") -> None:
    """Commit while the bus is out."""
    services.bus.out = True
    orders = [command("diagnose", INCIDENT.id, f"{name}{number}") for number in range(commands)]
    await commit(services, SHARD, [], commands=orders)
    services.bus.out = False


async def relay_later(services: FakeServices) -> None:
    services.outside.wait(6)
    await relay(services, await find_leftovers(services))


async def test_relay_leaves_the_committer_the_time_to_send_it_himself(
    services: FakeServices,
) -> None:
    await leave(services, 1)

    await relay(services, await find_leftovers(services))

    assert services.bus.published["work"] == []


async def test_a_storm_that_the_bus_slept_through_is_relayed_and_forgotten(
    services: FakeServices,
) -> None:
    for number in range(3):
        await leave(services, 49, f"{number}-")

    await relay_later(services)

    assert len(services.bus.published["work"]) == 3 * 49
    assert services.state.rows(SHARD, "~out|") == []


async def leave_too_large(services: FakeServices, shard: str) -> None:
    """A message that the bus will never take, and one behind it, committed a while ago."""
    for name, body in (("large", shard + "x" * MOST_BYTES), ("small", "x")):
        late = Message(subject="incident.noted", body=body, message_id=f"{shard}-{name}")
        entry = OutboxEntry(topic="changes", message=late, committed_at=NOW)
        await services.state.write(shard, [Put(row=entry.row, value=entry)])


async def test_what_the_bus_never_takes_is_quarantined_and_holds_up_nothing(
    services: FakeServices,
) -> None:
    for shard in (SHARD, CONTROLS):
        await leave_too_large(services, shard)

    await relay_later(services)

    sent = {one.message_id for one in services.bus.published["changes"]}
    assert {f"{SHARD}-small", f"{CONTROLS}-small"} <= sent
    assert services.state.rows(SHARD, "~out|") == services.state.rows(CONTROLS, "~out|") == []
    kept, _ = await list_kept(services)
    assert {one.address.message_id for one in kept} == {f"{SHARD}-large", f"{CONTROLS}-large"}
    assert {(one.source, one.reason) for one in kept} == {
        ("outbox/incident.noted", "message-too-large")
    }


async def test_killed_while_it_quarantines_nothing_is_lost(services: FakeServices) -> None:
    await leave_too_large(services, SHARD)
    services.outside.turns.once("state.written", die)
    with pytest.raises(Killed):
        await relay_later(services)

    await relay_later(services)

    (kept,), _ = await list_kept(services)
    assert kept.times == 1
    assert services.state.rows(SHARD, "~out|") == []


async def test_two_relays_at_once_leave_nothing(services: FakeServices) -> None:
    await leave(services, 3)
    services.outside.turns.once("work.published", lambda: relay_later(services.another("two")))

    await relay_later(services)

    assert services.state.rows(SHARD, "~out|") == []
