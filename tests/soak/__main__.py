"""`python -m tests.soak`: play every battery many times, then kill processes in the local world.

Interrupt it whenever you like: what was found so far is shown and kept, and `--resume` goes on.
"""

import argparse
import sys
import time
from pathlib import Path

import msgspec
from rich.console import Console

from tests.soak import report
from tests.soak.batteries import ROOT, batteries, run
from tests.soak.kills import soak_kills
from tests.soak.report import Battery, Soak

TIMES = 100
KILLS = 200
SAY_EVERY_S = 30.0  # where nobody sees a line change
OUT = ROOT / ".local" / "soak.json"


def main() -> int:
    """Play what the command line names; 1 where something failed or was not finished."""
    arguments = _arguments()
    console = Console(highlight=False)
    if not arguments.resume:
        _forget(arguments.out)
    try:
        _play(arguments, console)
    except KeyboardInterrupt:
        console.print("interrupted; --resume goes on from here")
    soak = report.read_soak(arguments.out)
    report.show(soak, console)
    whole = all(one.complete and not one.failed for one in soak.batteries.values())
    return 0 if whole and not soak.kills.get("broken") else 1


def _play(arguments: argparse.Namespace, console: Console) -> None:
    for name, path in batteries().items():
        if not arguments.only or name in arguments.only:
            _battery(name, path, arguments, console)
    if arguments.kills and (not arguments.only or "kills" in arguments.only):
        folder = arguments.out.parent / "soak" / "world"
        told = soak_kills(folder, kills=arguments.kills, say=console.print)
        _keep(arguments.out, kills=told)


def _battery(name: str, path: Path, arguments: argparse.Namespace, console: Console) -> None:
    kept = arguments.out.parent / "soak" / f"{name}.jsonl"
    said = time.monotonic()
    with console.status(f"{name}: starting") as status:

        def say(so_far: Battery) -> None:
            nonlocal said
            status.update(_progress(so_far))
            _keep(arguments.out, so_far)
            if not console.is_terminal and time.monotonic() - said > SAY_EVERY_S:
                said = time.monotonic()
                console.print(_progress(so_far), markup=False)

        done = run(name, path, times=arguments.times, kept=kept, workers=arguments.workers, say=say)
    _keep(arguments.out, done)
    console.print(_progress(done), markup=False)


def _progress(so_far: Battery) -> str:
    tests = f"{so_far.passed + so_far.failed:,} of {so_far.wanted:,} tests"
    return f"{so_far.name}: {tests}, {so_far.failed} failed, {so_far.wall_s:.0f} s, {so_far.per_s}"


def _keep(
    out: Path, battery: Battery | None = None, kills: dict[str, object] | None = None
) -> None:
    soak: Soak = report.read_soak(out)
    if battery is not None:
        known = {**soak.batteries, battery.name: battery}
        soak = msgspec.structs.replace(soak, batteries=known)
    if kills is not None:
        soak = msgspec.structs.replace(soak, kills=kills)
    report.keep(out, soak)


def _forget(out: Path) -> None:
    out.unlink(missing_ok=True)
    for kept in (out.parent / "soak").glob("*.jsonl"):
        kept.unlink()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("only", nargs="*", help="batteries by name, and kills; without, all")
    parser.add_argument("--times", type=int, default=TIMES, help="of what `make test` plays")
    parser.add_argument("--kills", type=int, default=KILLS, help="how many processes to kill")
    parser.add_argument("--workers", type=int, default=2, help="processes that play")
    parser.add_argument("--resume", action="store_true", help="leave out what passed before")
    parser.add_argument("--out", type=Path, default=OUT, help="where it is kept")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
