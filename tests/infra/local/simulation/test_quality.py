"""Whether enough of the simulated services' answers are labelled: asked as it is in Azure.

Customers call for two minutes, which half an hour of a rule's window is at this pace. Those answers
that the business has judged are mostly rejected.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.local.foundry import telemetry
from infra.local.foundry.answers import Processes
from infra.local.foundry.behaviour import HEALTHY, Happening
from infra.local.foundry.seed import BAD_REGION, SERVICE, seed
from infra.local.foundry.world import World
from infra.local.issuer.issuer import Issuer
from infra.local.logs.store import TelemetryStore
from infra.local.simulation.action_group import ActionGroups
from infra.local.simulation.fired import AlertsManagement
from infra.local.simulation.rules import Rules
from shared.adapters.catalog import load_catalog
from shared.adapters.queries import render
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.domain.slos.balance import Balance, Status, read_balances
from shared.domain.slos.burn_query import budget_query

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
PLAYED = load_catalog(Path("shared/catalog")).services[SERVICE]
REGIONS = ("westeurope", BAD_REGION)
PACE, EVERY_S = 12.0, 5.0  # a minute of the rules
RATE_PER_S, SECONDS = 5, 120
LOOKS = 5  # after so many every rule has looked
RULE, SLO = "fnol-summary-outcomes-burn-6x-6h", "fnol-summary-outcomes"


@pytest.fixture
def store() -> Iterator[TelemetryStore]:
    made = TelemetryStore(now=lambda: NOW)
    yield made
    made.close()


def serve(store: TelemetryStore, labelled: float) -> None:
    """Two minutes of good answers of which a share is judged, all but a few rejected."""
    deployment = seed(World(), fuse_s=60.0).deployments["v1"]
    processes, count = Processes(EVERY_S), RATE_PER_S * SECONDS
    for number in range(count):
        judged = round((number + 1) * labelled) - round(number * labelled)
        outcome = "rejected" if number % 10 else "accepted"
        served = telemetry.served_by(
            deployment,
            at=NOW.timestamp() - (count - number) / RATE_PER_S,
            service=SERVICE,
            region=REGIONS[number % len(REGIONS)],
            operation_id=str(number),
            probe=False,
            behaviour=HEALTHY,
            happening=Happening(status=200, latency_ms=9.0, outcome=outcome * judged),
        )
        for table, row in [*telemetry.answer_rows(served), *processes.count(served)]:
            store.append(table, [row])


def fired(store: TelemetryStore) -> set[str]:
    groups = ActionGroups("http://127.0.0.1:1", Issuer("http://127.0.0.1:1"), AlertsManagement())
    rules = Rules(store, [PLAYED], pace=PACE, groups=groups)
    return {alert.rule for _ in range(LOOKS) for alert, _ in rules.look()}


def balance(store: TelemetryStore) -> Balance:
    """What the budgets say of the objective."""
    query = budget_query([PLAYED])
    found = store.query(render(query, Lag=timedelta(0), Bin=timedelta(seconds=1)))
    rows = tuple(dict(zip(query.columns, row, strict=True)) for row in found.rows)
    answer = QueryAnswer(name=query.name, status=AnswerStatus.COMPLETE, rows=rows)
    return read_balances([PLAYED], answer)[SERVICE, SLO]


def test_too_few_labels_are_insufficient_and_fire_nothing_that_burns(store: TelemetryStore) -> None:
    serve(store, labelled=0.15)

    assert RULE not in fired(store)
    assert balance(store).status is Status.INSUFFICIENT
    assert balance(store).count.total == 90, "more than the least number that the rule asks for"


def test_enough_labels_count_and_fire(store: TelemetryStore) -> None:
    serve(store, labelled=0.25)

    assert RULE in fired(store)
    assert balance(store).status is Status.SPENT


def test_few_rows_tell_how_many_were_answered(store: TelemetryStore) -> None:
    serve(store, labelled=0.0)

    tells = 'AppEvents | where Name == "backstop.answered"'
    told = f'{tells} | summarize count(), sum(tolong(Properties["backstop.answered"]))'
    ((rows, answers),) = store.query(told).rows
    assert rows == len(REGIONS) * (SECONDS / EVERY_S - 1)
    assert answers == pytest.approx(RATE_PER_S * SECONDS, rel=0.05), "but for the last seconds'"
