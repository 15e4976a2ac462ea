"""Kept quiet, and never lost: both apps with everything that holds an incident back for a while."""

from datetime import datetime, timedelta
from random import Random

import msgspec
import pytest

from responders.people.handle import handle
from responders.reading.show import show_delivery
from shared.domain.alerts.alert import Alert
from shared.domain.authority.caller import AppRole
from shared.domain.catalog import Dependency, Mode, Service, Target, TargetKind
from shared.domain.incidents.incident import Incident, State
from shared.domain.keys import digest
from shared.domain.noise.grouping import Group
from shared.domain.row import Put
from shared.domain.views.http import Request
from shared.domain.windows import Once
from shared.protocol.commit import read_incident
from shared.protocol.intake import accept
from shared.protocol.listing import list_incidents, open_incidents
from shared.protocol.records import release_row
from tests.fakes import FakeServices, catalog_of
from tests.fakes.callers import person
from tests.fakes.host import FakeHost
from tests.fakes.scene import KEYS, RECORD, SERVICE, SHARD, TARGET, ended, fired, new_services
from tests.shared.domain.decisions.worked_case import GOOD_RELEASE, LIVE, alter
from tests.shared.domain.diagnosis import telemetry_story as story

ADA = KEYS["a" * 32]
BROKEN = story.fails(story.OVERFLOWS, share=0.5, since=205, version="v2", region="swedencentral")
NOON = story.START + story.seconds(300)
MINUTE = timedelta(minutes=1)
SELDOM_S = 10.0  # how often it ticks in Azure; enough for what only has to come to an end
OURS = alter(SERVICE, slos=story.SERVICE.slos, regions=story.REGIONS)
SEARCH = "/subscriptions/s/agents/policy-search"
PARENT = alter(
    OURS,
    name="policy-search",
    targets=(Target(kind=TargetKind.AGENT, id=SEARCH),),
    mode=Mode.OBSERVE,
)
CHILD = alter(OURS, dependencies=(Dependency(name=PARENT.name),))


@pytest.fixture
async def services() -> FakeServices:
    """v2 took over two minutes ago and breaks one region; v1 is known good."""
    made = new_services()
    made.outside.catalog = catalog_of(OURS)
    made.outside.now = NOON
    record = alter(RECORD, serving_since=story.START + story.seconds(180))
    writes = [
        Put(row=f"endpoint|{digest(TARGET)}", value=record),
        Put(row=f"release|{OURS.name}|{digest('1.4.0')}", value=GOOD_RELEASE),
        Put(row=release_row(LIVE), value=LIVE),
    ]
    await made.state.write(SHARD, writes)
    made.scoring.failing.add("v2")
    served = story.serve([(0, {"v1": 1}), (180, {"v2": 1})], until=300, trouble=BROKEN)
    made.logs.answers.update(story.answers_of(served))
    return made


def patched(minutes: float) -> Service:
    window = Once(start=NOON - MINUTE, end=NOON + minutes * MINUTE, reason="patches")
    return alter(OURS, maintenance=(window,))


async def post(host: FakeHost, alert: Alert) -> str:
    """Accept an alert, let the apps work for a while, answer its incident."""
    key, _ = await accept(host.responder, alert)
    await host.run(6)
    return str((await shown(host, key))["incident"])


async def shown(host: FakeHost, key: str) -> dict[str, object]:
    answer = await show_delivery(host.responder, Request(path={"key": key}))
    found: dict[str, object] = msgspec.json.decode(answer.body)
    return found


async def now(services: FakeServices, incident: str) -> Incident:
    return (await read_incident(services, incident)).value


async def act(host: FakeHost, incident: str, action: str, **said: str) -> None:
    body = msgspec.json.encode(said)
    path = {"id": incident, "action": action}
    caller = person(AppRole.COMMANDER)
    await handle(host.responder, Request(method="POST", path=path, body=body, caller=caller))


def timeline(services: FakeServices, incident: str) -> list[str]:
    rows = services.state.rows(SHARD, f"event|{incident}|")
    return [services.state.peek(SHARD, row, _Event).kind for row in rows]


class _Event(msgspec.Struct):
    kind: str


def triggered(services: FakeServices) -> int:
    return [action for _, action in services.pager.did()].count("trigger")


async def test_in_maintenance_it_is_found_out_but_nobody_is_paged_and_nothing_moves(
    services: FakeServices,
) -> None:
    services.outside.catalog = catalog_of(patched(5))
    host = FakeHost(services)

    incident = await post(host, fired())
    await host.run(60)

    held = await now(services, incident)
    assert (held.state, held.deferred, held.pages) == (State.HELD, True, ())
    assert held.sentence.startswith("Held back by maintenance: fnol-summary is in maintenance")
    assert services.endpoints.writes == []
    assert triggered(services) == 0
    assert timeline(services, incident) == [
        "incident.opened",
        "incident.quieted",
        "incident.diagnosed",
        "incident.decided",
    ]


async def test_when_maintenance_ends_what_is_open_still_is_paged_for_and_decided_anew(
    services: FakeServices,
) -> None:
    services.outside.catalog = catalog_of(patched(1))
    host = FakeHost(services)

    incident = await post(host, fired())
    await host.run(65)

    after = await now(services, incident)
    assert after.state is State.VERIFYING, after.sentence
    assert (after.quiet, after.deferred) == ((), False)
    assert services.endpoints.traffic == {"v1": 100}
    assert triggered(services) == 1
    assert timeline(services, incident)[4:] == [
        "incident.resumed",
        "incident.paged",
        "incident.diagnosed",
        "incident.decided",
        "rollback.intended",
        "rollback.confirmed",
    ]


async def test_what_ended_within_its_maintenance_wakes_nobody_afterwards(
    services: FakeServices,
) -> None:
    services.outside.catalog = catalog_of(patched(1))
    host = FakeHost(services)

    incident = await post(host, fired())
    await post(host, ended(fired()))
    await host.run(90)

    assert (await now(services, incident)).state is State.RESOLVED
    assert triggered(services) == 0


async def test_a_child_waits_for_its_parent_and_then_goes_on(services: FakeServices) -> None:
    services.outside.catalog = catalog_of(CHILD, PARENT)
    host = FakeHost(services)
    parent = await post(host, fired(target=SEARCH))
    await act(host, parent, "acknowledge")

    child = await post(host, fired())
    await host.run(600, tick_s=SELDOM_S)
    assert (await now(services, child)).pages == ()
    assert services.endpoints.writes == []
    await act(host, parent, "resolve", why="the search is back")
    await host.run(30)

    after = await now(services, child)
    assert [page.contact for page in after.pages] == ["Ada"]
    assert after.state is State.VERIFYING
    assert services.endpoints.traffic == {"v1": 100}


async def test_a_grave_child_pages_all_the_same_when_nobody_has_the_parent(
    services: FakeServices,
) -> None:
    services.outside.catalog = catalog_of(CHILD, PARENT)
    host = FakeHost(services)
    await post(host, fired(target=SEARCH))

    child = await post(host, fired())
    await host.run(270)
    assert (await now(services, child)).pages == ()
    await host.run(40)

    held = await now(services, child)
    assert [page.reason for page in held.pages] == ["opened"]
    assert (held.state, services.endpoints.writes) == (State.HELD, [])


async def test_a_storm_has_one_page_and_freezes_automation_until_it_is_calm(
    services: FakeServices,
) -> None:
    services.outside.catalog = catalog_of(alter(OURS, resources=("/subscriptions/s/rest",)))
    host = FakeHost(services)
    most = OURS.policy.storm_alerts
    for number in range(most):  # Sev3: none of them pages for itself
        await accept(host.responder, fired(f"rule-{number}", severity=3))
    await host.run(30)

    trouble, telling = sorted(await open_incidents(services), key=lambda one: one.storm)
    assert [len(one.pages) for one in (trouble, telling)] == [0, 1]
    assert services.endpoints.writes == []
    assert f"{most} different alerts" in telling.sentence
    await act(host, telling.id, "acknowledge")
    await host.run(600, tick_s=SELDOM_S)

    assert (await now(services, telling.id)).state is State.RESOLVED
    assert (await now(services, trouble.id)).quiet == ()
    assert services.endpoints.traffic == {"v1": 100}


async def test_a_grave_trouble_in_a_storm_is_paged_for_when_nobody_answers_the_storm(
    services: FakeServices,
) -> None:
    host = FakeHost(services)
    for number in range(OURS.policy.storm_alerts):
        await accept(host.responder, fired(f"rule-{number}"))
    await host.run(30)
    (trouble,) = [one for one in await open_incidents(services) if not one.storm]
    before = len(trouble.pages)

    await host.run(300)

    assert len((await now(services, trouble.id)).pages) > before


async def test_a_flapping_target_is_paged_for_twice_in_half_an_hour_and_then_again(
    services: FakeServices,
) -> None:
    services.outside.catalog = catalog_of(alter(OURS, mode=Mode.OBSERVE))
    host = FakeHost(services)
    for number in range(4):
        alert = again(number, NOON + number * 2 * MINUTE)
        await post(host, alert)
        if number < 3:
            await host.run(60)
            await post(host, over(alert, services.now()))
        await host.run(40)

    assert triggered(services) == 2
    (held,) = await open_incidents(services)
    assert [quiet.rule for quiet in held.quiet] == ["flapping"]
    assert "opened 4 times in 30 min" in held.quiet[0].sentence
    await host.run(1800, tick_s=SELDOM_S)

    assert (await now(services, held.id)).pages[0].at - NOON >= 30 * MINUTE
    assert len((await list_incidents(services))[0]) == 4


def again(number: int, at: datetime) -> Alert:
    """The same rule, firing once more."""
    return alter(fired(), delivery_key=f"{number:032d}", fired_at=at)


def over(alert: Alert, at: datetime) -> Alert:
    return alter(ended(alert), resolved_at=at)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("maintenance", "fnol-summary is in maintenance until"),
        ("inhibition", "fnol-summary depends on policy-search"),
        ("storm", "fnol-summary has a storm of 10 or more different alerts"),
        ("flapping", "opened 1 times in 30 min, and 2 pages were sent"),
    ],
)
async def test_every_rule_is_shown_by_the_delivery_in_plain_words(
    services: FakeServices, rule: str, said: str
) -> None:
    await hold_back(services, rule)
    host = FakeHost(services)

    key, _ = await accept(host.responder, fired())
    await host.run(4)

    found = await shown(host, key)
    assert found["state"] in ("opened", "joined")
    assert f"{rule}: {said}" in str(found["rule"])
    assert rule in str(found["quiet"])


async def hold_back(services: FakeServices, rule: str) -> None:
    """Make the world in which the rule holds the next alert back."""
    host = FakeHost(services)
    if rule == "maintenance":
        services.outside.catalog = catalog_of(patched(60))
    elif rule == "inhibition":
        services.outside.catalog = catalog_of(CHILD, PARENT)
        await post(host, fired(target=SEARCH))
    elif rule == "storm":
        for number in range(OURS.policy.storm_alerts):
            await post(host, fired(f"rule-{number}"))
    else:
        lately = (NOON - MINUTE, NOON - MINUTE)
        group = Group(service=OURS.name, target=TARGET, openings=(), paged=lately)
        await services.state.write(SHARD, [Put(row=group.row, value=group)])


# Whatever comes, in whatever order, and whatever holds it back meanwhile.

SECOND = f"{TARGET}-eu"
POLICY = alter(OURS.policy, storm_alerts=4, flap_window_s=480)
MINUTES = 8


def busy_services(chance: Random) -> list[Service]:
    """Two services, one below the other, one of them in maintenance for a while."""
    begins = NOON + chance.randint(0, 5) * MINUTE
    window = Once(start=begins, end=begins + chance.randint(1, 6) * MINUTE, reason="patches")
    two = (*OURS.targets, Target(kind=TargetKind.AGENT, id=SECOND))
    child = alter(CHILD, targets=two, policy=POLICY, mode=Mode.OBSERVE)
    both = [child, alter(PARENT, policy=POLICY)]
    patched = chance.randrange(2)
    both[patched] = alter(both[patched], maintenance=(window,))
    return both


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_that_was_held_back_is_lost(services: FakeServices, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - the same story for the same seed
    services.outside.catalog = catalog_of(*busy_services(chance))
    services.logs.answers.clear()  # nobody can tell, so what is not acknowledged escalates
    host = FakeHost(services)
    keys: dict[str, None] = {}
    for minute in range(MINUTES):
        for _ in range(chance.randint(0, 5)):
            key, _ = await accept(host.responder, an_alert(chance, minute, services.now()))
            keys[key] = None
        await host.run(60)
    await host.run(15 * 60, tick_s=SELDOM_S)

    assert all([(await shown(host, key))["state"] != "accepted" for key in keys])
    incidents = await open_incidents(services)
    assert not [one.id for one in incidents if one.storm]
    grave = [one for one in incidents if one.severity.pages()]
    assert [one.id for one in grave if not one.pages] == []
    assert len({(one.service, one.target) for one in incidents}) == len(incidents)


def an_alert(chance: Random, minute: int, at: datetime) -> Alert:
    rule, target = f"rule-{chance.randrange(6)}", chance.choice((TARGET, SECOND, SEARCH))
    alert = alter(
        fired(rule, severity=chance.choice((0, 1, 3)), target=target),
        delivery_key=f"{minute:04d}{chance.getrandbits(64):028x}",
        fired_at=at,
    )
    return over(alert, at) if chance.random() < 0.3 else alert
