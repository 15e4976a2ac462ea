"""A workspace for tests: a store whose clock stands still, served over HTTP to the real SDK."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette

from infra.local.logs.server import Faults, create_app
from infra.local.logs.store import TelemetryStore
from shared.adapters.logs import Logs

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)


@contextmanager
def make_store(now: datetime = NOW) -> Iterator[TelemetryStore]:
    store = TelemetryStore(now=lambda: now)
    try:
        yield store
    finally:
        store.close()


@asynccontextmanager
async def serve(app: Starlette) -> AsyncIterator[str]:
    """Serve an app and give its address."""
    # Without the protocol asyncio leaves Nagle's algorithm on, which costs 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # so that nobody is refused before the server is up
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        await serving
        listener.close()


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
