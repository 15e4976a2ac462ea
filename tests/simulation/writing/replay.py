"""Replay: play a seed or a written schedule of the write protocol, and tell it turn by turn.

`run_seed` is what the tests play thousands of. `report` is the one line of a run that failed.
"""

from random import Random

from tests.simulation.writing.play import Run, by_chance, play
from tests.simulation.writing.schedule import Kind, chosen_schedule, parse_schedule
from tests.simulation.writing.shrink import shrink

PREFIX = "act:"


def run_seed(seed: int) -> Run:
    """The run of a seed: its faults and every choice come from it."""
    chance = Random(seed)  # noqa: S311 - the same seed must give the same run
    return play(chosen_schedule(chance), by_chance(chance))


def replay(seed: int | str) -> list[str]:
    """The lines that tell a run: of a seed, of "act:SEED", or of "act:SCHEDULE" as it is spelt.

    A run that breaks something is shrunk first. Raises ValueError or KeyError for what is neither.
    """
    text = str(seed).removeprefix(PREFIX)
    run = run_seed(int(text)) if text.isdigit() else play(parse_schedule(text))
    short = shrink(run) if run.broken else run
    return [_heading(text, run, short), *timeline(short), _ending(short)]


def report(run: Run, seed: int | None = None) -> str:
    """One line about a run that broke something, with the shortest schedule that does."""
    short = shrink(run)
    which = f"{PREFIX}{run.schedule.spell() if seed is None else seed}"
    faults = ", ".join(f"whose turn is {f.turn} {f.kind.value}" for f in short.schedule.faults)
    return (
        f"{run.broken}. make replay SEED={which}; shortest: {short.turns} turns of "
        f"{short.schedule.workers} workers, one {faults or 'after the other without a fault'}: "
        f"make replay SEED={PREFIX}{short.schedule.spell()}"
    )


def timeline(run: Run) -> list[str]:
    """A line for every turn: when, who, which call on which rows, and what befell it."""
    return [
        f"{at:8.1f} s  {who:10} {call.name:18} {_rows(call.rows)}{_fault(call.fault)}".rstrip()
        for at, who, call in run.trace
    ]


def _heading(name: str, run: Run, short: Run) -> str:
    size = f"{run.turns} turns of {run.schedule.workers} workers"
    cut = f", cut down to {short.turns}" if short is not run else ""
    return f"{PREFIX}{name}: {size}{cut}"


def _ending(run: Run) -> str:
    if run.broken:
        return f"broken: {run.broken}"
    return f"all held; the intent ended {' and '.join(run.ends)} after {run.seconds:.0f} s"


def _rows(rows: tuple[str, ...]) -> str:
    return " ".join(row.partition("|")[0] or row for row in rows)


def _fault(fault: object) -> str:
    return f"  <- {fault.value}" if isinstance(fault, Kind) else ""
