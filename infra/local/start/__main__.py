"""`python -m infra.local.start`: the whole local world, until Ctrl-C or SIGTERM.

Tables and the inbox are kept in `.local/start` between runs; the simulated services begin anew.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import aiohttp

from infra.local.demo.screen import Screen
from infra.local.issuer.wallet import signing
from infra.local.played import CATALOG, SECOND
from infra.local.processes import ChildFailed
from infra.local.start.addresses import choose_addresses, tell_addresses
from infra.local.start.bulletin import Bulletin
from infra.local.start.drills import Drills, create_drills
from infra.local.start.serving import serving
from infra.local.start.watching import Watch
from infra.local.world import LOCAL, Addresses, Pace, World, running_world

FOLDER = LOCAL / "start"
PACE = Pace(
    soak_s=20,
    verify_after_s=6,
    acknowledge_within_s=180,
    operation_s=3.0,
    fuse_s=10.0,
    health_every_s=20.0,
    readiness_every_s=30.0,
)
RATE_PER_S = 30.0  # so that a region that fails soon has the traffic that a decision asks for


def main(folder: Path = FOLDER, pace: Pace = PACE, catalog: Path = CATALOG) -> int:
    """Run until asked to stop; 1 where a part would not start."""
    screen = Screen()
    where, port = choose_addresses()
    drills = f"http://127.0.0.1:{port}"
    os.environ["BACKSTOP_DRILLS_URL"] = drills  # the responder inherits it, and links to it
    screen.fact("starting Azurite, the simulated services and both function apps")
    try:
        with running_world(
            folder,
            pace=pace,
            addresses=where,
            tables=folder / "tables",
            catalog=catalog,
            asks=True,
            rate_per_s=RATE_PER_S,
        ) as world:
            asyncio.run(_run(world, port, tell_addresses(where, drills), screen))
    except ChildFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before there was a loop to take the signal
        return 0
    screen.fact("stopped; tables and inbox are kept")
    return 0


async def _run(world: World, port: int, told: dict[str, str], screen: Screen) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    where: Addresses = world.addresses
    timeout, signed = aiohttp.ClientTimeout(total=10), signing(where.api, where.issuer)
    async with aiohttp.ClientSession(timeout=timeout, middlewares=[signed]) as session:
        drills = Drills(where, world.executor, session, world.further)
        async with serving(create_drills(drills), port):
            await drills.start_load()
            bulletin = Bulletin(world.folder.with_suffix(".json"), told)
            await bulletin.write()
            _tell(screen, told, world)
            await _until(stop, Watch(where, drills, session, screen).run(), bulletin.keep())
    screen.still()
    screen.fact("stopping")


async def _until(stop: asyncio.Event, *works: Coroutine[Any, Any, None]) -> None:
    """Work until asked to stop, or until a work ends, which none should."""
    tasks = [asyncio.create_task(work) for work in works]
    await asyncio.wait(
        {*tasks, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED
    )
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _tell(screen: Screen, told: dict[str, str], world: World) -> None:
    screen.fact(f"console   {told['api']}/   sign in as whom you like", "bold")
    screen.fact(f"inbox     {told['inbox']}/")
    screen.fact(f"drills    {told['drills']}/   ship v2 there, and watch the console")
    screen.fact(f"endpoint  {told['endpoint']}")
    for name in world.further:
        screen.fact(f"{name} is served, too: break it on the drills page")
    screen.fact(f"{SECOND.stem} waits for a person: sign in as an approver, and decide on its page")
    screen.fact(f"v1 soaks for {world.pace.soak_s} s here, 24 h in production; Ctrl-C ends it all")


if __name__ == "__main__":
    sys.exit(main())
