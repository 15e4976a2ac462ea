"""How many schedules the simulator plays: the whole spine, and the write protocol alone.

One process, one core. What a schedule is and what it must keep: docs/reliability.md.
"""

import time
from collections.abc import Callable

from infra.local.bench.figure import Figure, NotMeasured, Result, Run

FIRST_SEED = 100_000  # others than `make test` plays


def measure(run: Run) -> Result:
    """Measure both. Raises NotMeasured where a schedule breaks a promise."""
    from tests.simulation.spine import play
    from tests.simulation.writing.replay import run_seed

    spine = _figure(run, "the whole spine, alert to card", play, run.count(300, 10))
    writing = _figure(run, "the write protocol alone", run_seed, run.count(5_000, 200))
    return Result(title="Simulator", figures=(spine, writing))


def _figure(run: Run, name: str, play: Callable[[int], object], count: int) -> Figure:
    play(FIRST_SEED)  # imports, and what is made once
    run.say(f"{name}: {count} schedules")
    began, used = time.perf_counter(), time.process_time()
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        broken = getattr(play(seed), "broken", "")
        if broken:
            raise NotMeasured(f"{name}, seed {seed}: {broken}")
    wall, cpu = time.perf_counter() - began, time.process_time() - used
    return Figure(
        name=f"schedules of {name}",
        value=count / wall,
        unit="/s",
        note=f"{count:,} schedules, {1000 * cpu / count:.1f} ms of one core each",
    )
