"""The simulated services of a bench in one process, with a stopwatch around each.

`python -m infra.local.bench.simulated PLAN.json` prints `ready` and serves until SIGINT or SIGTERM,
as `infra.local.simulation.play` does for the demo; no customers, no alert rule.
"""

import asyncio
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from infra.local.bench.cast import CastPlan, read_plan, service_name
from infra.local.bench.stopwatch import Span, Stopwatch
from infra.local.bench.telling import SERVES_S, tell_breach, tell_past
from infra.local.bus.emulator import Emulator
from infra.local.foundry.arm import create_arm
from infra.local.foundry.behaviour import overflowing
from infra.local.foundry.resources import MODEL_TAG, PROMPT_TAG
from infra.local.foundry.scoring import create_scoring
from infra.local.foundry.seed import BAD_REGION, MODEL
from infra.local.foundry.world import World
from infra.local.inbox.app import create_inbox
from infra.local.inbox.store import InboxStore
from infra.local.issuer.app import create_issuer
from infra.local.issuer.issuer import Issuer
from infra.local.logs.server import create_app
from infra.local.logs.store import TelemetryStore
from infra.local.logs.warmup import warm_up
from infra.local.simulation.play import SUBSCRIPTION, serve, topology
from shared.adapters.catalog import load_catalog

ANOMALY_WINDOW = timedelta(hours=6)
NOBODY = "nobody"


class Simulated:
    """Everything that is played, and what is known of it."""

    def __init__(self, plan: CastPlan) -> None:
        self.plan = plan
        self.spans: list[Span] = []
        self.store = TelemetryStore()
        self.world = World(
            sink=lambda table, row: self.store.append(table, [row]),
            subscription=SUBSCRIPTION,
            operation_s=plan.operation_s,
            scoring_url=f"http://127.0.0.1:{plan.ports.scoring}",
        )
        self.bus = Emulator(_topology(plan), port=plan.ports.bus)
        for number in range(plan.services):
            self._cast(service_name(number))

    def _cast(self, name: str) -> None:
        """An endpoint on which v2, with all traffic, fails in one region."""
        endpoint = self.world.add_endpoint(name)
        for version, prompt in (("v1", "p12"), ("v2", "p13")):
            tags = {MODEL_TAG: MODEL, PROMPT_TAG: prompt}
            deployment = self.world.add_deployment(endpoint, version, **tags)
        deployment.behaviour = overflowing(BAD_REGION)
        endpoint.properties["traffic"] = {"v1": 0, "v2": 100}
        endpoint.serve({"v2": 100}, self.world.clock() - SERVES_S)
        if not self.plan.idle:
            tell_past(self.store, name)

    def warm(self) -> None:
        """Translate the queries before anybody waits for one."""
        lag_s, bin_s = self.plan.log_lag_s, self.plan.log_bin_s
        services = list(load_catalog(Path(self.plan.data) / "catalog").services.values())
        warm_up(self.store, services, lag_s=lag_s, bin_s=bin_s, window=ANOMALY_WINDOW)

    def break_service(self, name: str) -> None:
        """Tell of the last minutes of a service."""
        tell_breach(self.store, self.world, name)

    def seen(self) -> dict[str, Any]:
        """What the simulated services took, did and changed."""
        self.world.settle()
        return {
            "spans": [msgspec.to_builtins(span) for span in self.spans],
            "operations": [
                {
                    "endpoint": operation.resource.name,
                    "started_at": operation.started_at,
                    "done_at": operation.done_at,
                    "status": operation.status,
                }
                for operation in self.world.operations.values()
            ],
            "intended": [change.endpoint for change in self.world.intended_changes],
            "accepted": [change.endpoint for change in self.world.accepted],
        }

    def apps(self) -> list[tuple[ASGIApp, int]]:
        """The servers and their ports."""
        ports = self.plan.ports
        inbox = InboxStore(Path(self.plan.data) / "inbox.jsonl")
        return [
            (Stopwatch(create_app(self.store), "logs", self.spans), ports.logs),
            (Stopwatch(create_arm(self.world), "arm", self.spans), ports.arm),
            (Stopwatch(create_scoring(self.world), "scoring", self.spans), ports.scoring),
            (create_inbox(inbox), ports.inbox),
            (_control(self), ports.control),
            (create_issuer(Issuer(ports.authority)), ports.issuer),
        ]


async def play(plan: CastPlan) -> None:
    """Serve everything until asked to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulated = Simulated(plan)
    if not plan.idle:
        await asyncio.to_thread(simulated.warm)
    await simulated.bus.start()
    servers = [serve(app, port) for app, port in simulated.apps()]
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    while not all(server.started for server in servers):  # noqa: ASYNC110 - uvicorn has no event
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await simulated.bus.stop()


def _topology(plan: CastPlan) -> dict[str, Any]:
    """The shipped topology; in an idle world no command finds a subscription that wants it."""
    shipped = topology(plan)
    if not plan.idle:
        return shipped
    text = msgspec.json.encode(shipped).decode().replace('"Label":"triage"', f'"Label":"{NOBODY}"')
    idle: dict[str, Any] = msgspec.json.decode(text)
    return idle


def _control(simulated: Simulated) -> Starlette:
    async def seen(_request: Request) -> Response:
        return _json(simulated.seen())

    async def operations(_request: Request) -> Response:
        found = simulated.seen()
        return _json({"operations": found["operations"]})

    async def break_service(request: Request) -> Response:
        simulated.break_service(request.path_params["service"])
        return _json({})

    return Starlette(
        routes=[
            Route("/seen", seen),
            Route("/operations", operations),
            Route("/break/{service}", break_service, methods=["POST"]),
        ]
    )


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


if __name__ == "__main__":
    asyncio.run(play(read_plan(Path(sys.argv[1]))))
