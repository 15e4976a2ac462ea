"""How long from an accepted alert to the write at Azure Resource Manager, and where the time goes.

One incident after the other, each of another service whose v2 fails in one region. Times come from
the stamps of the timeline and from a stopwatch around the simulated services, on one clock.
"""

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import msgspec

from infra.local.bench.alerts import alert
from infra.local.bench.cast import CastWorld, bench_world, service_name
from infra.local.bench.driving import Driver, open_driver
from infra.local.bench.figure import Figure, NotMeasured, Result, Run, median, quantile
from infra.local.bench.stopwatch import Span, busy_s
from infra.local.bench.trust import trust_v1
from infra.local.world import Pace

SLOWEST_NOTICE_S = 1.5
PACE = Pace(tick="0 * * * * *", verify_after_s=60)
TICKING = Pace(tick="*/10 * * * * *", verify_after_s=60)  # as it is set in production
QUICK_TICKING = Pace(tick="*/2 * * * * *", verify_after_s=60)
# A responder stamps when it judges: what it has read by then counts to the step before.
STEPS = (
    "until triage judges",
    "until the diagnosis asks the logs",
    "queries and diagnosis, until the executor has the case",
    "endpoint, probes and decision, until the intent is claimed",
    "until the write is sent",
)
PARTS = ("logs", "arm", "scoring")


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """One incident; milliseconds. `simulated` is the time in which any simulated part answered."""

    total: float
    steps: dict[str, float]
    simulated: float
    parts: dict[str, float]
    noticed: float

    @property
    def own(self) -> float:
        """What is left for Backstop, the bus, the tables and the hosts."""
        return self.total - self.simulated


def measure(run: Run) -> Result:
    """Play the incidents. Raises NotMeasured where one of them moved no traffic."""
    count = run.count(20, 1)
    with bench_world(run.folder, services=count + 1, pace=PACE) as world:
        first, *timings = asyncio.run(_play(run, world, count))
    ticking = QUICK_TICKING if run.quick else TICKING
    with bench_world(run.folder / "warm", services=1, pace=ticking) as world:
        warm = asyncio.run(_play_warm(run, world))
    return Result(
        title="Accepted alert to the write",
        figures=(*_totals(timings), *_steps(timings), *_notice(timings), *_firsts(first, warm)),
        details={"incidents": [msgspec.to_builtins(one) for one in (first, warm, *timings)]},
    )


async def _play(run: Run, world: CastWorld, count: int) -> list[Timing]:
    await trust_v1(world, count + 1)
    async with open_driver(world) as driver:
        timings = []
        for number in range(count + 1):
            run.say(f"incident {number} of {count}")
            timings.append(await _incident(driver, number))
        return timings


async def _play_warm(run: Run, world: CastWorld) -> Timing:
    """The first incident of processes whose first tick came before it."""
    await trust_v1(world, 1)
    async with open_driver(world) as driver:
        run.say("the first tick of both processes")
        await driver.seen(lambda seen: any(span["part"] == "arm" for span in seen["spans"]))
        run.say("the first incident after it")
        return await _incident(driver, 0)


async def _incident(driver: Driver, number: int) -> Timing:
    name = service_name(number)
    await driver.control("POST", f"/break/{name}")
    body = alert(f"latency-{number}", number, slice_="swedencentral", fired_at=datetime.now(UTC))
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
    )


def _epoch(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def _totals(timings: list[Timing]) -> list[Figure]:
    totals = [one.total for one in timings]
    own = [one.own for one in timings]
    return [
        Figure(name="accepted alert to the write, p50", value=median(totals), unit="ms"),
        Figure(name="accepted alert to the write, p95", value=quantile(totals, 0.95), unit="ms"),
        Figure(
            name="of that Backstop's own, p50",
            value=median(own),
            unit="ms",
            note="the rest is spent inside the simulated services",
        ),
        *(
            Figure(
                name=f"of that in the simulated {part}, p50",
                value=median([one.parts[part] for one in timings]),
                unit="ms",
            )
            for part in PARTS
        ),
    ]


def _steps(timings: list[Timing]) -> list[Figure]:
    return [
        Figure(name=f"{step}, p50", value=median([one.steps[step] for one in timings]), unit="ms")
        for step in STEPS
    ]


def _notice(timings: list[Timing]) -> list[Figure]:
    noticed = [one.noticed / 1000 for one in timings]
    return [
        Figure(
            name="end of the traffic operation to the confirmed intent, p95",
            value=quantile(noticed, 0.95),
            unit="s",
            at_most=SLOWEST_NOTICE_S,
            note=f"median {median(noticed):.2f} s, with the second reading",
        )
    ]


def _firsts(cold: Timing, warm: Timing) -> list[Figure]:
    return [
        Figure(
            name="the first incident of processes that have not ticked yet",
            value=cold.total,
            unit="ms",
            note="imports the SDKs and opens all links",
        ),
        Figure(
            name="the first incident of processes that their first tick has warmed",
            value=warm.total,
            unit="ms",
            note="it comes within ten seconds",
        ),
    ]
