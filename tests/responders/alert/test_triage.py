"""Triage: an alert opens an incident, joins one, ends one or is remembered; never two by a race."""

from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pytest

from responders.alert.triage import triage
from shared.domain.alerts.alert import Alert
from shared.domain.catalog import Dependency, Service, Target, TargetKind
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.noise.grouping import Group
from shared.domain.row import Put
from shared.domain.windows import Once
from shared.errors import NotFound
from shared.protocol.commit import read_incident
from shared.protocol.intake import Delivery, accept, read_delivery
from shared.protocol.listing import EVER, OPEN, list_incidents, open_incidents
from tests.fakes import FakeServices, Killed, catalog_of, die
from tests.fakes.scene import (
    NOW,
    SERVICE,
    SHARD,
    TARGET,
    ended,
    fired,
    kinds,
    message,
    new_services,
)

HOUR = timedelta(hours=1)
SEARCH = "/subscriptions/s/agents/policy-search"
PARENT = msgspec.structs.replace(
    SERVICE, name="policy-search", targets=(Target(kind=TargetKind.AGENT, id=SEARCH),)
)
CHILD = msgspec.structs.replace(SERVICE, dependencies=(Dependency(name=PARENT.name),))
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


@pytest.mark.parametrize("number", range(1, 21))
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


# One target is one incident.


async def test_another_rule_about_the_same_target_joins(services: FakeServices) -> None:
    first = await take(services, fired())

    joined = await take(services, fired("p95"))

    assert (joined.state, joined.incident) == ("joined", first.incident)
    assert joined.rule == "grouping: another alert about the same target"
    assert (await only(services)).alerts == 2


@pytest.mark.parametrize("target", [TARGET, NOBODYS])
async def test_two_rules_at_once_open_one_incident(services: FakeServices, target: str) -> None:
    other = fired("p95", target=target)
    services.outside.turns.once("state.write", lambda: take(services.another("two"), other))

    delivery = await take(services, fired(target=target))

    assert delivery.state == "joined"
    assert (await only(services)).alerts == 2


async def test_workers_that_lost_the_race_to_open_leave_no_pointer_for_long(
    services: FakeServices,
) -> None:
    alerts = [fired(f"rule {number}", target=NOBODYS) for number in range(4)]
    for number, alert in enumerate(alerts[1:], start=2):
        late = partial(take, services.another(f"worker {number}"), alert)
        services.outside.turns.once("state.write", late)
    await take(services, alerts[0])
    assert (await only(services)).alerts == len(alerts)
    assert len(services.index.rows(OPEN)) == len(alerts)

    services.outside.wait(11 * 60)
    await open_incidents(services)

    assert [len(services.index.rows(part)) for part in (OPEN, EVER)] == [1, 1]


async def test_one_rule_about_two_targets_opens_two(services: FakeServices) -> None:
    for target in (NOBODYS, f"{NOBODYS}-2"):
        await take(services, fired(target=target))

    found, _ = await list_incidents(services)
    assert {incident.target for incident in found} == {NOBODYS, f"{NOBODYS}-2"}


async def test_what_nobody_owns_is_one_incident_whatever_else_an_alert_names(
    services: FakeServices,
) -> None:
    both = msgspec.structs.replace(
        fired("p95", target=NOBODYS), targets=(NOBODYS, f"{NOBODYS}/slots/blue")
    )
    await take(services, fired(target=NOBODYS))

    assert (await take(services, both)).state == "joined"


async def test_alerts_that_name_no_target_are_told_apart_by_their_rule(
    services: FakeServices,
) -> None:
    for rule in ("5xx", "p95"):
        await take(services, msgspec.structs.replace(fired(rule), targets=()))

    assert len((await list_incidents(services))[0]) == 2


async def test_an_incident_ends_with_the_last_of_its_rules(services: FakeServices) -> None:
    await take(services, fired())
    await take(services, fired("p95"))

    await take(services, ended(fired()))
    assert (await only(services)).state.is_open()
    await take(services, ended(fired("p95")))

    assert (await only(services)).state is State.RESOLVED


async def test_a_target_whose_incident_ended_opens_another(services: FakeServices) -> None:
    first = await take(services, fired())
    await take(services, ended(fired()))

    again = await take(services, fired("p95"))

    assert again.state == "opened"
    assert again.incident != first.incident


async def test_what_a_person_has_ended_in_their_mind_hides_no_new_trouble(
    services: FakeServices,
) -> None:
    first = await take(services, fired())
    await change(
        services,
        first.incident,
        state=State.MITIGATED,
        recovered_at=NOW - HOUR,
        firing=(),
        acknowledged_at=NOW - HOUR,
    )

    again = await take(services, later(fired()))
    other = await take(services, fired("p95"))

    assert (again.state, other.state) == ("opened", "joined")
    assert again.incident == other.incident != first.incident


# What holds the incident back is told by the delivery.


def patched() -> Service:
    window = Once(start=NOW - HOUR, end=NOW + HOUR, reason="patches")
    return msgspec.structs.replace(SERVICE, maintenance=(window,))


async def test_in_maintenance_an_incident_opens_and_the_delivery_says_that_it_is_held(
    services: FakeServices,
) -> None:
    services.outside.catalog = catalog_of(patched())

    delivery = await take(services, fired())

    assert delivery.state == "opened"
    assert delivery.rule.startswith("maintenance: fnol-summary is in maintenance until 15:05 UTC")
    assert [quiet.rule for quiet in (await only(services)).quiet] == ["maintenance"]
    assert kinds(services) == ["incident.opened", "incident.quieted"]
    assert services.bus.subjects("work") == ["triage", "diagnose"]


async def test_an_alert_of_a_service_whose_parent_is_hurt_is_held(services: FakeServices) -> None:
    parent = await take_parent(services)

    delivery = await take(services, fired())

    assert f"inhibition: fnol-summary depends on policy-search, which has {parent}" in delivery.rule


async def test_a_parent_that_is_well_again_holds_nothing(services: FakeServices) -> None:
    await take_parent(services)
    await take(services, ended(fired(target=SEARCH)))

    assert (await take(services, fired())).rule == ""


async def test_of_a_service_that_needs_itself_through_others_the_first_is_not_held(
    services: FakeServices,
) -> None:
    search = msgspec.structs.replace(PARENT, dependencies=(Dependency(name=SERVICE.name),))
    services.outside.catalog = catalog_of(CHILD, search)
    first = await take(services, fired())
    services.outside.wait(1)

    second = await take(services, fired(target=SEARCH))

    assert first.rule == ""
    assert f"which has {first.incident}" in second.rule
    assert (await take(services, fired("p95"))).rule.startswith("grouping: ")


async def take_parent(services: FakeServices) -> str:
    """An incident of the service that the child depends on."""
    services.outside.catalog = catalog_of(CHILD, PARENT)
    return (await take(services, fired(target=SEARCH))).incident


STORM = SERVICE.policy.storm_alerts


async def test_so_many_different_alerts_are_a_storm_with_one_incident_of_its_own(
    services: FakeServices,
) -> None:
    deliveries = [await take(services, fired(f"rule-{n}")) for n in range(STORM + 5)]

    trouble, telling = sorted(
        (await list_incidents(services))[0], key=lambda incident: incident.storm
    )
    assert (trouble.alerts, telling.storm) == (STORM + 5, True)
    told = ["storm: " in delivery.rule for delivery in deliveries]
    assert told == [n >= STORM - 1 for n in range(STORM + 5)]
    assert kinds(services).count("incident.opened") == 2


async def test_a_rule_that_repeats_itself_is_no_storm(services: FakeServices) -> None:
    for number in range(3 * STORM):
        await take(services, msgspec.structs.replace(fired(), delivery_key=f"{number:032d}"))

    assert not (await only(services)).storm


async def test_a_storm_of_one_service_holds_no_other(services: FakeServices) -> None:
    services.outside.catalog = catalog_of(SERVICE, PARENT)
    for number in range(STORM):
        await take(services, fired(f"rule-{number}"))

    assert (await take(services, fired(target=SEARCH))).rule == ""


async def test_two_alerts_of_two_targets_that_begin_a_storm_at_once_open_one_incident_of_it(
    services: FakeServices,
) -> None:
    apart = Target(kind=TargetKind.AGENT, id=SEARCH)
    both = msgspec.structs.replace(SERVICE, targets=(*SERVICE.targets, apart))
    services.outside.catalog = catalog_of(both)
    for number in range(STORM - 1):
        await take(services, fired(f"rule-{number}", target=(TARGET, SEARCH)[number % 2]))
    other = msgspec.structs.replace(fired("other", target=SEARCH), fired_at=NOW)
    services.outside.turns.once("state.write", lambda: take(services.another("two"), other))

    await take(services, fired("one-more"))

    storms = [one for one in (await list_incidents(services))[0] if one.storm]
    assert len(storms) == 1


async def test_a_target_that_opens_again_and_again_is_said_to_flap(services: FakeServices) -> None:
    lately = (NOW - HOUR / 4, NOW - HOUR / 5)
    group = Group(service=SERVICE.name, target=TARGET, openings=lately, paged=lately)
    await services.state.write(SHARD, [Put(row=group.row, value=group)])

    delivery = await take(services, fired())

    assert delivery.rule.startswith("flapping: opened 3 times in 30 min, and 2 pages were sent")
