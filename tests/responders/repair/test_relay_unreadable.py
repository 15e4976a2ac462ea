"""Unreadable: a row of our own that nobody can read wakes a person once, and holds up nothing."""

import msgspec
import pytest

from responders.people.page import page_all_due
from responders.repair.relay import relay
from shared.domain.alerts.unreadable import LASTS
from shared.domain.event import EventKind
from shared.domain.incidents.escalation import wakes
from shared.domain.incidents.incident import Incident
from shared.domain.message import CHANGES, Message
from shared.domain.row import Put, Remove
from shared.errors import Unavailable
from shared.protocol.leftovers import OutboxEntry, find_leftovers
from shared.protocol.listing import open_incidents
from tests.fakes import FakeServices
from tests.fakes.scene import NOW, SERVICE, SHARD, new_services, store_incident, told

TICK_S = 10.0
LASTS_S = LASTS.total_seconds()
ROW = "~effect|INC-1|card-opened"
PLACE = f"state/{SHARD}/{ROW}"


class Foreign(msgspec.Struct, frozen=True, kw_only=True, tag="of-tomorrow"):
    """What another version has written."""


@pytest.fixture
def services() -> FakeServices:
    return new_services(pager_keys={"duty": "key of duty"})


async def spoil(services: FakeServices, *rows: str) -> None:
    await services.state.write(SHARD, [Put(row=row, value=Foreign()) for row in rows])


async def tick_for(services: FakeServices, seconds: float) -> None:
    for _ in range(int(seconds / TICK_S)):
        await relay(services, await find_leftovers(services))
        services.outside.wait(TICK_S)


async def opened(services: FakeServices) -> list[Incident]:
    return [one for one in await open_incidents(services) if one.service != SERVICE.name]


async def test_what_lasts_wakes_the_duty_contact_and_names_the_row(services: FakeServices) -> None:
    await spoil(services, ROW)

    await tick_for(services, LASTS_S + 2 * TICK_S)
    await page_all_due(services, await find_leftovers(services))

    (incident,) = await opened(services)
    assert wakes(incident)
    (event,) = [one for one in told(services) if one.kind is EventKind.INCIDENT_OPENED]
    assert event.evidence["rows"] == [PLACE]
    assert services.pager.did() == [("key of duty", "trigger")]


async def test_what_a_deployment_leaves_unread_for_some_minutes_wakes_nobody(
    services: FakeServices,
) -> None:
    await spoil(services, ROW)
    await tick_for(services, LASTS_S - TICK_S)
    await services.state.write(SHARD, [Remove(row=ROW)])

    await tick_for(services, 2 * LASTS_S)

    assert await opened(services) == []


async def test_many_rows_seen_by_both_apps_are_one_incident(services: FakeServices) -> None:
    await spoil(services, ROW, "~intent|a", "~out|a")
    other = services.another("executor")

    for _ in range(int(2 * LASTS_S / TICK_S)):
        for one in (services, other):
            await relay(one, await find_leftovers(one))
        services.outside.wait(TICK_S)

    assert len(await opened(services)) == 1
    assert len([one for one in told(services) if one.kind is EventKind.INCIDENT_OPENED]) == 1


async def test_an_incident_that_cannot_be_read_is_told_of_too(services: FakeServices) -> None:
    incident = await store_incident(services)
    await spoil(services, f"incident|{incident.id}")

    for _ in range(int(LASTS_S / TICK_S) + 2):
        await open_incidents(services)
        services.outside.wait(TICK_S)
    await relay(services, await find_leftovers(services))

    (event,) = [one for one in told(services) if one.kind is EventKind.INCIDENT_OPENED]
    assert event.evidence["rows"] == [f"state/{SHARD}/incident|{incident.id}"]


async def test_messages_go_out_though_nobody_can_be_told_of_the_row(
    services: FakeServices,
) -> None:
    message = Message(subject="incident.noted", body="{}", message_id="event-1")
    entry = OutboxEntry(topic=CHANGES, message=message, committed_at=NOW)
    await spoil(services, ROW)
    await tick_for(services, LASTS_S)
    await services.state.write(SHARD, [Put(row=entry.row, value=entry)])
    services.outside.wait(TICK_S)
    leftovers = await find_leftovers(services)
    services.index.out = True

    with pytest.raises(Unavailable):
        await relay(services, leftovers)

    assert message in services.bus.published[CHANGES]
