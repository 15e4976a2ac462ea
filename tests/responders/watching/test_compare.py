"""Compare: a change that nobody declared wakes somebody, once; what is declared wakes nobody."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from responders.people.page import page_all_due
from responders.watching.compare import compare
from shared.domain.decisions.decision import Plan
from shared.domain.decisions.endpoint import Deployment
from shared.domain.decisions.intent import EndpointRecord, Intent, IntentState, Lease, Rollback
from shared.domain.decisions.release import Release
from shared.domain.keys import digest
from shared.domain.ledger.completeness import complete
from shared.domain.lineage.explanation import GRACE
from shared.domain.lineage.sighting import Sighting
from shared.domain.row import Put
from shared.protocol.leftovers import Leftovers, find_leftovers
from shared.protocol.lineage import release_puts, sighting_row
from shared.protocol.listing import open_incidents
from shared.protocol.records import release_row
from tests.fakes import FakeServices
from tests.fakes.callers import PIPELINE
from tests.fakes.scene import (
    KEYS,
    NOW,
    PLAN,
    RECORD,
    SERVICE,
    SHARD,
    SNAPSHOT,
    TARGET,
    kinds,
    new_services,
    told,
)

NOTHING = Leftovers(messages={}, effects=[], intents=[])
MINUTES = 60.0
TOLD = ["incident.opened", "change.unattributed"]


def release(version: str, deployment: str, days: int = 3) -> Release:
    return Release(
        service=SERVICE.name,
        version=version,
        deployment=deployment,
        who="pipeline",
        why="as planned",
        prompt_revision=f"p-{version}",
        configuration_digest=f"c-{version}",
        registered_at=NOW - timedelta(days=days),
    )


ONE, TWO = release("1.0", "v1", days=9), release("2.0", "v2")


def report(services: FakeServices, prompt: str = "p-2.0", configuration: str = "c-2.0") -> None:
    """What telemetry says that v2 serves with, up to now."""
    row = {"Deployment": "v2", "PromptVersion": prompt, "ConfigurationDigest": configuration}
    services.logs.answer("served", [{**row, "Total": 500, "LastSeen": services.now()}])


@pytest.fixture
async def services() -> FakeServices:
    """v2 has all the traffic; both versions are registered, and it was looked at once."""
    made = new_services()
    for one in (ONE, TWO):
        await made.state.write(SHARD, release_puts(one))
    report(made)
    await compare(made, NOTHING)
    assert kinds(made) == []
    return made


async def look(services: FakeServices, after_s: float = 5 * MINUTES) -> list[str]:
    services.outside.wait(after_s)
    await compare(services, NOTHING)
    return kinds(services)


async def look_until_it_is_due(services: FakeServices) -> list[str]:
    await look(services)
    return await look(services, GRACE.total_seconds())


def put_variable(services: FakeServices, value: str) -> None:
    """Somebody changes an environment variable of v2."""
    changed = tuple(
        replace(one, definition={"variable THRESHOLD": value}) if one.name == "v2" else one
        for one in services.endpoints.snapshot.deployments
    )
    services.endpoints.change(deployments=changed)


async def test_a_threshold_that_was_reverted_is_told_and_pages(services: FakeServices) -> None:
    report(services, configuration="c-1.0")

    assert await look(services) == []
    report(services, configuration="c-1.0")
    assert await look(services, GRACE.total_seconds()) == TOLD
    await page_all_due(services, await find_leftovers(services))

    event = told(services)[1]
    assert event.why.endswith("which is that of release 1.0: it was put back.")
    assert (event.before["declared"], event.after["served"]) == ("c-2.0", "c-1.0")
    assert services.pager.did() == [(KEYS["a" * 32], "trigger")]


async def test_a_threshold_in_the_deployment_itself_is_told(services: FakeServices) -> None:
    put_variable(services, "0.9")

    assert await look_until_it_is_due(services) == TOLD
    assert "variable THRESHOLD" in told(services)[1].why


async def test_a_prompt_that_was_edited_in_place_is_told(services: FakeServices) -> None:
    report(services, prompt="p-2.0-hotfix")

    assert await look_until_it_is_due(services) == TOLD
    assert told(services)[1].after["served"] == "p-2.0-hotfix"


async def test_traffic_that_was_moved_out_of_band_is_told(services: FakeServices) -> None:
    services.endpoints.move({"v1": 30, "v2": 70})

    assert await look_until_it_is_due(services) == TOLD
    (incident,) = await open_incidents(services)
    assert "from v2 100 % to v1 30 %, v2 70 %" in incident.sentence


async def test_a_live_version_that_no_release_explains_is_told(services: FakeServices) -> None:
    new = (*SNAPSHOT.deployments, Deployment(name="v9", state="Succeeded", instances=1))
    services.endpoints.change(traffic={"v2": 95, "v9": 5}, deployments=new)

    assert await look_until_it_is_due(services) == [*TOLD, "change.unattributed"]
    assert len(await open_incidents(services)) == 1


async def test_a_change_is_told_once(services: FakeServices) -> None:
    services.endpoints.move({"v1": 100})
    await look_until_it_is_due(services)

    for _ in range(5):
        assert await look(services) == TOLD


async def test_a_pipeline_that_registers_its_move_a_little_late_wakes_nobody(
    services: FakeServices,
) -> None:
    services.endpoints.move({"v1": 100})
    await look(services)
    late = replace(release("1.1", "v1"), registered_at=services.now())
    await services.state.write(SHARD, release_puts(late))

    assert await look(services, GRACE.total_seconds()) == ["release.promoted"]
    assert await open_incidents(services) == []


async def test_a_promotion_is_told_with_who_declared_it_why_and_from_what_to_what(
    services: FakeServices,
) -> None:
    new = replace(release("1.1", "v1"), registered_at=services.now(), canary=(10, 50))
    named = replace(new, who=PIPELINE, role="Deployer", why="a better prompt")
    await services.state.write(SHARD, release_puts(named))
    services.endpoints.move({"v1": 10, "v2": 90})

    assert await look(services) == ["release.promoted"]
    assert await look(services) == ["release.promoted"]  # once

    (event,) = told(services)
    assert (event.actor, event.role, event.why) == (PIPELINE, "Deployer", "a better prompt")
    assert (event.before, event.after) == ({"v2": 100}, {"v1": 10, "v2": 90})
    assert event.evidence["release"] == "1.1"
    assert complete(event) == ()


async def test_where_nothing_is_registered_the_move_is_told_without_whose_it_was() -> None:
    services = new_services()
    await look(services)
    services.endpoints.move({"v1": 100})

    assert await look(services) == ["release.promoted"]
    assert told(services)[0].actor == "backstop"


async def test_a_release_of_before_the_lineage_declares_all_the_same() -> None:
    services = new_services()
    await services.state.write(SHARD, [Put(row=release_row(TWO), value=TWO)])
    report(services, prompt="p-2.0-hotfix")

    assert await look_until_it_is_due(services) == TOLD


async def store_record(services: FakeServices, record: EndpointRecord) -> None:
    await services.state.write(SHARD, [Put(row=f"endpoint|{digest(TARGET)}", value=record)])


@pytest.mark.parametrize("state", [IntentState.CONFIRMED, IntentState.ABORTED])
async def test_a_move_of_backstop_s_own_wakes_nobody(
    services: FakeServices, state: IntentState
) -> None:
    plan: Plan = PLAN
    at = services.now()
    intent = Intent(plan=plan, fence=1, opened_at=at, state=state, ended_at=at)
    one = Rollback(incident=plan.incident, plan=plan.id, at=at, away_from="v2", back_to="v1")
    await services.state.write(SHARD, [Put(row=f"intent|{plan.id}", value=intent)])
    await store_record(services, replace(RECORD, rollbacks=(one,)))
    services.endpoints.move({"v1": 100})

    expected = [] if state is IntentState.CONFIRMED else TOLD
    assert await look_until_it_is_due(services) == expected


async def test_nothing_is_compared_while_an_intent_has_the_endpoint(services: FakeServices) -> None:
    far = services.now() + timedelta(days=1)
    lease = Lease(holder="one", fence=3, expires_at=far, plan=PLAN.id)
    await store_record(services, replace(RECORD, lease=lease))
    services.endpoints.move({"v1": 100})

    assert await look_until_it_is_due(services) == []
    assert await seen(services) == {"v2": 100}


async def seen(services: FakeServices) -> dict[str, int]:
    """The split that is remembered."""
    found = await services.state.read(SHARD, sighting_row(TARGET), Sighting)
    assert found is not None
    return found.value.traffic


@pytest.mark.parametrize("part", ["endpoint", "gone", "tables", "operation"])
async def test_what_cannot_be_read_is_no_change(services: FakeServices, part: str) -> None:
    services.endpoints.move({"v1": 100})
    match part:
        case "endpoint":
            services.endpoints.out = True
        case "gone":
            services.endpoints.gone = True
        case "tables":
            services.outside.tables_out(out=True)
        case _:
            services.endpoints.start_operation(9)

    assert await look_until_it_is_due(services) == []


async def test_logs_that_are_out_hide_nothing_that_the_endpoint_shows(
    services: FakeServices,
) -> None:
    services.logs.fail("served")
    services.endpoints.move({"v1": 100})

    assert await look_until_it_is_due(services) == TOLD


async def test_two_that_look_at_once_open_one_incident(services: FakeServices) -> None:
    services.endpoints.move({"v1": 100})
    await look(services)
    services.outside.wait(GRACE.total_seconds())
    other = services.another("two")
    services.outside.turns.once("state.write", lambda: compare(other, NOTHING))

    await compare(services, NOTHING)

    assert kinds(services) == TOLD
    assert len(await open_incidents(services)) == 1


async def test_it_is_looked_as_often_as_the_setting_says() -> None:
    services = new_services(watch_every_s=300.0)
    readings = []
    for seconds in (0, 10, 280, 10):
        await look(services, seconds)
        readings.append(services.endpoints.readings)

    assert readings == [1, 1, 1, 2]
