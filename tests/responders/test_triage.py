"""Triage: an alert opens an incident, joins one, ends one or is remembered; never two by a race."""

from typing import Any

import msgspec
import pytest

from responders.triage import triage
from shared.domain.alert import Alert
from shared.domain.incident import Incident, Severity, State
from shared.domain.row import Put
from shared.errors import NotFound
from shared.protocol.commit import read_incident
from shared.protocol.intake import Delivery, accept, read_delivery
from shared.protocol.listing import list_incidents, open_incidents
from tests.fakes import FakeServices, Killed, catalog_of, die
from tests.fakes.scene import (
    NOW,
    SERVICE,
    SHARD,
    ended,
    fired,
    kinds,
    message,
    new_services,
)

NOBODYS = "/subscriptions/s/resourcegroups/rg/providers/microsoft.web/sites/brochure"


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def take(services: FakeServices, alert: Alert) -> Delivery:
    """Accept an alert and triage it; answer what became of the delivery."""
    key, _ = await accept(services, alert)
    await triage(services, message("triage", key))
    return (await read_delivery(services, key)).value


async def change(services: FakeServices, incident: str, **changes: Any) -> None:
    """What others do with the incident meanwhile."""
    was = await read_incident(services, incident)
    changed = msgspec.structs.replace(was.value, **changes)
    await services.state.write(SHARD, [Put(row=was.row, value=changed)])


def later(alert: Alert) -> Alert:
    """The same trouble, firing anew just now."""
    return msgspec.structs.replace(alert, delivery_key="e" * 32, fired_at=NOW)


async def only(services: FakeServices) -> Incident:
    (incident,), _ = await list_incidents(services)
    return incident


async def test_a_first_alert_opens_an_incident_and_asks_for_a_diagnosis(
    services: FakeServices,
) -> None:
    delivery = await take(services, fired())

    incident = await only(services)
    assert (delivery.state, delivery.incident, delivery.pending) == ("opened", incident.id, False)
    assert (incident.service, incident.state, incident.severity) == (
        SERVICE.name,
        State.OPENED,
        Severity.SEV1,
    )
    assert services.bus.subjects("work") == ["triage", "diagnose"]
    assert kinds(services) == ["incident.opened"]


async def test_the_same_trouble_again_joins(services: FakeServices) -> None:
    await take(services, fired())
    again = msgspec.structs.replace(fired(), delivery_key="f" * 32)

    delivery = await take(services, again)

    incident = await only(services)
    assert (delivery.state, delivery.incident) == ("joined", incident.id)
    assert incident.alerts == 2
    assert services.bus.subjects("work").count("diagnose") == 1


async def test_the_end_of_the_trouble_resolves_it(services: FakeServices) -> None:
    await take(services, fired())

    delivery = await take(services, ended(fired()))

    assert delivery.state == "resolved"
    assert (await only(services)).state is State.RESOLVED
    assert await open_incidents(services) == []


async def test_an_end_before_its_beginning_is_remembered_and_opens_nothing(
    services: FakeServices,
) -> None:
    end = await take(services, ended(fired()))
    beginning = await take(services, fired())

    assert (end.state, beginning.state) == ("remembered", "suppressed")
    assert (await list_incidents(services))[0] == []


async def test_trouble_that_is_back_after_it_was_mitigated_is_a_persons(
    services: FakeServices,
) -> None:
    first = await take(services, fired())
    await change(services, first.incident, state=State.VERIFYING)
    await take(services, ended(fired()))
    await change(services, first.incident, state=State.MITIGATED)

    await take(services, later(fired()))

    incident = await only(services)
    assert (incident.state, incident.sentence[:20]) == (State.ESCALATED, "The trouble is back ")
    assert kinds(services)[-2:] == ["alert.joined", "incident.escalated"]


async def test_trouble_that_never_ended_is_not_back(services: FakeServices) -> None:
    first = await take(services, fired())
    await change(services, first.incident, state=State.MITIGATED)

    await take(services, later(fired()))

    assert (await only(services)).state is State.MITIGATED


async def test_a_command_that_comes_again_changes_nothing(services: FakeServices) -> None:
    await take(services, fired())
    await take(services, fired())

    assert (await only(services)).alerts == 1
    assert kinds(services) == ["incident.opened"]


async def test_an_alert_about_nothing_of_ours_opens_an_incident_without_a_service(
    services: FakeServices,
) -> None:
    delivery = await take(services, fired(target=NOBODYS))

    incident = await only(services)
    assert (incident.service, incident.target, delivery.state) == ("", NOBODYS, "opened")
    assert services.bus.subjects("work") == ["triage"]


async def test_a_broken_catalog_loses_no_alert(services: FakeServices) -> None:
    services.outside.catalog = catalog_of()

    await take(services, fired())

    assert (await only(services)).service == ""


async def test_two_alerts_of_one_trouble_at_once_open_one_incident(
    services: FakeServices,
) -> None:
    again = msgspec.structs.replace(fired(), delivery_key="f" * 32)
    services.outside.turns.once("state.write", lambda: take(services.another("two"), again))

    delivery = await take(services, fired())

    incident = await only(services)
    assert delivery.state == "joined"
    assert (incident.alerts, incident.sequence) == (2, 2)


async def test_an_end_that_overtakes_its_beginning_in_the_middle_opens_nothing(
    services: FakeServices,
) -> None:
    end = ended(fired())
    services.outside.turns.once("state.write", lambda: take(services.another("two"), end))

    delivery = await take(services, fired())

    assert delivery.state == "suppressed"
    assert (await list_incidents(services))[0] == []


@pytest.mark.parametrize("number", range(1, 19))
async def test_killed_anywhere_the_alert_is_taken_once(services: FakeServices, number: int) -> None:
    key, _ = await accept(services, fired())
    services.outside.turns.at(number, die)
    try:
        await triage(services, message("triage", key))
    except Killed:
        await triage(services.another("two"), message("triage", key))

    assert (await only(services)).alerts == 1
    delivery = (await read_delivery(services, key)).value
    assert not delivery.pending
    assert delivery.incident == (await only(services)).id
    assert services.state.rows(SHARD, "incident|") == [f"incident|{delivery.incident}"]


async def test_a_delivery_that_is_not_there_is_not_found(services: FakeServices) -> None:
    with pytest.raises(NotFound):
        await triage(services, message("triage", "261123-none"))
