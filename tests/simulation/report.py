"""What a failed run says: which promise broke, the seed, and the shortest schedule for it."""

from tests.simulation.faults import Faults
from tests.simulation.shrink import Shrinker, deviations
from tests.simulation.spine import Run


def explain(run: Run) -> str:
    """One line that a newcomer understands, and how to see the run."""
    shortest = Shrinker(run).shrink()
    return (
        f"{shortest.broken}\n"
        f"seed {run.seed}, scene: {run.scene.name}; shortest schedule: {in_words(shortest.faults)},"
        f" {deviations(shortest)} deviation(s) from the order of arrival, {shortest.turns} turns.\n"
        f"See it: make replay SEED={run.seed}"
    )


def in_words(faults: Faults) -> str:
    """The faults of a run, for people."""
    words = [
        *(f"a worker dies at turn {turn}" for turn in faults.kills),
        *(f"a worker stops at turn {turn} for {seconds:.0f} s" for turn, seconds in faults.stops),
        *(f"{part} is out from {a:.0f} to {b:.0f} s" for part, a, b in faults.outages),
        *(f"an answer is lost after turn {turn}" for turn in faults.lost_answers),
        *(f"a pipeline deploys at turn {deploy.turn}" for deploy in faults.deploys),
        *(f"write {n + 1} is {fate}" for n, fate in enumerate(faults.fates) if fate != "accepted"),
    ]
    if faults.switch is not None:
        words.append(f"the kill switch is turned on at turn {faults.switch}")
    if faults.freeze is not None:
        words.append(f"all changes are frozen at turn {faults.freeze}")
    return "; ".join(words) or "no faults"
