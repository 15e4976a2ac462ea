"""What the alert rules of one service are: how many, how many time series, and one look of all.

The demo service's rules over a day of healthy traffic, on one core of the local engine. In Azure
each looks at its own pace, and the service's speed is another; what is charged there is counted.
"""

import time
from datetime import UTC, datetime
from functools import partial

from infra.local.bench.figure import Figure, Result, Run, median
from infra.local.foundry.seed import SERVICE
from infra.local.logs.history import History, seed_history
from infra.local.logs.store import TelemetryStore
from infra.local.simulation.evaluation import read
from infra.local.world import ROOT
from shared.adapters.catalog import load_catalog
from shared.domain.detection.rule import AlertRule
from shared.domain.detection.rules import rules_of


def measure(run: Run) -> Result:
    """Count the rules and time their looks."""
    rules = rules_of(load_catalog(ROOT / "shared" / "catalog").services[SERVICE])
    looks, rows = _look(run, rules)
    quick = sum(rule.frequency_min == 1 for rule in rules)
    return Result(
        title="Alert rules of one service",
        figures=(
            Figure(name="rules", value=len(rules), note=f"{quick} of them look every minute"),
            Figure(name="time series", value=sum(rule.time_series for rule in rules)),
            Figure(
                name="one look of all of them, p50",
                value=median([sum(look.values()) for look in looks]),
                unit="ms",
                note=f"of one core, over a day of {rows:,} rows; their translation is kept",
            ),
        ),
        details={"looks": looks},
    )


def _look(run: Run, rules: tuple[AlertRule, ...]) -> tuple[list[dict[str, float]], int]:
    """The milliseconds of each rule at every look after the first, and the rows that there are."""
    store = TelemetryStore()
    hourly = float(run.count(600, 20))
    history = History(service=SERVICE, until=datetime.now(UTC), days=1, requests_per_hour=hourly)
    run.say("a day of telemetry")
    rows = seed_history(store, history)
    run.say(f"{len(rules)} rules")
    took = [
        {rule.name: _timed(partial(_evaluate, store, rule)) for rule in rules}
        for _ in range(run.count(20, 2) + 1)
    ]
    store.close()
    return took[1:], rows


def _evaluate(store: TelemetryStore, rule: AlertRule) -> None:
    read(rule, store.query(rule.query))


def _timed(work: partial[None]) -> float:
    began = time.process_time()  # which other processes do not slow down
    work()
    return 1000 * (time.process_time() - began)
