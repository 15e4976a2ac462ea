"""The console in a real browser: fits a phone, works by keyboard, and keeps to its policy."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from playwright.async_api import Page as Tab

from infra.local.host.easy_auth import LOGIN
from infra.local.issuer.identities import IDENTITIES
from responders.watching.ready_responder import ready_responder
from shared.domain.incidents.incident import State
from shared.domain.lineage.artifact import release_id
from shared.domain.row import Put
from shared.domain.slos.folding import BUDGET
from shared.domain.slos.slo import WINDOWS
from shared.errors import RejectedInput
from shared.protocol.evidence.holds import read_holds
from shared.protocol.leftovers import Leftovers
from shared.protocol.lineage import order_puts
from shared.protocol.quarantine import keep_body
from shared.protocol.records import read_controls
from tests.browser.console import console, id_of, sign_in
from tests.fakes import FakeServices
from tests.fakes.scene import (
    DIAGNOSIS,
    INCIDENT,
    NOW,
    SERVICE,
    SHARD,
    incident_now,
    new_services,
    store_case,
    store_incident,
)
from tests.shared.domain.decisions.worked_case import GOOD_RELEASE, LIVE

EVENTS = Path(__file__).parents[1] / "events"
CHROMIUM = Path("/usr/bin/chromium")
PAGE = f"/incidents/{INCIDENT.id}"
NOTHING = Leftovers(messages={}, effects=[], intents=[])
RELEASES = f"/releases/{SERVICE.name}"
PAGES = ("/", PAGE, "/incidents/unknown", "/quarantine", "/readiness", "/slos", RELEASES, LOGIN)
COUNTED = (*WINDOWS, BUDGET)
LONG = msgspec.structs.replace(
    LIVE, configuration_digest="9f86d081" * 8, registered_at=NOW - timedelta(hours=1)
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def services() -> FakeServices:
    made = new_services()
    await store_case(made)
    for release in (GOOD_RELEASE, LONG):
        await made.state.write(SHARD, order_puts(release))
    refused = RejectedInput("not-json", "the body is not JSON in UTF-8: line 1 column 2")
    await keep_body(made, "api/alerts", (EVENTS / "metric_static_fired.json").read_bytes(), refused)
    await ready_responder(made.another("responder"), NOTHING)
    counts = {f"{kind}{one}": {"T": 120_000, "B": 700}[kind] for kind in "TB" for one in COUNTED}
    (slo, *_) = SERVICE.slos
    made.logs.answer("budgets", [{"Service": SERVICE.name, "Slo": slo.name, **counts}])
    made.logs.answer(
        "onset",
        [
            {
                "TimeGenerated": NOW - timedelta(minutes=minute),
                "Deployment": version,
                "Region": "swedencentral",
                "Total": 40,
                "Failed": 18 if version == "v2" else 0,
                "P95Ms": 700.0 if version == "v2" else 300.0,
            }
            for version, minutes in (("v1", range(12, 25)), ("v2", range(1, 12)))
            for minute in minutes
        ],
    )
    return made


async def store_diagnosis(services: FakeServices, *ruled_out: str) -> None:
    found = msgspec.structs.replace(DIAGNOSIS, ruled_out=ruled_out)
    await services.state.write(SHARD, [Put(row=f"diagnosis|{INCIDENT.id}", value=found)])


@pytest_asyncio.fixture(loop_scope="module")
async def base(services: FakeServices) -> AsyncIterator[str]:
    async with console(services) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="module")
async def tab(browser: Browser, base: str) -> AsyncIterator[Tab]:
    """A tab of the commander's, who has signed in."""
    opened = await browser.new_page()
    await sign_in(opened, base)
    yield opened
    await opened.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 390), ("light", 1280)])
async def test_every_page_fits_and_breaks_no_policy(
    browser: Browser, base: str, scheme: Literal["light", "dark"], width: int
) -> None:
    complaints: list[str] = []
    tab = await browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    await sign_in(tab, base)
    tab.on("console", lambda said: complaints.append(f"{tab.url}: {said.text}"))
    tab.on("pageerror", lambda error: complaints.append(f"{tab.url}: {error}"))
    for path in PAGES:
        await tab.goto(base + path)
        await expect(tab.locator("h1")).to_be_visible()
        assert await tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
    assert [text for text in complaints if "404" not in text] == []
    await tab.close()


async def test_from_the_first_page_one_gets_to_the_incident(tab: Tab, base: str) -> None:
    await tab.goto(base)
    await tab.get_by_role("link", name=INCIDENT.title).click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text(INCIDENT.title)
    await expect(
        tab.get_by_role("img", name="40 requests").or_(tab.locator("svg.chart"))
    ).to_be_visible()


async def test_a_card_s_link_lets_one_acknowledge_by_keyboard_alone(
    tab: Tab, base: str, services: FakeServices
) -> None:
    await tab.goto(f"{base}{PAGE}#acknowledge")
    await expect(tab.get_by_role("button", name="Acknowledge")).to_be_focused()
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("status").first).to_contain_text("acknowledge")
    await expect(tab.get_by_role("button", name="Acknowledge")).to_have_count(0)
    assert (await incident_now(services)).acknowledged_by == id_of("commander")


async def test_the_page_says_by_name_who_acted(tab: Tab, base: str) -> None:
    await tab.goto(base + PAGE)
    await tab.get_by_role("button", name="Take command").click()
    await expect(tab.get_by_text("Local commander has command")).to_be_visible()
    await expect(tab.get_by_text(IDENTITIES["commander"].object_id)).to_have_count(0)


async def test_a_link_of_a_card_leads_through_the_sign_in_and_back(
    browser: Browser, base: str
) -> None:
    tab = await browser.new_page()
    await tab.goto(base + PAGE)
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Who are you?")
    await tab.keyboard.press("Tab")
    await expect(tab.get_by_role("button", name="Local commander")).to_be_focused()
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("heading", level=1)).to_have_text(INCIDENT.title)
    assert tab.url == base + PAGE
    await tab.close()


async def test_who_may_only_read_is_told_so(
    browser: Browser, base: str, services: FakeServices
) -> None:
    tab = await browser.new_page()
    await sign_in(tab, base, "auditor", PAGE)
    await expect(tab.get_by_text("Your roles let you read, not act.")).to_be_visible()
    assert await tab.locator("form").count() == 0
    assert (await incident_now(services)).acknowledged_by == ""
    await tab.close()


async def test_an_auditor_holds_records_and_lifts_the_hold(
    browser: Browser, base: str, services: FakeServices
) -> None:
    tab = await browser.new_page()
    await sign_in(tab, base, "auditor", "/evidence")
    await tab.get_by_text("Hold the records of an incident").click()
    form = tab.get_by_role("form", name="Hold the records of an incident")
    await form.get_by_label("Incident").fill(INCIDENT.id)
    await form.get_by_label("Why").fill("a claim is disputed")
    await form.get_by_role("button", name="Hold them").click()
    held = tab.locator("#hold-list")
    await expect(held).to_contain_text(f"The records of {INCIDENT.id}")

    await held.get_by_label("Why it is over").fill("it was settled")
    await held.get_by_role("button", name="Lift the hold").click()
    await expect(held).to_contain_text("Nothing is held.")
    assert [hold.on for hold in await read_holds(services)] == [False]
    await tab.close()


async def test_the_page_follows_the_incident_and_keeps_what_is_being_typed(
    tab: Tab, base: str, services: FakeServices
) -> None:
    await tab.goto(base + PAGE)
    await tab.get_by_text("Write a note").click()
    await tab.get_by_label("Note", exact=True).fill("half a sentence")
    await store_incident(services, state=State.MITIGATED, sentence="It helped.")
    await expect(tab.get_by_text("It helped.").first).to_be_visible(timeout=15_000)
    await expect(tab.get_by_label("Note", exact=True)).to_have_value("half a sentence")


async def test_open_details_stay_open_and_keep_the_focus(
    tab: Tab, base: str, services: FakeServices
) -> None:
    await store_diagnosis(services, "index fresh")
    await tab.goto(base + PAGE)
    await tab.get_by_text("Ruled out: 1").click()
    await store_diagnosis(services, "index fresh", "no region is out")
    await expect(tab.get_by_text("no region is out")).to_be_visible(timeout=15_000)
    await expect(tab.locator("#ruled-out > summary")).to_be_focused()


async def test_the_page_says_when_it_is_no_longer_current(browser: Browser, base: str) -> None:
    tab = await browser.new_page()
    await sign_in(tab, base, back=PAGE)
    await expect(tab.locator("#live")).to_have_text("Live")
    await tab.context.set_offline(offline=True)
    await expect(tab.locator("#live")).to_contain_text("Not connected", timeout=15_000)
    await tab.close()


async def test_the_kill_switch_is_turned_off_and_on_again(
    tab: Tab, base: str, services: FakeServices
) -> None:
    await tab.goto(base)
    off = tab.get_by_role("form", name="Turn automation off")
    await off.get_by_label("Why").fill("strange decisions")
    await off.get_by_role("button").click()
    await expect(tab.get_by_text("Automation is off for all services")).to_be_visible()
    on = tab.get_by_role("form", name="Turn automation on for all services")
    await on.get_by_label("Why").fill("all is well")
    await on.get_by_role("button").click()
    await expect(tab.get_by_text("Automation is off for all services")).to_have_count(0)
    (switch,) = (await read_controls(services)).kill_switches
    assert (switch.on, switch.by, switch.reason) == (False, id_of("commander"), "all is well")


async def test_from_the_first_page_one_gets_to_the_quarantine_and_empties_it(
    tab: Tab, base: str
) -> None:
    await tab.goto(base)
    await expect(tab.get_by_text("1 input could not be taken")).to_be_visible()
    await tab.get_by_role("link", name="Look at the quarantine").click()
    await tab.get_by_text("Resubmit", exact=True).click()
    await tab.get_by_label("Why it can be taken now").fill("the reader is mended")
    await tab.get_by_role("button", name="Resubmit it").click()
    await expect(tab.get_by_text("Local commander resubmitted it: accepted")).to_be_visible()
    await expect(tab.get_by_role("button")).to_have_count(0)


async def test_two_releases_are_compared_by_keyboard_alone(tab: Tab, base: str) -> None:
    await tab.goto(base)
    await tab.get_by_role("link", name="Releases of").press("Enter")
    await expect(tab.get_by_role("heading", level=1)).to_contain_text("Releases of")
    await tab.get_by_role("button", name="Compare").press("Enter")
    differs = tab.get_by_role("heading", name=f"From {GOOD_RELEASE.version} to {LONG.version}")
    await expect(differs).to_be_visible()
    await expect(tab.get_by_role("row", name="Prompt p7 p8")).to_be_visible()
    await expect(tab.get_by_label("From", exact=True)).to_have_value(release_id(GOOD_RELEASE))


async def test_without_scripts_the_buttons_work_as_well(
    browser: Browser, base: str, services: FakeServices
) -> None:
    tab = await browser.new_page(java_script_enabled=False)
    await sign_in(tab, base, "responder", PAGE)
    await tab.get_by_role("button", name="Acknowledge").click()
    await expect(tab.get_by_text("Local responder has acknowledged")).to_be_visible()
    assert (await incident_now(services)).acknowledged_by == id_of("responder")
    await tab.close()


async def test_the_keyboard_reaches_the_content_first(tab: Tab, base: str) -> None:
    await tab.goto(base + PAGE)
    await tab.keyboard.press("Tab")
    await tab.keyboard.press("Enter")
    await expect(tab.locator("main")).to_be_focused()


async def test_without_scripts_one_gets_to_what_readiness_lacks_and_what_to_do(
    browser: Browser, base: str
) -> None:
    tab = await browser.new_page(java_script_enabled=False)
    await sign_in(tab, base, "auditor")
    await tab.get_by_role("link", name="Readiness", exact=True).click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Readiness")
    await expect(tab.locator("#whole")).to_contain_text("Stage of the whole")
    failed = tab.locator("#apps tr.bad", has_text="no routing key for duty")
    await expect(failed).to_contain_text("set BACKSTOP_PAGER_KEY_DUTY")
    silent = tab.locator("#apps section", has_text="The executor, by itself")
    await expect(silent).to_contain_text("It has not looked at itself yet")
    await tab.close()


async def test_from_a_service_s_budget_one_gets_to_its_objectives(tab: Tab, base: str) -> None:
    await tab.goto(base)
    await tab.get_by_role("link", name="Error budget of").first.click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Objectives")
    first = tab.locator("#objectives article").first
    await expect(first.locator(".budgets strong")).to_contain_text("left")
    await expect(first.get_by_role("row", name="1h")).to_contain_text("700 bad of 120,000")
    await expect(first).to_contain_text("Its policy")
