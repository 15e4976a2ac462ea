"""Each app looks at itself: a right that was taken pages once, and comes back quietly."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest

from responders.people.page import page_all_due
from responders.reading.readiness import show_readiness
from responders.watching.ready_executor import look_at_executor, ready_executor
from responders.watching.ready_responder import ready_responder
from shared.domain.detection.rules import rules_of
from shared.domain.message import CHANGES
from shared.domain.readiness.check import Area, Check, Verdict
from shared.domain.readiness.report import Report
from shared.domain.readiness.rights import Rights
from shared.domain.views.http import Request
from shared.errors import Refused
from shared.protocol.leftovers import Leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.waking import SHARD
from tests.fakes import FakeServices
from tests.fakes.scene import KEYS, NOW, SERVICE, TARGET, new_services

NOTHING = Leftovers(messages={}, effects=[], intents=[])
DAY = timedelta(days=1)
LOOKS: dict[str, Callable[[FakeServices, Leftovers], Awaitable[None]]] = {
    "responder": ready_responder,
    "executor": ready_executor,
}


@pytest.fixture
def services() -> FakeServices:
    found = new_services(pager_keys={**KEYS, "duty": "key of duty"}, pager_fallback_url="https://x")
    subscription = TARGET.split("/")[2]
    rules = frozenset(rule.name.lower() for rule in rules_of(SERVICE))
    found.control_plane.rules[subscription] = rules
    return found


async def look(services: FakeServices, app: str) -> Report:
    """A day later, as another process."""
    services.outside.wait(DAY.total_seconds())
    await LOOKS[app](services.another(app), NOTHING)
    return services.state.peek(SHARD, f"readiness|{app}", Report)


def failing(report: Report) -> list[Check]:
    return [check for check in report.checks if check.verdict is Verdict.FAILED]


async def pages(services: FakeServices) -> int:
    await page_all_due(services.another("pager"), NOTHING)
    return len([one for one in services.pager.sent if one["event_action"] == "trigger"])


def take(services: FakeServices, *, taken: bool) -> None:
    """Somebody takes the executor's right to move traffic, or gives it back."""
    if taken:
        services.control_plane.given[TARGET] = Rights()
    else:
        services.control_plane.given.clear()


@pytest.mark.parametrize("app", LOOKS)
async def test_what_is_in_order_passes_and_wakes_nobody(services: FakeServices, app: str) -> None:
    report = await look(services, app)

    assert [check.area for check in failing(report)] == (
        [Area.KNOWN_GOOD] if app == "responder" else []
    )
    assert await open_incidents(services) == []


async def test_a_role_that_was_taken_pages_once_and_comes_back_quietly(
    services: FakeServices,
) -> None:
    await look(services, "executor")
    take(services, taken=True)
    report = await look(services, "executor")
    assert [check.area for check in failing(report)] == [Area.ENDPOINTS]
    (incident,) = await open_incidents(services)
    assert [await pages(services), await pages(services)] == [1, 1]

    await look(services, "executor")
    take(services, taken=False)
    report = await look(services, "executor")

    assert failing(report) == []
    assert [one.id for one in await open_incidents(services)] == [incident.id]


OWN = "0b5e55ed-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("own", "verdict"), [(OWN, Verdict.PASSED), ("", Verdict.UNKNOWN)], ids=["known", "unknown"]
)
async def test_rules_may_be_in_backstops_own_subscription(
    services: FakeServices, own: str, verdict: Verdict
) -> None:
    elsewhere = services.control_plane.rules
    elsewhere[OWN] = elsewhere.pop(TARGET.split("/")[2])
    settings = msgspec.structs.replace(services.settings, own_subscription=own)

    await ready_responder(FakeServices(services.outside, settings), NOTHING)

    report = services.state.peek(SHARD, "readiness|responder", Report)
    (found,) = (one for one in report.checks if one.name == "alert rules")
    assert found.verdict is verdict


async def test_an_action_group_that_posts_elsewhere_wakes_somebody(services: FakeServices) -> None:
    own = msgspec.structs.replace(services.settings, own_subscription=OWN)
    await ready_responder(FakeServices(services.outside, own), NOTHING)
    services.control_plane.posted_to = frozenset({"https://elsewhere.example/api/alerts"})
    services.outside.wait(DAY.total_seconds())
    await ready_responder(FakeServices(services.outside, own), NOTHING)

    (incident,) = await open_incidents(services)
    assert "no action group posts alerts" in incident.title


async def test_a_table_that_refuses_wakes_somebody(services: FakeServices) -> None:
    await look(services, "responder")
    services.outside.deliveries.refuses = True
    report = await look(services, "responder")

    assert Area.TABLES in {check.area for check in failing(report)}
    (incident,) = await open_incidents(services)
    assert "deliveries" in incident.title


async def test_an_identity_that_is_gone_fails(services: FakeServices) -> None:
    services.control_plane.stranger = Refused("control-plane", "no managed identity")
    found = failing(await look(services, "executor"))
    assert [check.area for check in found] == [Area.IDENTITY]


@pytest.mark.parametrize("app", LOOKS)
async def test_what_is_out_is_unknown_and_wakes_nobody(services: FakeServices, app: str) -> None:
    await look(services, app)
    outside = services.outside
    outside.bus.out = outside.blobs.out = outside.signer.out = True
    outside.doorbell.status = None
    report = await look(services, app)

    unknown = {check.area for check in report.checks if check.verdict is Verdict.UNKNOWN}
    assert {Area.BUS, Area.CONTAINERS} <= unknown
    assert await open_incidents(services) == []


async def looked_for_days(services: FakeServices) -> None:
    """Both apps have looked every day, and found one another."""
    for app in (*LOOKS, *LOOKS):
        await look(services, app)


async def test_coming_back_after_everything_was_stopped_wakes_nobody(
    services: FakeServices,
) -> None:
    await looked_for_days(services)
    services.outside.wait(9 * DAY.total_seconds())
    for app, looks in LOOKS.items():
        await looks(services.another(app), NOTHING)

    assert await open_incidents(services) == []


async def test_an_app_that_stays_away_wakes_somebody(services: FakeServices) -> None:
    await looked_for_days(services)
    services.outside.wait(9 * DAY.total_seconds())
    found = [failing(await look(services, "responder")) for _ in range(4)]

    areas = [[one.area for one in each if one.area is Area.OTHER_APP] for each in found]
    assert areas == [[], [], [], [Area.OTHER_APP]]
    (incident,) = await open_incidents(services)
    assert "the executor looked at itself last at" in incident.title


async def test_one_looks_again_only_after_a_day_or_where_roles_changed(
    services: FakeServices,
) -> None:
    process = services.another("one")

    async def looked_at() -> object:
        services.outside.wait(360)
        await ready_executor(process, NOTHING)
        return services.state.peek(SHARD, "readiness|executor", Report).at

    first = await looked_at()
    assert await looked_at() == first
    services.logs.answer("role_changes", [{"ChangedAt": services.now()}])
    assert await looked_at() != first


async def test_never_where_the_setting_says_so(services: FakeServices) -> None:
    off = msgspec.structs.replace(services.settings, readiness_every_s=0.0)
    await ready_executor(FakeServices(services.outside, off), NOTHING)
    assert services.state.rows(SHARD, "readiness|") == []


async def test_the_look_changes_nothing_outside(services: FakeServices) -> None:
    for app in LOOKS:
        await look(services, app)
    assert services.endpoints.writes == []
    assert services.pager.sent == []
    assert services.bus.published[CHANGES] == []
    assert set(services.doorbell.rung) == {"https://backstop.example/api/readiness"}


async def test_each_look_tells_telemetry_whose_it_was(services: FakeServices) -> None:
    for app in LOOKS:
        await look(services, app)
    told = [(one.name, one.properties["backstop.app"]) for one in services.app_events.sent]
    assert told == [("backstop.readiness", app) for app in LOOKS]


async def test_a_machine_of_ones_own_has_no_vault_to_ask(services: FakeServices) -> None:
    for local, asked in ((True, set()), (False, {Area.VAULT})):
        changed = msgspec.structs.replace(services.settings, local=local)
        seen = await look_at_executor(FakeServices(services.outside, changed))
        assert {one.area for one in seen.checks} & {Area.VAULT} == asked


async def test_what_passed_too_long_ago_is_unknown_until_somebody_looks_again(
    services: FakeServices,
) -> None:
    await looked_for_days(services)
    services.outside.wait(9 * DAY.total_seconds())

    shown = msgspec.json.decode((await show_readiness(services, Request())).body)

    verdicts = {check["verdict"] for app in shown["apps"] for check in app["checks"]}
    assert verdicts == {"unknown", "failed"}
    assert shown["stage"] == "pilot"


async def test_people_see_both_reports_and_the_stages(services: FakeServices) -> None:
    empty = msgspec.json.decode((await show_readiness(services, Request())).body)
    assert (empty["verdict"], empty["stage"], empty["apps"]) == ("unknown", "pilot", [])
    for app in LOOKS:
        await look(services, app)

    shown = msgspec.json.decode((await show_readiness(services, Request())).body)

    assert [one["app"] for one in shown["apps"]] == list(LOOKS)
    assert {"area", "verdict", "sentence", "remedy"} <= shown["apps"][0]["checks"][0].keys()
    (standing,) = shown["services"]
    assert standing["service"] == SERVICE.name
    assert all(lack["remedy"] for lack in standing["missing"])
    assert shown["apps"][0]["at"] > NOW.isoformat()
