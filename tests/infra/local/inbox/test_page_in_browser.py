"""The page in a real browser: it stays current, keeps the reader's place, and breaks no policy."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from msgspec.structs import replace
from playwright.async_api import Browser, async_playwright, expect
from playwright.async_api import Page as Tab

from infra.local.inbox.app import create_inbox
from infra.local.inbox.store import InboxStore, Part
from shared.domain.views.card import CardKind, render_card
from tests.infra.local.inbox.serving import serving
from tests.infra.local.inbox.test_pager_rules import RESOLVE, TRIGGER
from tests.shared.domain.incidents.situations import INCIDENT, VIEW

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="module")
async def base(store: InboxStore) -> AsyncIterator[str]:
    async with serving(create_inbox(store)) as url:
        yield url


def post(store: InboxStore, kind: CardKind, sentence: str = "") -> None:
    view = replace(VIEW, incident=replace(INCIDENT, sentence=sentence))
    store.add(Part.TEAMS, render_card(kind, view)["attachments"][0]["content"])


async def opened(browser: Browser, base: str, scheme: Literal["light", "dark"], width: int) -> Tab:
    """A tab of its own context, so that going offline hurts no other test."""
    tab = await browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 700})
    await tab.clock.install()
    await tab.goto(base)
    return tab


async def looks_again(tab: Tab) -> None:
    """Let the page's next look at the inbox come now."""
    await tab.clock.fast_forward(1500)


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
async def test_the_page_fits_and_breaks_no_policy(
    browser: Browser, base: str, store: InboxStore, scheme: Literal["light", "dark"], width: int
) -> None:
    for kind in CardKind:
        post(store, kind)
    store.add(Part.PAGER, TRIGGER)
    complaints: list[str] = []
    tab = await browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 700})
    tab.on("console", lambda said: complaints.append(said.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    await tab.goto(base)
    await expect(tab.locator(".post")).to_have_count(len(CardKind))
    overflow = await tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
    assert complaints == []
    assert len(await tab.screenshot(full_page=True)) > 10_000


async def test_a_new_card_appears_without_moving_what_is_read(
    browser: Browser, base: str, store: InboxStore
) -> None:
    for kind in CardKind:
        post(store, kind)
    tab = await opened(browser, base, "light", 1000)
    await tab.evaluate("scrollTo({ top: 900, behavior: 'instant' })")
    read = tab.locator("#card-2")
    before = await read.bounding_box()
    post(store, CardKind.OUTCOME, "Backstop moved it back.")
    await looks_again(tab)
    await expect(tab.get_by_text("Backstop moved it back.")).to_be_attached()
    after = await read.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 2


async def test_open_details_stay_open_when_the_alert_changes(
    browser: Browser, base: str, store: InboxStore
) -> None:
    store.add(Part.PAGER, TRIGGER)
    tab = await opened(browser, base, "dark", 1000)
    await tab.get_by_text("Details").click()
    store.add(Part.PAGER, RESOLVE)
    await looks_again(tab)
    await expect(tab.locator(".alert .state")).to_have_text("resolved")
    await expect(tab.locator("details")).to_have_attribute("open", "")


async def test_the_page_says_when_the_inbox_is_gone(browser: Browser, store: InboxStore) -> None:
    async with serving(create_inbox(store)) as url:
        tab = await opened(browser, url, "light", 1000)
        await expect(tab.get_by_role("status")).to_have_text("Live")
        await tab.context.set_offline(offline=True)
        await looks_again(tab)
        await expect(tab.get_by_role("status")).to_contain_text("Not connected")


async def test_the_keyboard_reaches_the_cards_first(browser: Browser, base: str) -> None:
    tab = await opened(browser, base, "light", 1000)
    await tab.keyboard.press("Tab")
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#channel")).to_be_focused()
