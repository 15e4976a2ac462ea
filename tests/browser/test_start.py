"""`make start` as a person meets it: every drill is pressed on its page and read on the console."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect, sync_playwright
from playwright.sync_api import Page as Tab

from infra.local.start.screenshot import CHROMIUM, FLAGS
from tests.infra.local.start.starting import started

WITHIN_S = 60.0  # for what takes some seconds on an idle machine
LOOK_MS = 1_500  # a page refreshes itself after a second, and then seldom: so it is opened again
pytestmark = [
    pytest.mark.browser,
    pytest.mark.world,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"{CHROMIUM} is not installed"),
]


@pytest.fixture
def tab() -> Iterator[Tab]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, "--disable-dev-shm-usage"]
        )
        yield browser.new_page()
        browser.close()


class Person:
    """Somebody at the console and at the page of drills of one running world."""

    def __init__(self, tab: Tab, where: dict[str, str]) -> None:
        self._tab = tab
        self._where = where

    def signs_in(self) -> None:
        """Open the console, which leads to the sign-in, and choose who to be."""
        self._tab.goto(f"{self._where['api']}/")
        self._tab.get_by_role("button", name="Local commander").click()
        expect(self._tab.locator("#service-list")).to_be_visible()

    def press(self, title: str) -> None:
        """Press a drill's button; the page must say that it was done."""
        self._tab.goto(self._where["drills"])
        self._tab.get_by_role("button", name=title, exact=True).click()
        expect(self._tab.get_by_text(f"Done: {title}.")).to_be_visible()

    def sees_at_drills(self, text: str) -> None:
        """The page of drills comes to say this of the world."""
        self._tab.goto(self._where["drills"])
        _says(self._tab.locator("#world"), text)

    def executor(self) -> str:
        """What the page of drills says of the executor once it runs."""
        self._tab.goto(self._where["drills"])
        tile = self._tab.locator("#world .tiles > div", has_text="Executor")
        _says(tile, "runs as process")
        return tile.inner_text()

    def sees(self, region: str, text: str, within_s: float = WITHIN_S) -> None:
        """A region of the console's first page comes to say this."""
        deadline = time.monotonic() + within_s
        while True:
            self._tab.goto(f"{self._where['api']}/")
            try:
                expect(self._tab.locator(region)).to_contain_text(text, timeout=LOOK_MS)
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
            else:
                return

    def sees_no_more(self, region: str, text: str) -> None:
        """The same region comes to say this no longer, whatever else it says."""
        deadline = time.monotonic() + WITHIN_S
        while text in self._open(region):
            assert time.monotonic() < deadline, f"{region} still says {text}"
            self._tab.wait_for_timeout(LOOK_MS)

    def _open(self, region: str) -> str:
        self._tab.goto(f"{self._where['api']}/")
        return self._tab.locator(region).inner_text()

    def opens(self, text: str) -> None:
        """Follow the link of the newest incident of which the first page says this."""
        self.sees("#main", text)
        self._tab.locator(".incident", has_text=text).get_by_role("link").first.click()

    def reads(self, region: str, *texts: str) -> None:
        """A region of the incident's page says all of this."""
        for text in texts:
            _says(self._tab.locator(region), text)

    def resolves(self, why: str) -> None:
        """Resolve the incident whose page is open."""
        self._tab.get_by_text("Resolve", exact=True).click()
        self._tab.get_by_label("Why it is over").fill(why)
        self._tab.get_by_role("button", name="Resolve the incident").click()
        _says(self._tab.locator("#lead"), "resolved")


def _says(region: Locator, text: str) -> None:
    expect(region).to_contain_text(text, timeout=WITHIN_S * 1000)


def test_every_drill_is_answered_as_its_page_says_and_the_story_is_kept(
    tab: Tab, tmp_path: Path
) -> None:
    folder = tmp_path / "start"
    with started(folder) as where:
        person = Person(tab, where)
        person.signs_in()
        person.sees("#service-list", "earned")
        _stop_the_index(person)
        _ship_v2(person)
        _kill_the_executor(person)
    with started(folder) as where:  # its customers know nothing of the troubles before
        person = Person(tab, where)
        person.signs_in()
        person.sees("#earlier-list", "Moved all traffic from v2 back to v1. It helped")
        person.sees("#service-list", "earned")
        _take_the_logs_and_a_region_out(person)
        _delete_the_known_good(person)


def _stop_the_index(person: Person) -> None:
    person.press("Stop the indexer")
    person.sees_at_drills("the index stands still")
    person.opens("the cause is index policy-wordings")
    person.reads("#lead", "Moved nothing.")
    person.reads("#decision", "Hold")
    person.resolves("the index is filled again")
    person.press("Heal")
    person.sees_at_drills("nothing")


def _ship_v2(person: Person) -> None:
    person.press("Ship v2")
    person.opens("Moved all traffic from v2 back to v1. It helped")
    person.reads("#lead", "Customers get good answers again")
    person.reads("#decision", "Roll back", "version v2")
    person.sees_at_drills("v1 100 %")
    person.sees_no_more("#open", "from v2 back to v1")  # the end of its alert resolves it


def _kill_the_executor(person: Person) -> None:
    before = person.executor()
    person.press("Kill the executor")
    assert person.executor() != before


def _take_the_logs_and_a_region_out(person: Person) -> None:
    person.press("Take the logs out")
    person.press("Take a region out")
    person.opens("Whether anything is broken is not known.")
    person.reads("#lead", "Moved nothing.", "It could not be found out what")
    person.reads("#decision", "Inconclusive")
    person.sees_at_drills("v1 100 %")


def _delete_the_known_good(person: Person) -> None:
    person.press("Ship v2")  # a version that serves cannot be deleted
    person.sees_at_drills("v2 100 %")
    person.press("Delete the known good")
    person.opens("v1 can serve no more: deployment v1 does not exist.")
    person.reads("#lead", "the known good is lost")
    person.sees("#service-list", "none yet")
