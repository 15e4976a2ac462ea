"""One incident as `latency` has timed it, and the figures of many."""

import msgspec

from infra.local.bench.figure import Figure, median, quantile

SLOWEST_NOTICE_S = 1.5
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
    planned: float  # until it was decided

    @property
    def own(self) -> float:
        """What is left for Backstop, the bus, the tables and the hosts."""
        return self.total - self.simulated


def totals(timings: list[Timing]) -> list[Figure]:
    """From the accepted alert to the write, and where that time goes."""
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


def fast_lane(timings: list[Timing], signalled: list[Timing]) -> list[Figure]:
    """The same told by signals, beside what alerts take until there is a plan."""
    totals = [one.total for one in signalled]
    return [
        Figure(
            name="accepted signal to the write, p50",
            value=median(totals),
            unit="ms",
            note="the logs know nothing yet; the executor probes the versions by name",
        ),
        Figure(name="accepted signal to the write, p95", value=quantile(totals, 0.95), unit="ms"),
        Figure(
            name="accepted alert to the plan, p50",
            value=median([one.planned for one in timings]),
            unit="ms",
            note="by way of the logs the breach is a minute old by then, at best",
        ),
        Figure(
            name="accepted signal to the plan, p50",
            value=median([one.planned for one in signalled]),
            unit="ms",
        ),
    ]


def steps(timings: list[Timing]) -> list[Figure]:
    """From one stamp to the next."""
    return [
        Figure(name=f"{step}, p50", value=median([one.steps[step] for one in timings]), unit="ms")
        for step in STEPS
    ]


def notice(timings: list[Timing]) -> list[Figure]:
    """How soon the end of the traffic operation is noticed."""
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


def firsts(cold: Timing, warm: Timing) -> list[Figure]:
    """What the first incident of a process takes."""
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
