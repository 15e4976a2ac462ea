"""Each trouble that the simulated services can play is told by a rule that ships.

The services' behaviour decides what happens to each request, as when customers call.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from infra.local.foundry import telemetry
from infra.local.foundry.behaviour import (
    HEALTHY,
    Behaviour,
    Troubles,
    disliked,
    happen,
    overcautious,
    overflowing,
    slowed,
    tool_broken,
)
from infra.local.foundry.resources import Deployment
from infra.local.foundry.seed import BAD_REGION, SERVICE, seed
from infra.local.foundry.world import World
from infra.local.issuer.issuer import Issuer
from infra.local.logs.store import TelemetryStore
from infra.local.simulation.action_group import ActionGroups
from infra.local.simulation.fired import AlertsManagement
from infra.local.simulation.rules import Rules
from shared.adapters.catalog import load_catalog

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
REGIONS = {"westeurope": 0.4, "northeurope": 0.25, "francecentral": 0.2, BAD_REGION: 0.15}
REQUESTS = 700
SECONDS = 24.0  # within the short window, at this pace
PACE = 12.0
LOOKS = 5  # after so many every rule has looked


@pytest.fixture
def store() -> Iterator[TelemetryStore]:
    made = TelemetryStore(now=lambda: NOW)
    yield made
    made.close()


def fired(
    store: TelemetryStore, behaviour: Behaviour = HEALTHY, troubles: Troubles | None = None
) -> set[str]:
    """Which rules fire after some seconds of traffic, without the service's name."""
    rng, world = Random(5), World()  # noqa: S311 - seeded
    deployment = seed(world, fuse_s=60.0).deployments["v1"]
    for number in range(REQUESTS):
        at = NOW.timestamp() - SECONDS * number / REQUESTS
        _serve(store, deployment, behaviour, troubles or Troubles(), at, rng)
    groups = ActionGroups("http://127.0.0.1:1", Issuer("http://127.0.0.1:1"), AlertsManagement())
    catalog = load_catalog(Path("shared/catalog"))
    rules = Rules(store, [catalog.services[SERVICE]], pace=PACE, groups=groups)
    return {
        alert.rule.removeprefix(f"{SERVICE}-") for _ in range(LOOKS) for alert, _ in rules.look()
    }


def _serve(
    store: TelemetryStore,
    deployment: Deployment,
    behaviour: Behaviour,
    troubles: Troubles,
    at: float,
    rng: Random,
) -> None:
    region = rng.choices(list(REGIONS), list(REGIONS.values()))[0]
    served = telemetry.served_by(
        deployment,
        at=at,
        service=SERVICE,
        region=region,
        operation_id=f"{rng.getrandbits(64):x}",
        probe=False,
        behaviour=behaviour,
        happening=happen(behaviour, region, troubles, rng),
    )
    for table, row in telemetry.answer_rows(served):
        store.append(table, [row])


def test_a_healthy_service_wakes_nobody(store: TelemetryStore) -> None:
    assert fired(store) == set()


@pytest.mark.parametrize(
    ("behaviour", "rule"),
    [
        (overflowing(BAD_REGION), "availability-part-14.4x-1h"),
        (slowed(4000.0), "latency-burn-14.4x-1h"),
        (tool_broken("coverage_check"), "tool-failures"),
        (overcautious(), "content-safety"),
        (disliked(), "outcomes-floor"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_version_that_behaves_badly_fires(
    store: TelemetryStore, behaviour: Behaviour, rule: str
) -> None:
    assert rule in fired(store, behaviour)


@pytest.mark.parametrize(
    ("troubles", "rule"),
    [
        (Troubles(regions_out={BAD_REGION}), "availability-burn-14.4x-1h"),
        (Troubles(upstream_429={"*": 0.5}), "availability-burn-14.4x-1h"),
        (Troubles(tools_out={"policy_lookup"}), "tool-failures"),
        (Troubles(index_stopped_at=NOW.timestamp() - 7200), "outcomes-floor"),
    ],
    ids=["region out", "models throttled", "tool out", "index stopped"],
)
def test_a_trouble_of_the_world_fires(store: TelemetryStore, troubles: Troubles, rule: str) -> None:
    assert rule in fired(store, troubles=troubles)
