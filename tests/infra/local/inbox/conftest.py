from collections.abc import AsyncIterator

import aiohttp
import pytest

from infra.local.inbox.app import create_inbox
from infra.local.inbox.store import InboxStore
from tests.infra.local.inbox.serving import serving


@pytest.fixture
def store() -> InboxStore:
    return InboxStore()


@pytest.fixture
async def http(store: InboxStore) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a running inbox; paths are relative to it."""
    async with serving(create_inbox(store)) as base, aiohttp.ClientSession(base) as session:
        yield session
