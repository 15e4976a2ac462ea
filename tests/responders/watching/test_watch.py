"""Watch: trust is earned by serving well, and a trust that is lost wakes somebody."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from responders.people.page import page_all_due
from responders.watching.watch import watch
from shared.domain.decisions.endpoint import Deployment
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.event import EventKind
from shared.domain.incidents.incident import State
from shared.domain.keys import digest
from shared.domain.row import Put
from shared.protocol.leftovers import Leftovers, find_leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.records import release_row
from tests.fakes import FakeServices, catalog_of
from tests.fakes.scene import (
    KEYS,
    NOW,
    RECORD,
    SERVICE,
    SHARD,
    SNAPSHOT,
    TARGET,
    kinds,
    new_services,
    record_now,
    store_case,
    store_incident,
    told,
)
from tests.shared.domain.decisions.worked_case import LIVE

NOTHING = Leftovers(messages={}, effects=[], intents=[])
SOAKED = timedelta(seconds=SERVICE.policy.soak_s)
COUNTED = ("enough-requests-availability", "enough-requests-latency")
HELD = ("objective-held-availability", "objective-held-latency")
UNMET = {
    "few": (*COUNTED, *HELD),
    "bad": HELD,
    "logs": (*COUNTED, *HELD),  # nothing is known to speak for it
    "probe": ("probes-passed",),
    "no-probe": ("probes-passed",),
    "incident": ("no-open-incident",),
}


ROW = f"endpoint|{digest(TARGET)}"


async def store_record(services: FakeServices, **changes: Any) -> None:
    record = msgspec.structs.replace(RECORD, **changes)
    await services.state.write(SHARD, [Put(row=ROW, value=record)])


async def register(services: FakeServices, *, replaced_s: float) -> None:
    """Another version took the place on v2, so long ago."""
    release = msgspec.structs.replace(
        LIVE, version="2.0", registered_at=services.now() - timedelta(seconds=replaced_s)
    )
    await services.state.write(SHARD, [Put(row=release_row(release), value=release)])


def served(services: FakeServices, total: int = 40_000, bad: int = 4) -> None:
    """What the logs say of v2 over the soak."""
    row = {"Deployment": "v2", "Total": total, "Bad": bad}
    services.logs.answer("soak", [{**row, "Sli": sli} for sli in ("availability", "latency")])


@pytest.fixture
async def services() -> FakeServices:
    """v2 has served alone for the whole soak, and nothing is trusted yet."""
    made = new_services()
    await store_record(made, known_good=None, serving_since=NOW - SOAKED)
    served(made)
    return made


async def look(services: FakeServices) -> list[str]:
    await watch(services, NOTHING)
    return kinds(services)


def deployments(**states: str) -> tuple[Deployment, ...]:
    return tuple(Deployment(name=name, state=state, instances=2) for name, state in states.items())


async def test_a_version_that_served_well_becomes_the_known_good(services: FakeServices) -> None:
    assert await look(services) == ["known-good.earned"]

    good = (await record_now(services)).known_good
    assert good is not None
    assert (good.deployment, good.requests, good.earned_at) == ("v2", 40_000, NOW)
    (event,) = told(services)
    assert event.why == "served 40000 requests in 86400 s within its objectives"
    assert event.after["deployment"] == "v2"


async def test_trust_is_earned_once(services: FakeServices) -> None:
    await look(services)

    assert await look(services) == ["known-good.earned"]


async def test_a_version_earns_nothing_with_the_traffic_of_the_one_before_it(
    services: FakeServices,
) -> None:
    await register(services, replaced_s=600)

    assert await look(services) == []
    assert services.logs.asked == []
    services.outside.wait(SERVICE.policy.soak_s - 600)
    assert await look(services) == ["known-good.earned"]
    ((_, asked),) = services.logs.asked
    assert asked["Since"] == NOW - timedelta(seconds=600)
    good = (await record_now(services)).known_good
    assert good is not None
    assert (good.version, good.soaked_s) == ("2.0", SERVICE.policy.soak_s)


async def test_a_version_that_took_the_known_goods_place_can_earn_it(
    services: FakeServices,
) -> None:
    await look(services)
    await register(services, replaced_s=0)
    services.outside.wait(SERVICE.policy.soak_s - 1)
    await look(services)
    good = (await record_now(services)).known_good
    assert good is not None
    assert good.version == ""

    services.outside.wait(services.settings.watch_every_s + 1)
    await look(services)

    good = (await record_now(services)).known_good
    assert good is not None
    assert (good.deployment, good.version) == ("v2", "2.0")


async def test_what_has_not_served_long_enough_is_not_even_asked_about(
    services: FakeServices,
) -> None:
    await store_record(services, known_good=None, serving_since=NOW - SOAKED / 2)

    assert await look(services) == []
    assert services.logs.asked == []


async def test_a_version_that_lacks_something_else_is_not_asked_with_paid_calls(
    services: FakeServices,
) -> None:
    served(services, total=10)

    assert await look(services) == []
    assert services.scoring.payloads == []


@pytest.mark.parametrize("trouble", ["few", "bad", "logs", "probe", "no-probe", "incident"])
async def test_whatever_is_missing_is_waited_for(services: FakeServices, trouble: str) -> None:
    match trouble:
        case "few":
            served(services, total=10)
        case "bad":
            served(services, bad=4_000)
        case "logs":
            services.logs.fail("soak")
        case "probe":
            services.scoring.failing.add("v2")
        case "no-probe":
            services.scoring.out = True
        case _:
            await store_incident(services, state=State.MITIGATED)

    assert await look(services) == []
    record = await record_now(services)
    assert record.known_good is None
    assert record.unmet == UNMET[trouble]


async def test_what_is_waited_for_is_written_only_when_it_changes(services: FakeServices) -> None:
    served(services, total=10)
    await look(services)
    before = await services.state.read(SHARD, ROW, EndpointRecord)
    await look(services)
    after = await services.state.read(SHARD, ROW, EndpointRecord)
    assert before is not None
    assert after is not None
    assert after.etag == before.etag

    services.endpoints.move({"v3": 100})
    await look(services)
    assert (await record_now(services)).unmet == ()


async def test_whoever_serves_begins_to_soak_when_it_is_first_seen(
    services: FakeServices,
) -> None:
    services.endpoints.move({"v3": 100})

    assert await look(services) == []
    record = await record_now(services)
    assert (record.serving, record.serving_since) == ("v3", NOW)


async def test_a_first_look_remembers_who_serves() -> None:
    services = new_services()

    await watch(services, NOTHING)

    assert (await record_now(services)).serving == "v2"


@pytest.mark.parametrize(
    "left",
    [
        deployments(v2="Succeeded"),
        deployments(v1="Failed", v2="Succeeded"),
        (Deployment(name="v1", state="Succeeded", instances=0), *deployments(v2="Succeeded")),
    ],
    ids=["gone", "failed", "scaled to zero"],
)
async def test_a_known_good_that_is_lost_opens_an_incident_that_pages(
    services: FakeServices, left: tuple[Deployment, ...]
) -> None:
    await store_record(services)
    services.endpoints.change(deployments=left)

    assert await look(services) == ["incident.opened", "known-good.lost"]
    await page_all_due(services, await find_leftovers(services))

    assert (await record_now(services)).known_good is None
    (incident,) = await open_incidents(services)
    assert (incident.service, incident.state) == (SERVICE.name, State.ESCALATED)
    assert incident.sentence.startswith("v1 can serve no more: deployment v1 ")
    assert services.pager.did() == [(KEYS["a" * 32], "trigger")]


async def test_a_loss_is_told_once(services: FakeServices) -> None:
    await store_record(services)
    services.endpoints.change(deployments=deployments(v2="Succeeded"))

    await look(services)

    assert (await look(services)).count(EventKind.KNOWN_GOOD_LOST) == 1
    assert told(services)[1].before["deployment"] == "v1"


async def test_a_known_good_that_is_being_changed_is_not_lost_yet(
    services: FakeServices,
) -> None:
    await store_record(services)
    services.endpoints.change(deployments=deployments(v1="Updating", v2="Succeeded"))

    assert await look(services) == []


async def test_two_that_see_the_loss_open_one_incident(services: FakeServices) -> None:
    await store_record(services)
    services.endpoints.change(deployments=deployments(v2="Succeeded"))
    services.outside.turns.once("state.write", lambda: look(services.another("two")))

    await look(services)

    assert len(await open_incidents(services)) == 1


@pytest.mark.parametrize("part", ["endpoint", "gone"])
async def test_an_endpoint_that_cannot_be_read_is_no_loss(
    services: FakeServices, part: str
) -> None:
    await store_record(services)
    services.endpoints.out = part == "endpoint"
    services.endpoints.gone = part == "gone"

    assert await look(services) == []
    assert (await record_now(services)).known_good is not None


async def test_an_act_at_the_same_time_is_not_overwritten(services: FakeServices) -> None:
    services.outside.turns.once("state.write", lambda: store_record(services, fence=7))

    assert await look(services) == []
    assert (await record_now(services)).fence == 7


async def test_it_is_looked_as_often_as_the_setting_says() -> None:
    services = new_services(watch_every_s=300.0)
    readings = []
    for seconds in (0, 10, 280, 10):
        services.outside.wait(seconds)
        await watch(services, NOTHING)
        readings.append(services.endpoints.readings)

    assert readings == [1, 1, 1, 2]


async def test_targets_without_traffic_to_move_are_not_watched(services: FakeServices) -> None:
    services.outside.catalog = catalog_of(msgspec.structs.replace(SERVICE, targets=()))

    assert await look(services) == []
    assert services.endpoints.readings == 0


async def test_the_case_of_a_rollback_is_watched_without_change(services: FakeServices) -> None:
    await store_case(services)

    assert await look(services) == []
    assert services.endpoints.snapshot.traffic == SNAPSHOT.traffic
