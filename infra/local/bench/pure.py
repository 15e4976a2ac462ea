"""How fast the pure functions are, a call after the other in this process; without targets."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from infra.local.bench.figure import Figure, NotMeasured, Result, Run, median
from infra.local.bench.sample import Sample, make_sample
from shared.domain.alerts.alert import parse_alert
from shared.domain.decisions.decide import decide
from shared.domain.decisions.decision import Verdict
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.ledger.chain import append
from shared.domain.ledger.record import partition_of
from shared.domain.ledger.verification import verify

EVENTS = 48  # what one transaction takes
ROUNDS = 5


def measure(run: Run) -> Result:
    """Measure each. Raises NotMeasured where the worked example does not end in a rollback."""
    run.say("playing a breach")
    sample = make_sample(run.folder)
    case = sample.case()
    if decide(case).verdict is not Verdict.ROLL_BACK:
        raise NotMeasured(f"the example is not rolled back: {decide(case).reason}")
    return Result(
        title="Pure functions",
        figures=(
            _speed(run, "parse_alert", lambda: parse_alert(sample.body, sample.now)),
            _speed(run, "diagnose, from answers to a verdict", sample.diagnose),
            _speed(run, "decide, all rules", lambda: decide(case)),
            *_ledger(run, sample),
        ),
    )


def _ledger(run: Run, sample: Sample) -> list[Figure]:
    events = [_event(sample, number) for number in range(EVENTS)]
    partition = partition_of(events[0])
    head, rows = append(None, events, partition)
    return [
        _speed(run, "ledger: events appended", lambda: append(None, events, partition), EVENTS),
        _speed(run, "ledger: events verified", lambda: verify(rows, head), EVENTS),
    ]


def _event(sample: Sample, number: int) -> ChangeEvent:
    at = datetime.now(UTC) + timedelta(milliseconds=number)
    return ChangeEvent(
        id=f"{sample.incident.id}-{number:04d}",
        kind=EventKind.DIAGNOSED,
        service=sample.service.name,
        incident=sample.incident.id,
        sequence=number,
        actor="backstop",
        what="swedencentral fails since v2 took traffic",
        why="breached; cause: version",
        happened_at=at,
        recorded_at=at,
        evidence={"requests": 2700, "bad_requests": 56, "unanswered": []},
    )


def _speed(run: Run, name: str, call: Callable[[], object], each: int = 1) -> Figure:
    """Calls a second, the median of some rounds of a fixed time each."""
    run.say(name)
    per_s = median([_round(call, run.count(500, 20) / 1000) for _ in range(ROUNDS)])
    return Figure(name=name, value=per_s * each, unit="/s")


def _round(call: Callable[[], object], lasting_s: float) -> float:
    calls, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < lasting_s:
        call()
        calls += 1
    return calls / took
