"""One headless Chromium a module, for the tests that open pages over fakes."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from infra.local.start.screenshot import CHROMIUM, FLAGS


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium as the pictures of the documents are made with it."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, "--disable-dev-shm-usage"]
        )
        yield launched
        await launched.close()
