"""A workspace for tests: a store whose clock stands still, served over HTTP to the real SDK."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any

from infra.local.logs.server import Faults, create_app
from infra.local.logs.store import TelemetryStore
from shared.adapters.logs import Logs
from tests.infra.local.foundry.serving import served

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
serve = served


@contextmanager
def make_store(now: datetime = NOW) -> Iterator[TelemetryStore]:
    store = TelemetryStore(now=lambda: now)
    try:
        yield store
    finally:
        store.close()


@asynccontextmanager
async def ask(
    store: TelemetryStore, faults: Faults | None = None, **settings: Any
) -> AsyncIterator[Logs]:
    """Serve a store and give the adapter that asks it; no lag and one-minute bins by default."""
    chosen = {"lag_s": 0.0, "bin_s": 60.0} | settings
    async with serve(create_app(store, faults)) as address:
        logs = Logs("workspace", endpoint=address, **chosen)
        try:
            yield logs
        finally:
            await logs.close()
