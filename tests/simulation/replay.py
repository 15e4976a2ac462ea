"""`python -m tests.simulation.replay SEED`: play one run again and show it as a timeline.

A run that breaks a promise is shown in the shortest schedule that still breaks it, unless `--whole`
is given. `act:SEED` is a run of the write protocol alone.
"""

import argparse
import sys

from rich.console import Console
from rich.markup import escape

from tests.simulation.shrink import Shrinker
from tests.simulation.spine import Run, play
from tests.simulation.timeline import Line, ending, heading, lines
from tests.simulation.writing.replay import PREFIX
from tests.simulation.writing.replay import replay as replay_writing

STYLES = {"fault": "bold red", "breach": "bold white on red", "": ""}


def main() -> int:
    """Show what the command line names; 1 where a promise broke."""
    arguments = _arguments()
    console = Console(highlight=False, soft_wrap=True)
    if arguments.seed.startswith(PREFIX):
        console.print("\n".join(map(escape, replay_writing(arguments.seed))))
        return 0
    run = _run(int(arguments.seed), whole=arguments.whole)
    console.print(f"[bold]{escape(heading(run))}[/]")
    for line in lines(run, every_turn=arguments.all):
        show(console, line)
    console.print(f"[bold]{escape(ending(run))}[/]")
    return 1 if run.broken else 0


def show(console: Console, line: Line) -> None:
    """Print one line."""
    style = STYLES[line.kind]
    text = escape(f"{line.at:7.1f} s  {line.worker:<12} {line.call:<16} {line.what}")
    console.print(f"[{style}]{text}[/]" if style else text)


def _run(seed: int, *, whole: bool) -> Run:
    run = play(seed)
    if run.broken and not whole:
        run = Shrinker(run).shrink()
    return play(seed, run.faults, run.scene, run.choices, notes=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make replay", description=__doc__)
    parser.add_argument("seed", help="a number, or act:NUMBER for the write protocol alone")
    parser.add_argument("--all", action="store_true", help="every turn, not only what changed")
    parser.add_argument("--whole", action="store_true", help="a broken run as it was, not shrunk")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
