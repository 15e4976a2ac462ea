"""Corroborate: a signal and the executor's own probes are enough, and neither is alone."""

import msgspec
import pytest

from responders.alert.corroborate import corroborate
from responders.alert.diagnose import diagnose
from responders.alert.enforce import enforce
from responders.alert.signal import take_signal
from responders.alert.triage import triage
from shared.domain.authority.caller import AppRole
from shared.domain.decisions.decision import Decision
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.incidents.incident import Incident, State
from shared.domain.keys import digest
from shared.domain.message import Message
from shared.domain.row import Put
from shared.domain.views.http import Request
from shared.protocol.listing import list_incidents
from shared.protocol.records import release_row
from tests.fakes import FakeServices, catalog_of
from tests.fakes.callers import app
from tests.fakes.scene import RECORD, SERVICE, SHARD, TARGET, message, new_services
from tests.shared.domain.decisions import worked_case as case
from tests.shared.domain.signals.told import APP, body

TELLING = msgspec.structs.replace(SERVICE, signals=(APP,))


@pytest.fixture
async def services() -> FakeServices:
    """v2 serves and fails, v1 is the known good; the logs know nothing of it yet."""
    made = new_services()
    made.outside.catalog = catalog_of(TELLING)
    writes = [
        Put(row=f"endpoint|{digest(TARGET)}", value=RECORD),
        Put(row=release_row(case.GOOD_RELEASE), value=case.GOOD_RELEASE),
        Put(row=release_row(case.LIVE), value=case.LIVE),
    ]
    await made.state.write(SHARD, writes)
    made.scoring.failing.add("v2")
    return made


async def told(services: FakeServices, **changes: object) -> Incident:
    """The incident that a signal opened."""
    caller = app(AppRole.SIGNAL, app_id=APP)
    await take_signal(services, Request(body=body(**changes), caller=caller))
    (command,) = services.bus.published["work"]
    await triage(services, command)
    return await now(services)


async def now(services: FakeServices) -> Incident:
    (incident,), _ = await list_incidents(services)
    return incident


async def found(services: FakeServices, incident: Incident) -> Diagnosis | None:
    row = await services.state.read(SHARD, f"diagnosis|{incident.id}", Diagnosis)
    return row.value if row else None


async def test_a_signal_and_failing_probes_move_the_traffic_back(services: FakeServices) -> None:
    incident = await told(services)
    assert services.bus.subjects("work") == ["triage", "diagnose", "corroborate"]

    await corroborate(services, message("corroborate", incident.id))
    assert services.bus.subjects("work")[-1] == "enforce"
    await enforce(services, message("enforce", incident.id))

    assert services.outside.endpoints.traffic == {"v1": 100}
    assert (await now(services)).state is State.VERIFYING


async def test_the_plan_says_what_it_rests_on(services: FakeServices) -> None:
    incident = await told(services)
    await corroborate(services, message("corroborate", incident.id))
    await enforce(services, message("enforce", incident.id))

    row = await services.state.read(SHARD, f"decision|{incident.id}", Decision)
    assert row is not None
    (rule,) = [one for one in row.value.rules if one.rule == "second-source"]
    assert rule.observed == "v2 0 of 20 passed when probed"


async def test_a_signal_whose_blamed_version_answers_well_moves_nothing(
    services: FakeServices,
) -> None:
    services.scoring.failing.clear()
    incident = await told(services)

    await corroborate(services, message("corroborate", incident.id))

    assert await found(services, incident) is None
    assert (await now(services)).state is State.OPENED


@pytest.mark.parametrize("failing", [{"v1", "v2"}, {"v1"}])
async def test_trouble_of_the_known_good_as_well_is_no_versions_fault(
    services: FakeServices, failing: set[str]
) -> None:
    services.scoring.failing = failing
    incident = await told(services)

    await corroborate(services, message("corroborate", incident.id))

    assert await found(services, incident) is None


async def test_without_a_known_good_there_is_nothing_to_compare_with(
    services: FakeServices,
) -> None:
    unproven = msgspec.structs.replace(RECORD, known_good=None)
    await services.state.write(SHARD, [Put(row=f"endpoint|{digest(TARGET)}", value=unproven)])
    incident = await told(services)

    await corroborate(services, message("corroborate", incident.id))

    assert await found(services, incident) is None


@pytest.mark.parametrize("part", ["endpoints", "scoring"])
async def test_who_cannot_be_asked_says_nothing(services: FakeServices, part: str) -> None:
    getattr(services.outside, part).out = True
    incident = await told(services)

    await corroborate(services, message("corroborate", incident.id))

    assert await found(services, incident) is None


async def test_the_logs_that_know_nothing_yet_are_asked_again_and_decide_nothing(
    services: FakeServices,
) -> None:
    incident = await told(services)

    await diagnose(services, message("diagnose", incident.id))

    assert (await now(services)).state is State.OPENED
    again: Message = services.bus.published["work"][-1]
    assert (again.subject, again.body) == ("diagnose", f"{incident.id}:2")


async def test_whoever_finds_out_first_is_the_diagnosis(services: FakeServices) -> None:
    incident = await told(services)
    await corroborate(services, message("corroborate", incident.id))
    first = await found(services, incident)

    await corroborate(services, message("corroborate", incident.id))
    await diagnose(services, message("diagnose", incident.id))

    assert await found(services, incident) == first
    assert services.bus.subjects("work").count("enforce") == 1


async def test_an_incident_that_alerts_tell_of_is_left_to_the_logs(services: FakeServices) -> None:
    incident = msgspec.structs.replace(await told(services), signals_only=False)
    await services.state.write(SHARD, [Put(row=f"incident|{incident.id}", value=incident)])

    await corroborate(services, message("corroborate", incident.id))

    assert await found(services, incident) is None
    assert services.scoring.payloads == []
