"""`python -m infra.local.start.screenshot`: the pictures of the documents, after a real incident.

Starts a world of its own, ships v2, waits until the rollback is verified, and photographs the
incident's page and the card in the inbox.
"""

import asyncio
import sys
from pathlib import Path

import aiohttp
from playwright.async_api import Browser, async_playwright

from infra.local.demo.client import Client, Stuck
from infra.local.demo.screen import Screen
from infra.local.host.easy_auth import LOGIN
from infra.local.issuer.wallet import signing
from infra.local.start.drills import Drills
from infra.local.world import LOCAL, ROOT, Pace, World, running_world

FOLDER = LOCAL / "screenshot"
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
SERVED_WELL_S = 30.0  # so that the chart shows what was before


def main() -> int:
    """Play and photograph; 1 where the incident never came to its end."""
    screen = Screen()
    with running_world(FOLDER, pace=Pace(soak_s=18, fuse_s=10.0)) as world:
        try:
            asyncio.run(_play(world, screen))
        except Stuck as stuck:
            screen.fact(str(stuck), "red")
            return 1
    return 0


async def _play(world: World, screen: Screen) -> None:
    where = world.addresses
    signed = signing(where.api, where.issuer)
    async with (
        aiohttp.ClientSession(middlewares=[signed]) as session,
        Client(where, screen) as client,
    ):
        drills = Drills(where, world.executor, session)
        await drills.start_load()
        await asyncio.sleep(SERVED_WELL_S)
        await drills.play_drill("ship-v2")
        found = await client.until("an incident", lambda: client.get("/api/incidents"), _any, 90)
        page = f"/incidents/{found['incidents'][0]['id']}"
        await client.until("the end", lambda: client.get(f"/api{page}"), _is_over, 90)
        await client.until("the cards", client.cards, lambda cards: len(cards) > 1, 30)
        await _photograph(f"{where.api}{page}", where.inbox)
    screen.fact(f"wrote {IMAGES}")


async def _photograph(incident: str, inbox: str) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        await _shoot(browser, incident, IMAGES / "incident.png", height=1130)
        await _shoot(browser, inbox, IMAGES / "card.png", only=".post")
        await browser.close()


async def _shoot(
    browser: Browser, url: str, path: Path, *, height: int = 900, only: str = ""
) -> None:
    tab = await browser.new_page(viewport={"width": 1200, "height": height}, color_scheme="light")
    await tab.goto(url)
    if LOGIN in tab.url:
        await tab.get_by_role("button", name="Local commander").click()
    await tab.locator(only or "[data-live]").first.wait_for()
    await tab.get_by_text("Live", exact=True).wait_for()
    if only:
        await tab.locator(only).first.screenshot(path=path)
    else:
        await tab.screenshot(path=path)


def _any(listed: dict[str, list[object]]) -> bool:
    return bool(listed["incidents"])


def _is_over(view: dict[str, dict[str, str]]) -> bool:
    return view["incident"]["state"] in ("mitigated", "escalated", "resolved")


if __name__ == "__main__":
    sys.exit(main())
