"""Serve an ASGI app on a free port of 127.0.0.1 for as long as a test needs it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """The base URL.

    Only uvicorn's protocol is used: its server installs signal handlers and needs 200 ms to stop.
    """
    config = uvicorn.Config(app, lifespan="off", ws="none", log_level="warning")
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: H11Protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()
