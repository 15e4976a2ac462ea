"""A run as a timeline: when, who, which call, and what changed by it; faults and deaths marked."""

from collections.abc import Iterator

import msgspec

from tests.simulation.promises import Promise
from tests.simulation.report import in_words
from tests.simulation.scheduler import Turn
from tests.simulation.shrink import deviations
from tests.simulation.spine import Run

FAULTS = ("killed", "stops for", "is out", "is lost", "deploys", "kill switch on")
REFEREE = "referee"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line: `kind` is "fault", "breach" or "" for the ordinary."""

    at: float
    worker: str
    call: str
    what: str
    kind: str


def heading(run: Run) -> str:
    """What was played."""
    return f"seed {run.seed}, scene: {run.scene.name}; faults: {in_words(run.faults)}"


def ending(run: Run) -> str:
    """How it ended."""
    length = f"{run.turns} turns, {run.seconds:.0f} simulated seconds, {deviations(run)} deviations"
    return f"BROKEN: {run.broken} ({length})" if run.broken else _kept(run, length)


def _kept(run: Run, length: str) -> str:
    return f"all {len(Promise)} promises kept; the incident is {run.state} ({length})"


def lines(run: Run, *, every_turn: bool = False) -> Iterator[Line]:
    """The turns by which something changed, or all of them."""
    call = Turn(0.0, "", "")
    for turn in run.trace:
        if turn.call and not turn.mark:
            call = turn
            if every_turn:
                yield _line(turn, turn)
        elif turn.mark:
            yield _line(turn, call if not turn.worker else turn)


def _line(turn: Turn, by: Turn) -> Line:
    kind = "fault" if any(word in turn.mark for word in FAULTS) and turn.worker else ""
    return Line(
        at=turn.at,
        worker=by.worker,
        call=by.call,
        what=turn.mark,
        kind="breach" if turn.worker == REFEREE else kind,
    )
