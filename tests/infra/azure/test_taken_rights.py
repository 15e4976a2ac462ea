"""Every right that is granted is missed once it is gone: by name, with what to do, and by a page.

One row of grants.json after the other, and of a role that gives several rights each alone: a role
is narrowed more often than removed. What readiness itself cannot tell stands in `TOLD_OTHERWISE`,
with who tells it, and that is tried, too. A row without an answer fails here.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest

from responders.alert.triage import triage
from responders.people.page import page_all_due
from responders.watching.ready_executor import look_at_executor, ready_executor
from responders.watching.ready_responder import look_at_responder, ready_responder
from shared.domain.catalog import Dependency
from shared.domain.detection.rules import rules_of
from shared.domain.diagnosis.telemetry import AnswerStatus
from shared.domain.health.chain import Watermark
from shared.domain.incidents.escalation import wakes
from shared.domain.incidents.incident import Incident
from shared.domain.message import WORK
from shared.domain.readiness.check import Area, Check, Verdict
from shared.domain.readiness.report import Report
from shared.domain.readiness.rights import Permission, Rights
from shared.errors import Refused
from shared.protocol.alarm.keeper import look_after_alarms
from shared.protocol.intake import read_delivery
from shared.protocol.leftovers import Leftovers, find_leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.settle import settle
from shared.protocol.waking import SHARD
from tests.fakes import FakeServices, Outside
from tests.fakes.scene import KEYS, NOW, SERVICE, SNAPSHOT, TARGET, message
from tests.fakes.search import FakeAppEvents, FakeSearch
from tests.fakes.services import make_settings
from tests.fakes.signer import FakeSecrets, FakeSigner
from tests.infra.azure.bicep import AZURE
from tests.infra.azure.needs import Need
from tests.infra.azure.test_grants import DONE_BY, grants, roles

NOTHING = Leftovers(messages={}, effects=[], intents=[])
DAY_S = timedelta(days=1).total_seconds()
INDEX = "policy-wordings"
ACTIONS = {
    "endpoint": "onlineEndpoints/",
    "endpoint-traffic": "onlineEndpoints/write",
    "foundry": "workspaces/read",
}


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """One right of one app, and the role that gave it."""

    app: str
    role: str
    need: Need

    def __str__(self) -> str:
        return f"{self.app}-{self.need.on}-{self.need.name}-{self.need.does}"


RIGHTS = [
    Taken(app=row.identity, role=row.role, need=Need(row.on, row.name, does))
    for row in grants()
    for does in sorted(roles()[row.role])
]


@pytest.fixture
def services() -> FakeServices:
    """A deployment that is as it should be, with an index that health checks ask."""
    index = Dependency(
        name=INDEX, kind="index", endpoint="https://search.example", watermark="updated"
    )
    service = msgspec.structs.replace(SERVICE, dependencies=(index,))
    outside = Outside(now=NOW, snapshot=SNAPSHOT, services=[service])
    outside.search.indexes[INDEX] = Watermark(documents=7, newest=NOW)
    rules = frozenset(rule.name.lower() for rule in rules_of(service))
    outside.control_plane.rules[TARGET.split("/")[2]] = rules
    keys = {**KEYS, "duty": "key of duty"}
    settings = make_settings(
        pager_keys=keys, pager_fallback_url="https://x", vault="https://kv.vault.azure.net"
    )
    return FakeServices(outside, settings)


def withhold(outside: Outside, need: Need) -> None:
    """Take one right away, and nothing else. Raises LookupError for one that no fake can take."""
    match need.on:
        case "table":
            getattr(outside, need.name).withheld.add(need.does)
        case "container":
            outside.blobs.withheld.add((need.name, need.does))
        case "topic" | "subscription":
            outside.bus.withheld.add(need.name)
        case "workspace":
            outside.logs.fail("role_changes", AnswerStatus.UNAVAILABLE, "403 InsufficientAccess")
        case "fired-alerts":
            outside.control_plane.trouble = Refused("control-plane", "it answers 403")
        case "endpoint" | "endpoint-traffic" | "foundry":
            _withhold_at_endpoint(outside, need)
        case _:
            parts: dict[str, FakeSecrets | FakeSigner | FakeAppEvents | FakeSearch] = {
                "vault": outside.secrets,
                "key": outside.signer,
                "insights": outside.app_events,
                "search": outside.search,
            }
            parts[need.on].refuses = True


def _withhold_at_endpoint(outside: Outside, need: Need) -> None:
    if need.does == "read-rights":
        outside.control_plane.trouble = Refused("control-plane", "it answers 403")
        return
    (action,) = (
        one for one, does in DONE_BY.items() if does == need.does and ACTIONS[need.on] in one
    )
    most = Permission(actions=("*",), not_actions=(action,))
    outside.control_plane.given[TARGET] = Rights(permissions=(most,))


def told_as(need: Need) -> tuple[Area, str]:
    """The check that fails: its area and its name."""
    written = f"{need.name}, to write" if need.does == "write" else need.name
    subscription, endpoint = f"subscription {TARGET.split('/')[2]}", TARGET.rpartition("/")[2]
    return {
        "table": (Area.TABLES, written),
        "container": (Area.CONTAINERS, written),
        "topic": (Area.BUS, f"topic {need.name}"),
        "subscription": (Area.BUS, f"subscription {need.name}"),
        "workspace": (Area.LOGS, "the workspace"),
        "fired-alerts": (Area.RULES, subscription),
        "endpoint": (Area.ENDPOINTS, endpoint),
        "endpoint-traffic": (Area.ENDPOINTS, endpoint),
        "foundry": (Area.ENDPOINTS, endpoint),
        "vault": (Area.VAULT, "the app's secrets"),
        "key": (Area.SIGNING, "the signing key"),
        "insights": (Area.TELEMETRY, "Application Insights"),
        "search": (Area.SEARCH, f"index {INDEX}"),
    }[need.on]


LOOKS = {"responder": ready_responder, "executor": ready_executor}
GATHERS = {"responder": look_at_responder, "executor": look_at_executor}


async def look(services: FakeServices, app: str) -> Report:
    """A day later, as another process."""
    services.outside.wait(DAY_S)
    await LOOKS[app](services.another(app), NOTHING)
    return services.state.peek(SHARD, f"readiness|{app}", Report)


def failing(checks: tuple[Check, ...]) -> list[Check]:
    """What is known good has an alarm of its own."""
    return [
        check
        for check in checks
        if check.verdict is Verdict.FAILED and check.area is not Area.KNOWN_GOOD
    ]


async def _no_tick_begins(services: FakeServices, taken: Taken) -> None:
    with pytest.raises(Refused) as refusal:
        await find_leftovers(services)
    assert is_heard(f"tick: {refusal.value}")


async def _no_look_is_kept(services: FakeServices, taken: Taken) -> None:
    """It is refused at every tick, and what it tells without a report becomes a page."""
    found = failing((await GATHERS[taken.app](services)).checks)
    assert told_as(taken.need) in {(one.area, one.name) for one in found}
    services.outside.wait(DAY_S)
    process = services.another(taken.app)
    for _ in range(30):
        services.outside.wait(10)
        with pytest.raises(Refused) as refusal:
            await LOOKS[taken.app](process, NOTHING)
        assert is_heard(f"tick: ready_{taken.app}: {refusal.value}")
        await look_after_alarms(process)
    if taken.app == "executor":  # the responder has the right, and triages what it is told
        getattr(services.outside, taken.need.name).withheld.clear()
        await _let_it_triage(services)
    assert {one["event_action"] for one in services.pager.sent} == {"trigger"}
    assert len({one["dedup_key"] for one in services.pager.sent}) == 1
    said = services.pager.sent[0]["payload"]["summary"]
    assert "Backstop is refused by its own tables" in said


async def _let_it_triage(services: FakeServices) -> None:
    (key,) = {one.body for one in services.bus.published[WORK] if one.subject == "triage"}
    await settle(services.another("responder"), WORK, "responder", message("triage", key), triage)
    (incident,) = await open_incidents(services)
    assert wakes(incident)
    told = (await read_delivery(services, key)).value
    assert "the executor may read and not write" in told.alert.summary
    await page_all_due(services.another("pager"), NOTHING)


async def _its_timer_stands_still(services: FakeServices, taken: Taken) -> None:
    (other,) = LOOKS.keys() - {taken.app}
    seen = [failing((await look(services, other)).checks) for _ in range(4)]
    assert [(one.area, one.name) for one in seen[-1]] == [(Area.OTHER_APP, taken.app)]
    assert len(incidents(services)) == 1


def is_heard(line: str) -> bool:
    """Whether Azure's own watchdog counts this line of an app's log as no work."""
    known = (AZURE / "watchdog.kql").read_text().split('Message startswith "')
    return any(line.startswith(one.partition('"')[0]) for one in known[1:])


type Proof = Callable[[FakeServices, Taken], Awaitable[None]]

UNREAD = "no look is begun: the responder pages directly, and the watchdog writes mails for both"
UNKEPT = "no report is kept: the responder pages directly or is told, the watchdog writes mails"
NO_HOST = "no package and no timer: the other app pages, and the watchdog writes mails"
TOLD_OTHERWISE: dict[tuple[str, str, str], tuple[str, Proof]] = {
    ("table", "state", "read"): (UNREAD, _no_tick_begins),
    ("table", "index", "read"): (UNREAD, _no_tick_begins),
    ("table", "state", "write"): (UNKEPT, _no_look_is_kept),
    ("table", "index", "write"): (UNKEPT, _no_look_is_kept),
    ("host", "", "own"): (NO_HOST, _its_timer_stands_still),
}


def key_of(need: Need) -> tuple[str, str, str]:
    return need.on, "" if need.on == "host" else need.name, need.does


HERE = [taken for taken in RIGHTS if key_of(taken.need) not in TOLD_OTHERWISE]
ELSEWHERE = [taken for taken in RIGHTS if key_of(taken.need) in TOLD_OTHERWISE]


def incidents(services: FakeServices) -> list[Incident]:
    rows = services.state.rows(SHARD, "incident|")
    return [services.state.peek(SHARD, row, Incident) for row in rows]


@pytest.mark.parametrize("taken", HERE, ids=str)
async def test_a_right_that_was_taken_fails_by_its_name_and_pages(
    services: FakeServices, taken: Taken
) -> None:
    assert failing((await look(services, taken.app)).checks) == []
    withhold(services.outside, taken.need)
    report = await look(services, taken.app)

    (found,) = failing(report.checks)
    assert (found.area, found.name) == told_as(taken.need)
    assert "azd provision" in found.remedy
    (incident,) = incidents(services)
    assert wakes(incident)
    assert found.sentence in incident.title
    await page_all_due(services.another("pager"), NOTHING)
    assert [one["event_action"] for one in services.pager.sent] == ["trigger"]


@pytest.mark.parametrize("taken", ELSEWHERE, ids=str)
async def test_what_readiness_cannot_tell_is_told_by_another_way(
    services: FakeServices, taken: Taken
) -> None:
    for app in (*LOOKS, *LOOKS):
        await look(services, app)
    if taken.need.on != "host":
        withhold(services.outside, taken.need)
    _, proof = TOLD_OTHERWISE[key_of(taken.need)]

    await proof(services, taken)


def test_the_other_ways_are_of_rights_that_are_granted() -> None:
    assert TOLD_OTHERWISE.keys() <= {key_of(taken.need) for taken in RIGHTS}


def test_a_kind_of_grant_that_nobody_knows_has_no_answer(services: FakeServices) -> None:
    new = Need("queue", "letters", "send")
    assert key_of(new) not in TOLD_OTHERWISE
    with pytest.raises(LookupError):
        withhold(services.outside, new)
    with pytest.raises(LookupError):
        told_as(new)


def test_every_grant_is_among_them() -> None:
    rows = json.loads((AZURE / "grants.json").read_text())["grants"]
    known = {(one.app, one.role, one.need.on, one.need.name) for one in HERE + ELSEWHERE}
    assert known == {(row["identity"], row["role"], row["on"], row["name"]) for row in rows}
