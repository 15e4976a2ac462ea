"""A world with its two servers on free ports, in the test's own event loop."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from infra.local.foundry.arm import create_arm
from infra.local.foundry.behaviour import Behaviour
from infra.local.foundry.scoring import create_scoring
from infra.local.foundry.world import World


class HandClock:
    """Epoch seconds that move only when told."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve on a free port of 127.0.0.1 until the block ends; yields the URL."""
    # Made with its protocol: asyncio switches Nagle off only where it sees that it is TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="off", date_header=False)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # Without `serve` and `shutdown`: each would rest for 0.1 s, though the test is over.
    await server.startup(sockets=[listener])
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        for one in server.servers:
            one.close()
            one.close_clients()
            await one.wait_closed()
        listener.close()


@asynccontextmanager
async def arm_served(world: World) -> AsyncIterator[str]:
    async with served(create_arm(world)) as url:
        yield url


@asynccontextmanager
async def scoring_served(world: World) -> AsyncIterator[str]:
    async with served(create_scoring(world)) as url:
        world.scoring_url = url
        yield url


QUICK = Behaviour(latency_ms=1.0, error_rate={}, safety_block_rate=0.0)
