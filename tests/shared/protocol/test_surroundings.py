"""Surroundings: what may hold an incident back is read in a few reads, from where it lies."""

from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from shared.domain.catalog import Dependency, Target, TargetKind
from shared.domain.incidents.incident import Incident
from shared.domain.keys import shard_of
from shared.domain.noise.grouping import Group
from shared.domain.noise.storm import Storm
from shared.domain.row import MUST_NOT_EXIST, Put
from shared.protocol.commit import incident_row
from shared.protocol.surroundings import look_around
from tests.fakes import FakeServices, catalog_of
from tests.fakes.scene import INCIDENT, NOW, SERVICE, SHARD, TARGET, new_services

SEARCH = "/subscriptions/s/agents/policy-search"
PARENT = msgspec.structs.replace(
    SERVICE, name="policy-search", targets=(Target(kind=TargetKind.AGENT, id=SEARCH),)
)
NEEDS = (Dependency(name=PARENT.name), Dependency(name="policy-wordings", kind="index"))
CHILD = msgspec.structs.replace(SERVICE, dependencies=NEEDS)
ABOVE = shard_of(PARENT.name)
TROUBLE = msgspec.structs.replace(
    INCIDENT, id=f"INC-{ABOVE}-261123-AAAAAAAA", service=PARENT.name, target=SEARCH
)


@pytest.fixture
def services() -> FakeServices:
    made = new_services()
    made.outside.catalog = catalog_of(CHILD, PARENT)
    return made


async def store_trouble(services: FakeServices, incident: Incident = TROUBLE) -> None:
    group = Group(service=PARENT.name, target=SEARCH).opened(incident)
    writes = [
        Put(row=incident_row(incident.id), value=incident),
        Put(row=group.row, value=group),
    ]
    await services.state.write(ABOVE, writes)


async def test_where_nothing_is_stored_nothing_is_around(services: FakeServices) -> None:
    around = await look_around(services, INCIDENT)

    assert around.surroundings.parents == ()
    assert around.surroundings.storm == Storm(service=SERVICE.name)
    assert around.group is not None
    assert (around.group.value.target, around.group.etag) == (TARGET, MUST_NOT_EXIST)


async def test_the_incidents_of_what_it_depends_on_are_found_in_their_own_shard(
    services: FakeServices,
) -> None:
    await store_trouble(services)

    assert (await look_around(services, INCIDENT)).surroundings.parents == (TROUBLE,)


async def test_a_service_that_depends_on_this_one_as_well_is_said_to(
    services: FakeServices,
) -> None:
    back = msgspec.structs.replace(PARENT, dependencies=(Dependency(name=SERVICE.name),))
    services.outside.catalog = catalog_of(CHILD, back)

    assert (await look_around(services, INCIDENT)).surroundings.mutual == {PARENT.name}


async def test_what_a_broken_file_describes_is_not_looked_for(services: FakeServices) -> None:
    await store_trouble(services)
    services.outside.catalog = catalog_of(CHILD)

    assert (await look_around(services, INCIDENT)).surroundings.parents == ()


async def test_a_storm_comes_with_the_incident_that_tells_of_it(services: FakeServices) -> None:
    telling = msgspec.structs.replace(INCIDENT, id=f"INC-{SHARD}-261123-BBBBBBBB", storm=True)
    storm = Storm(service=SERVICE.name, until=NOW + timedelta(minutes=5), incident=telling.id)
    writes = [
        Put(row=incident_row(telling.id), value=telling),
        Put(row=f"storm|{SERVICE.name}", value=storm),
    ]
    await services.state.write(SHARD, writes)

    around = (await look_around(services, INCIDENT)).surroundings

    assert (around.storm, around.storm_incident) == (storm, telling)


async def test_what_nobody_owns_has_its_group_alone(services: FakeServices) -> None:
    unowned = msgspec.structs.replace(INCIDENT, service="")

    around = await look_around(services, unowned)

    assert around.storm is None
    assert around.group is not None
    assert around.group.value.service == ""


async def test_an_incident_without_a_target_has_no_group(services: FakeServices) -> None:
    told = msgspec.structs.replace(INCIDENT, target="")

    assert (await look_around(services, told)).group is None


async def test_a_dependency_costs_one_range_read_and_one_read_a_target(
    services: FakeServices,
) -> None:
    await store_trouble(services)
    before = len(services.outside.turns.passed)

    await look_around(services, INCIDENT)

    asked = Counter(services.outside.turns.passed[before:])
    assert asked == {"state.read": 3, "state.scan": 1}
