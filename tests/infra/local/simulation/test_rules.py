"""The shipped rules over telemetry as the simulated services tell it, and the alerts they make."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from infra.local.alerts import LogAlert
from infra.local.foundry import telemetry
from infra.local.foundry.behaviour import HEALTHY, Happening
from infra.local.foundry.seed import SERVICE, seed
from infra.local.foundry.world import World
from infra.local.issuer.issuer import Issuer
from infra.local.logs.store import TelemetryStore
from infra.local.simulation.action_group import ActionGroups
from infra.local.simulation.fired import AlertsManagement
from infra.local.simulation.rules import Rules
from shared.adapters.catalog import load_catalog
from shared.domain.alerts.alert import parse_alert
from shared.domain.noise.grouping import find_service

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
CATALOG = load_catalog(Path("shared/catalog"))
TARGET = CATALOG.services[SERVICE].targets[0].id
SECOND = timedelta(seconds=1)
PACE = 12.0  # so that five minutes of a rule are 25 seconds
LOOKS = 5  # after so many every rule has looked


@pytest.fixture
def store() -> Iterator[TelemetryStore]:
    made = TelemetryStore(now=lambda: NOW)
    yield made
    made.close()


@pytest.fixture
def rules(store: TelemetryStore) -> Rules:
    groups = ActionGroups("http://127.0.0.1:1", Issuer("http://127.0.0.1:1"), AlertsManagement())
    return Rules(store, [CATALOG.services[SERVICE]], pace=PACE, groups=groups)


def serve(
    store: TelemetryStore, region: str, *, good: int, bad: int = 0, ago: timedelta = 5 * SECOND
) -> None:
    """So many answers of v1."""
    deployment = seed(World(), fuse_s=60.0).deployments["v1"]
    refused = Happening(status=424, latency_ms=9.0, cause="context_length_exceeded")
    answered = Happening(status=200, latency_ms=9.0)
    for number in range(good + bad):
        served = telemetry.served_by(
            deployment,
            at=(NOW - ago).timestamp(),
            service=SERVICE,
            region=region,
            operation_id=f"{region}-{number}",
            probe=False,
            behaviour=HEALTHY,
            happening=refused if number < bad else answered,
        )
        for table, row in telemetry.answer_rows(served):
            store.append(table, [row])


def look(rules: Rules, times: int = LOOKS) -> list[LogAlert]:
    return [alert for _ in range(times) for alert, _ in rules.look()]


def test_a_region_that_fails_fires_the_rule_that_ships(store: TelemetryStore, rules: Rules) -> None:
    serve(store, "swedencentral", good=50, bad=20)
    serve(store, "westeurope", good=400)

    (alert,) = look(rules)

    assert alert.rule == "fnol-summary-availability-part-14.4x-1h"
    assert (alert.target, alert.severity) == (TARGET, "Sev1")
    assert alert.dimensions == {"Dimension": "region", "Value": "swedencentral"}
    assert alert.value == pytest.approx(100 * 20 / 70)


def test_a_healthy_service_fires_nothing(store: TelemetryStore, rules: Rules) -> None:
    for region in ("swedencentral", "westeurope"):
        serve(store, region, good=200)

    assert look(rules) == []


def test_windows_pass_as_much_faster_as_the_pace_says(store: TelemetryStore, rules: Rules) -> None:
    fast = "fnol-summary-availability-burn-14.4x-1h"
    serve(store, "swedencentral", good=0, bad=60, ago=26 * SECOND)  # 5 min 12 s to the rules
    assert fast not in [alert.rule for alert in look(rules)]

    serve(store, "swedencentral", good=0, bad=60, ago=24 * SECOND)
    assert fast in [alert.rule for alert in look(rules)]


def test_an_alert_ends_as_it_began(store: TelemetryStore, rules: Rules) -> None:
    serve(store, "swedencentral", good=50, bad=20)
    serve(store, "westeurope", good=400)
    (fired,) = look(rules)
    serve(store, "swedencentral", good=400)

    (ended,) = look(rules, 10)

    assert ended.resolved_at is not None
    assert (ended.number, ended.fired_at) == (fired.number, fired.fired_at)


def test_a_query_that_cannot_be_answered_keeps_no_other_from_looking(
    store: TelemetryStore, caplog: pytest.LogCaptureFixture
) -> None:
    service = CATALOG.services[SERVICE]
    first = service.slos[0]
    broken = msgspec.structs.replace(first.indicator, good="no_such_function(1)")
    slos = (msgspec.structs.replace(first, name="broken", indicator=broken), first)
    groups = ActionGroups("http://127.0.0.1:1", Issuer("http://127.0.0.1:1"), AlertsManagement())
    rules = Rules(store, [msgspec.structs.replace(service, slos=slos)], pace=PACE, groups=groups)
    serve(store, "swedencentral", good=0, bad=60)

    assert "fnol-summary-availability-burn-14.4x-1h" in [alert.rule for alert in look(rules)]
    assert "fnol-summary-broken-burn-14.4x-1h could not be evaluated" in caplog.text


def test_backstop_reads_the_alert_and_finds_the_service(
    store: TelemetryStore, rules: Rules
) -> None:
    serve(store, "swedencentral", good=0, bad=60)
    fired = next(one for one in look(rules) if "availability-burn-14.4x" in one.rule)

    alert = parse_alert(msgspec.json.encode(fired.body()), NOW)

    assert (alert.rule, alert.kind, alert.severity) == (fired.rule, "log", 1)
    assert alert.targets == (TARGET,)
    assert alert.service_hint == SERVICE
    called = "the availability budget burns 14.4 times too fast"
    assert alert.title == called
    assert alert.summary.startswith(f"{called}: the query's result is 100, at or above 14.4")
    owner = find_service(alert, CATALOG)
    assert owner is not None
    assert owner.name == SERVICE
