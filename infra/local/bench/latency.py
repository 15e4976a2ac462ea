"""How long from an accepted alert to the write at Azure Resource Manager, and where the time goes.

One incident after the other, each of another service whose v2 fails in one region: first told by
alerts, then by signals, of which the logs know nothing. Times come from the stamps of the timeline
and from a stopwatch around the simulated services, on one clock.
"""

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import msgspec

from infra.local.bench.alerts import alert, signal
from infra.local.bench.cast import CastWorld, service_name
from infra.local.bench.driving import Driver, open_driver
from infra.local.bench.figure import NotMeasured, Result, Run
from infra.local.bench.latency_figures import (
    PARTS,
    STEPS,
    Timing,
    fast_lane,
    firsts,
    notice,
    steps,
    totals,
)
from infra.local.bench.stopwatch import Span, busy_s
from infra.local.bench.trust import trust_v1
from infra.local.world import Pace

PACE = Pace(tick="0 * * * * *", verify_after_s=60)
TICKING = Pace(tick="*/10 * * * * *", verify_after_s=60)  # as it is set in production
QUICK_PACE = Pace(tick="0 * * * * *", verify_after_s=60, operation_s=0.3)
QUICK_TICKING = Pace(tick="*/2 * * * * *", verify_after_s=60, operation_s=0.3)
REGION = "swedencentral"


def measure(run: Run) -> Result:
    """Play the incidents. Raises NotMeasured where one of them moved no traffic."""
    count, pace = run.count(20, 1), QUICK_PACE if run.quick else PACE
    with run.open_world(run.folder, services=2 * count + 1, pace=pace) as world:
        (first, *timings), signalled = asyncio.run(_play(run, world, count))
    ticking = QUICK_TICKING if run.quick else TICKING
    with run.open_world(run.folder / "warm", services=1, pace=ticking) as world:
        warm = asyncio.run(_play_warm(run, world))
    return Result(
        title="Accepted alert to the write",
        figures=(
            *totals(timings),
            *fast_lane(timings, signalled),
            *steps(timings),
            *notice(timings),
            *firsts(first, warm),
        ),
        details={
            "incidents": [msgspec.to_builtins(one) for one in (first, warm, *timings)],
            "signals": [msgspec.to_builtins(one) for one in signalled],
        },
    )


async def _play(run: Run, world: CastWorld, count: int) -> tuple[list[Timing], list[Timing]]:
    """The incidents of alerts, of which the first one warms, and those of signals."""
    await trust_v1(world, world.services)
    first = world.services - (2 * count + 1)  # the last of the cast
    async with open_driver(world) as driver:
        told: list[Timing] = []
        for number in range(2 * count + 1):
            run.say(f"incident {number} of {2 * count}")
            told.append(await _incident(driver, first + number, by_signal=number > count))
        return told[: count + 1], told[count + 1 :]


async def _play_warm(run: Run, world: CastWorld) -> Timing:
    """The first incident of processes whose first tick came before it."""
    await trust_v1(world, 1)
    async with open_driver(world) as driver:
        run.say("the first tick of both processes")
        await driver.seen(lambda seen: any(span["part"] == "arm" for span in seen["spans"]))
        run.say("the first incident after it")
        return await _incident(driver, 0)


async def _incident(driver: Driver, number: int, *, by_signal: bool = False) -> Timing:
    name, now = service_name(number), datetime.now(UTC)
    if by_signal:  # the logs are told nothing
        body = signal(f"latency-{number}", number, slice_=REGION, ended_at=now)
        delivery = await driver.post_signal(body)
    else:
        await driver.control("POST", f"/break/{name}")
        body = alert(f"latency-{number}", number, slice_=REGION, fired_at=datetime.now(UTC))
        delivery = await driver.post_alert(body)
    accepted = await driver.delivery(delivery, lambda found: bool(found["incident"]))
    view = await driver.incident(accepted["incident"], _has_ended)
    if view["intent"] is None or view["intent"]["state"] != "confirmed":
        raise NotMeasured(f"{name} was not rolled back: {view['incident']['sentence']}")
    seen = await driver.control("GET", "/seen")
    return _timing(name, accepted, view, seen)


def _has_ended(view: dict[str, Any]) -> bool:
    decision, intent = view["decision"], view["intent"]
    held = decision is not None and decision["verdict"] != "roll_back"
    return held or (intent is not None and intent["state"] != "open")


def _timing(
    name: str, accepted: dict[str, Any], view: dict[str, Any], seen: dict[str, Any]
) -> Timing:
    spans = msgspec.convert(seen["spans"], list[Span])
    at = {event["kind"]: _epoch(event["recorded_at"]) for event in view["timeline"]}
    start = _epoch(accepted["accepted_at"])
    path = f"/onlineendpoints/{name}"
    sent = next(
        span.began for span in spans if span.method == "PUT" and span.path.lower().endswith(path)
    )
    done = next(one["done_at"] for one in seen["operations"] if one["endpoint"] == name)
    moments = (
        start,
        at["incident.opened"],
        at["incident.diagnosed"],
        at["incident.decided"],
        at["rollback.intended"],
        sent,
    )
    lasted = [1000 * (late - early) for early, late in pairwise(moments)]
    return Timing(
        total=1000 * (sent - start),
        steps=dict(zip(STEPS, lasted, strict=True)),
        simulated=1000 * busy_s(spans, start, sent),
        parts={
            part: 1000 * busy_s([span for span in spans if span.part == part], start, sent)
            for part in PARTS
        },
        noticed=1000 * (at["rollback.confirmed"] - done),
        planned=1000 * (at["incident.decided"] - start),
    )


def _epoch(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
