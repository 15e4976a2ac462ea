"""How fast the pure functions are, a call after the other in this process; without targets."""

import time
from collections.abc import Callable

from infra.local.bench.figure import Figure, NotMeasured, Result, Run, median
from infra.local.bench.sample import make_sample
from shared.domain.alerts.alert import parse_alert
from shared.domain.decisions.decide import decide
from shared.domain.decisions.decision import Verdict

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
        ),
    )


def _speed(run: Run, name: str, call: Callable[[], object]) -> Figure:
    """Calls a second, the median of some rounds of a fixed time each."""
    run.say(name)
    per_s = median([_round(call, run.count(500, 20) / 1000) for _ in range(ROUNDS)])
    return Figure(name=name, value=per_s, unit="/s")


def _round(call: Callable[[], object], lasting_s: float) -> float:
    calls, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < lasting_s:
        call()
        calls += 1
    return calls / took
