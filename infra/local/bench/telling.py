"""What the simulated services of a bench tell: a healthy past, and a version that breaks.

The rows are those that the scoring route writes for an answer. Unlike the demo's they are written
at once and for the minutes before, because a bench measures what follows an alert, not the breach.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from infra.local.bench.cast import REGIONS
from infra.local.foundry import telemetry
from infra.local.foundry.behaviour import HEALTHY, Behaviour, Troubles, happen, overflowing
from infra.local.foundry.resources import Deployment, moment
from infra.local.foundry.seed import BAD_REGION
from infra.local.foundry.world import World
from infra.local.logs.history import History, seed_history
from infra.local.logs.store import TelemetryStore
from infra.local.tenants import tenant_of

RATE_PER_S = 10
WELL_S, SERVES_S, BROKEN_S = 270, 90, 45  # before now: customers came, v2 took over, v2 broke


def tell_past(store: TelemetryStore, service: str) -> None:
    """Write a day of calls and five weeks of outcomes, all well."""
    history = History(
        service=service,
        until=datetime.now(UTC) - timedelta(seconds=WELL_S + 10),
        days=1,
        outcomes_per_hour=2.0,
    )
    seed_history(store, history)


def tell_breach(store: TelemetryStore, world: World, service: str) -> None:
    """Write the last minutes: v1 serves well, v2 takes over, and fails in one region."""
    random = Random(service)
    rows: dict[str, list[telemetry.Row]] = {}
    for at, deployment, behaviour in _calls(world, service):
        region = random.choice(REGIONS)
        served = telemetry.served_by(
            deployment,
            at=at,
            service=service,
            region=region,
            tenant=tenant_of(region, round(at * RATE_PER_S)),
            operation_id=f"{random.getrandbits(128):032x}",
            probe=False,
            behaviour=behaviour,
            happening=happen(behaviour, region, Troubles(), random),
        )
        for table, row in telemetry.answer_rows(served):
            rows.setdefault(table, []).append(row)
    for table, told in rows.items():
        store.append(table, told)
    now = world.clock()
    fresh = telemetry.watermark_row(service, world.index, moment(now - 5), now - 2)
    store.append("AppEvents", [fresh])
    store.flush()


def _calls(world: World, service: str) -> Iterator[tuple[float, Deployment, Behaviour]]:
    """Who served when, and how, oldest first."""
    now, versions = world.clock(), world.endpoint(service).deployments
    for number in range(WELL_S * RATE_PER_S):
        before = WELL_S - number / RATE_PER_S
        deployment = versions["v1" if before > SERVES_S else "v2"]
        behaviour = overflowing(BAD_REGION) if before <= BROKEN_S else HEALTHY
        yield now - before, deployment, behaviour
