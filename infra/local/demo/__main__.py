"""`python -m infra.local.demo`: exits 0 only if both cures are real and the evidence proves it."""

import argparse
import asyncio
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from infra.local.demo import summary
from infra.local.demo.client import Client, Stuck
from infra.local.demo.screen import Screen
from infra.local.demo.seen import Seen
from infra.local.demo.story import Story
from infra.local.processes import ChildFailed
from infra.local.world import LOCAL, Pace, World, running_world

FOLDER = LOCAL / "demo"
PACE = Pace()


def main(pace: Pace = PACE) -> int:
    """Play both incidents; 0 where they were mitigated and proven, else 1."""
    arguments = _arguments()
    folder = arguments.folder
    shutil.rmtree(folder, ignore_errors=True)
    screen, began = Screen(), datetime.now(UTC)
    screen.fact(
        "a bad version takes traffic, Backstop takes it back; then a person is asked", "bold"
    )
    screen.fact("starting Azurite, the simulated services and both function apps")
    try:
        with running_world(
            folder,
            pace=pace,
            equally_bad=arguments.equally_bad,
            block_writes=arguments.block_writes,
            second=True,
        ) as world:
            screen.fact(f"ready; telemetry comes {pace.log_lag_s:g} s late here, minutes in Azure")
            return _close(screen, asyncio.run(_play(world, screen, began)), world)
    except ChildFailed as failure:
        screen.still()
        print(failure, file=sys.stderr)
        return 1


async def _play(world: World, screen: Screen, began: datetime) -> Seen:
    async with Client(world.addresses, screen) as client:
        story = Story(world, client, screen, began)
        try:
            return await story.play()
        except Stuck as stuck:
            screen.still()
            screen.fact(f"{stuck}; the logs are in {world.folder / 'logs'}", "red")
            return story.seen


def _close(screen: Screen, seen: Seen, world: World) -> int:
    figures = summary.summarise(seen, world.pace)
    summary.write(figures, world.folder / "summary.json")
    good = summary.succeeded(figures)
    title = f"{seen.incident or 'no incident'}: {figures['outcome']}"
    screen.box(title, summary.rows(figures), good=good)
    screen.fact(f"figures in {world.folder}/summary.json; make start leaves such a world running")
    return 0 if good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description="Two incidents, six acts.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="emptied, then written to")
    parser.add_argument("--equally-bad", action="store_true", help="v1 fails as v2 does")
    parser.add_argument("--block-writes", action="store_true", help="ARM refuses the rollback")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
