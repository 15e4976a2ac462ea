"""What it costs to read, as more and more is stored: table requests and rows, which must not grow.

Incidents and ledger records are written straight into the tables. Requests and rows are counted on
their way through the SDK; times would be Azurite's, which scans whole tables.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from infra.local.azurite import connection_string, start_azurite
from infra.local.bench.counted import Counted
from infra.local.bench.figure import Figure, Result, Run
from infra.local.bench.filling import Filling
from infra.local.ports import free_port
from infra.local.processes import Children
from responders.reading.show import show_changes, show_incident, show_incidents
from shared.domain.views.http import Answer, Request

SIZES = (100, 1_000, 10_000)
QUICK_SIZES = (25, 50)
PAGE = "20"

type Read = Callable[[Counted, Request], Awaitable[Answer]]


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one read cost, and how long its answer is."""

    requests: int
    rows: int
    answered: int


def measure(run: Run) -> Result:
    """Fill the tables step by step and read at each."""
    sizes = QUICK_SIZES if run.quick else SIZES
    port = free_port()
    with Children(run.folder / "logs") as children:
        start_azurite(children, port=port).wait_ready()
        costs = asyncio.run(_costs(run, connection_string(port), sizes))
    return Result(
        title="Reads",
        figures=tuple(_figure(name, by_size) for name, by_size in costs.items()),
        details={name: msgspec.to_builtins(by_size) for name, by_size in costs.items()},
    )


async def _costs(run: Run, account: str, sizes: tuple[int, ...]) -> dict[str, dict[int, Cost]]:
    services = Counted(account, run.folder)
    try:
        await services.prepare()
        filling = Filling(services)
        found: dict[str, dict[int, Cost]] = {}
        for size in sizes:
            run.say(f"filling up to {size}")
            await filling.fill_to(size)
            for name, (read, request) in _reads(filling).items():
                found.setdefault(name, {})[size] = await _cost(services, read, request)
        return found
    finally:
        await services.close()


def _reads(filling: Filling) -> dict[str, tuple[Any, Request]]:
    return {
        "incident list": (show_incidents, Request(query={"limit": PAGE})),
        "open incidents": (show_incidents, Request(query={"state": "open", "limit": PAGE})),
        "incident read": (show_incident, Request(path={"id": filling.some_incident})),
        "change read": (show_changes, Request(query={"service": filling.service, "limit": PAGE})),
    }


async def _cost(services: Counted, read: Read, request: Request) -> Cost:
    services.requests = services.rows = 0
    answer = await read(services, request)
    assert answer.status == 200, "a read that fails costs nothing"
    return Cost(requests=services.requests, rows=services.rows, answered=len(answer.body))


def _figure(name: str, by_size: dict[int, Cost]) -> Figure:
    smallest, largest = by_size[min(by_size)], by_size[max(by_size)]
    grown = max(largest.requests / smallest.requests, largest.rows / smallest.rows)
    costs = [f"{cost.requests} requests and {cost.rows} rows" for cost in by_size.values()]
    at = ", ".join(f"{size:,}" for size in by_size)
    said = costs[0] if len(set(costs)) == 1 else "; ".join(costs)
    return Figure(
        name=f"{name}: growth of its cost from {min(by_size):,} to {max(by_size):,}",
        value=grown,
        at_most=1.0,
        note=f"{said} at {at}",
    )
