"""A storm: very many deliveries of few troubles, nine in ten repeats, in no order.

Counted is what must not depend on luck: one incident a target, at most one intended change an
endpoint, and nothing lost, which means that every accepted alert came to an end and every event of
every incident is in the ledger, whose chains are whole.
"""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec

from infra.local.bench.alerts import alert
from infra.local.bench.cast import CastWorld, bench_world, service_name
from infra.local.bench.driving import Driver, open_driver
from infra.local.bench.figure import Figure, NotMeasured, Result, Run
from infra.local.bench.hammer import Load, post_all
from infra.local.bench.memory import peak_mb
from infra.local.bench.stock import Stock, open_stock
from infra.local.bench.trust import trust_v1
from infra.local.world import Pace

REPEATS = 10
TICK = "*/10 * * * * *"
PACE = Pace(verify_after_s=3600, tick=TICK)
QUICK_PACE = Pace(verify_after_s=3600, tick=TICK, lease_s=3.0, operation_s=0.3)
LIMIT_S = 400.0


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How large the storm is: `alerts` distinct ones, spread over services and their targets."""

    services: int
    parts: int
    alerts: int

    @property
    def troubles(self) -> int:
        """How many correlation keys there are, each of another target: so many incidents."""
        return self.services * self.parts

    @property
    def deliveries(self) -> int:
        """How many POSTs there are."""
        return self.alerts * REPEATS


class Aftermath(msgspec.Struct, frozen=True, kw_only=True):
    """What is there when it is calm again."""

    load: Load
    drained_s: float
    stock: Stock
    intended: Counter[str]
    peak_mb: dict[str, float]


FULL = Size(services=10, parts=5, alerts=1000)
QUICK = Size(services=2, parts=2, alerts=20)


def measure(run: Run) -> Result:
    """Let the storm pass. Raises NotMeasured where it never becomes calm."""
    size, pace = (QUICK, QUICK_PACE) if run.quick else (FULL, PACE)
    with bench_world(run.folder, services=size.services, parts=size.parts, pace=pace) as world:
        after = asyncio.run(_pass(run, world, size))
    return Result(
        title="Storm",
        figures=tuple(_figures(size, after)),
        details={
            "answers": after.load.answers,
            "intended": dict(after.intended),
            "states": after.stock.states,
            "outcomes": after.stock.outcomes,
        },
    )


async def _pass(run: Run, world: CastWorld, size: Size) -> Aftermath:
    await trust_v1(world, size.services)
    async with open_driver(world) as driver:
        for number in range(size.services):
            await driver.control("POST", f"/break/{service_name(number)}")
        run.say(f"{size.deliveries} deliveries")
        load = await post_all(world.addresses, _deliveries(size))
        acked_at = time.monotonic()
        stock = await _calm(run, world, size)
        return Aftermath(
            load=load,
            drained_s=time.monotonic() - acked_at,
            stock=stock,
            intended=await _intended(driver),
            peak_mb={
                "responder": peak_mb(world.responder.pid),
                "executor": peak_mb(world.executor.pid),
            },
        )


def _deliveries(size: Size) -> list[bytes]:
    """Every alert ten times, in an order that has nothing to do with when it fired."""
    start = datetime.now(UTC) - timedelta(minutes=2)
    distinct = [
        alert(
            f"storm-{number}",
            number % size.services,
            slice_="swedencentral",
            part=number // size.services % size.parts,
            fired_at=start + timedelta(milliseconds=10 * number),
        )
        for number in range(size.alerts)
    ]
    deliveries = distinct * REPEATS
    Random(1).shuffle(deliveries)
    return deliveries


async def _calm(run: Run, world: CastWorld, size: Size) -> Stock:
    """Wait until nothing is unfinished and the ledger has what was told."""
    deadline = time.monotonic() + LIMIT_S
    async with open_stock(world.addresses.table_account) as look:
        while time.monotonic() < deadline:
            stock = await look()
            run.say(f"{stock.settled} of {size.alerts} alerts settled, {stock.states}")
            if stock.settled == size.alerts and stock.is_calm:
                return stock
            await asyncio.sleep(run.count(5, 1))  # Azurite reads whole tables for a look
    raise NotMeasured(f"not calm after {LIMIT_S:.0f} s: {stock}")


async def _intended(driver: Driver) -> Counter[str]:
    seen: dict[str, Any] = await driver.control("GET", "/seen")
    return Counter(seen["intended"])


def _figures(size: Size, after: Aftermath) -> list[Figure]:
    stock, load = after.stock, after.load
    refused = size.deliveries - sum(load.answers.get(f"202 {w}", 0) for w in WORDS)
    most = max(after.intended.values(), default=0)
    return [
        Figure(
            name=f"incidents too many or too few, of {size.troubles} troubles",
            value=abs(stock.incidents - size.troubles),
            at_most=0,
            note=f"{stock.incidents} incidents from {size.deliveries} deliveries",
        ),
        Figure(
            name="intended changes of the most changed endpoint",
            value=most,
            at_most=1,
            note=f"{after.intended.total()} changes on {size.services} endpoints",
        ),
        Figure(name="deliveries that were not acknowledged", value=refused, at_most=0),
        Figure(
            name="accepted alerts that came to no end",
            value=size.alerts - stock.settled,
            at_most=0,
        ),
        Figure(
            name="events that the ledger lacks",
            value=stock.told - stock.recorded,
            at_most=0,
            note=f"{stock.recorded} records",
        ),
        Figure(name="ledger chains that are not whole", value=stock.broken, at_most=0),
        Figure(name="deliveries", value=load.per_s, unit="/s", note=f"p99 {load.ms(0.99):.0f} ms"),
        Figure(name="last acknowledgement to calm", value=after.drained_s, unit="s"),
        *(
            Figure(name=f"peak memory of the {name}", value=peak, unit="MB")
            for name, peak in after.peak_mb.items()
        ),
    ]


WORDS = ("accepted", "duplicate")
