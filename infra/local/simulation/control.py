"""The control route: what a drill may do to the simulated world, and what an observer sees of it.

Only the local world's own commands and pages call it. It plays what Backstop is not told of: a
release pipeline that ships, a region that goes out, an index that stops.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.local.bus.emulator import Emulator
from infra.local.foundry.behaviour import HEALTHY, overflowing
from infra.local.foundry.faults import Fault, outage
from infra.local.foundry.load import Load
from infra.local.foundry.resources import Deployment
from infra.local.foundry.rules import ArmError
from infra.local.foundry.seed import BAD_REGION, SECOND, SERVICE
from infra.local.foundry.world import World
from infra.local.foundry.writes import delete_deployment, shift_traffic
from infra.local.inbox.store import InboxStore
from infra.local.issuer.issuer import Issuer
from infra.local.logs.store import TelemetryStore
from infra.local.simulation.fired import AlertsManagement
from infra.local.simulation.plan import Plan
from infra.local.simulation.rules import Rules
from infra.local.simulation.watching import panels_of, rules_of

PIPELINE = "release-pipeline"
INDEX_BEHIND_S = 2 * 3600.0  # older than any service of the catalog allows
THROTTLED_SHARE = 0.5


@dataclass(kw_only=True)
class Simulation:
    """Everything that is played, in one place. `loads` are the customers by service."""

    plan: Plan
    world: World
    store: TelemetryStore
    bus: Emulator
    inbox: InboxStore
    loads: dict[str, Load]
    rules: Rules
    alerts: AlertsManagement
    issuer: Issuer
    logs: Starlette
    history_rows: int
    spoilt: Deployment | None = None

    def ship_of(self, service: str, deployment: str) -> None:
        """Let the release pipeline of a service move all its traffic to a deployment."""
        others = {name: 0 for name in ("v1", "v2") if name != deployment}
        endpoint = self.world.endpoint_of(service).name
        shift_traffic(self.world, endpoint, {**others, deployment: 100}, PIPELINE)

    def ship(self, deployment: str = "v2") -> None:
        """The same for the demonstration's service, and what the plan has in store for it."""
        self.ship_of(SERVICE, deployment)
        if self.plan.block_writes:  # from now on; the pipeline's own write was the last to pass
            self.world.faults.append(Fault(match="^PUT", times=1000, status=403))
        if self.plan.equally_bad:
            self._spoil_both()

    def ship_second(self) -> None:
        """Let the pipeline of the second service move all its traffic to v2."""
        self.ship_of(SECOND, "v2")

    async def start_load(self) -> None:
        """Let the customers of every service come."""
        for load in self.loads.values():
            await load.start()

    async def stop_load(self) -> None:
        """Let no more of them come."""
        for load in self.loads.values():
            await load.stop()

    def share(self) -> None:
        """Let a release pipeline give v2 half of the traffic."""
        shift_traffic(self.world, SERVICE, {"v1": 50, "v2": 50}, PIPELINE)

    def spoil_v1(self) -> None:
        """Let v1 fail in one region until it is healed, as v2 does once its fuse has burnt."""
        self.spoilt = self.world.endpoint(SERVICE).deployments["v1"]
        self.spoilt.behaviour = overflowing(BAD_REGION)

    def _spoil_both(self) -> None:
        first, second = (self.world.endpoint(SERVICE).deployments[name] for name in ("v1", "v2"))
        first.behaviour = second.later or second.behaviour

    def stop_index(self) -> None:
        """Let it come out that the search index has stood still for a while."""
        self.world.troubles.index_stopped_at = self.world.clock() - INDEX_BEHIND_S

    def lose_region(self) -> None:
        """Take a region's model away from every version."""
        self.world.troubles.regions_out.add(BAD_REGION)

    def throttle_models(self) -> None:
        """Let every region's model answer 429 to half of the calls, whichever version asks."""
        self.world.troubles.upstream_429["*"] = THROTTLED_SHARE

    def lose_arm(self) -> None:
        """Let ARM answer 503 to everything; customers are served all the same."""
        self.world.faults.append(outage())

    def lose_bus(self) -> None:
        """Break every connection to the bus, until it is healed."""
        self.bus.begin_outage()

    def lose_webhooks(self) -> None:
        """Let no action group call anybody, until it is healed: alerts fire, and nobody is told."""
        self.alerts.delivering = False

    def lose_logs(self) -> None:
        """Let the workspace answer 503."""
        self.logs.state.faults.outage = True

    def delete_known_good(self) -> None:
        """Delete v1, as a clean-up job might."""
        delete_deployment(self.world, SERVICE, "v1")

    def heal(self) -> None:
        """End every trouble that a drill has made; what was shipped stays shipped."""
        self.world.resume_index()
        if self.spoilt is not None:
            self.spoilt.behaviour = HEALTHY
        self.world.troubles.regions_out.clear()
        self.world.troubles.upstream_429.clear()
        self.bus.end_outage()
        self.alerts.delivering = True
        self.logs.state.faults.outage = False
        self.world.faults.clear()

    def status(self, service: str = SERVICE) -> dict[str, Any]:
        """What an observer sees of a service: traffic, the customers' answers, writes, alerts."""
        self.world.settle()
        endpoint, load = self.world.endpoint_of(service), self.loads[service]
        tally = self.rules.tallies[service]
        changes = [one for one in self.world.accepted if one.endpoint == endpoint.name.lower()]
        return {
            "traffic": endpoint.properties["traffic"],
            "state": endpoint.state,
            "deployments": sorted(endpoint.deployments),
            "sent": load.sent,
            "good": load.good,
            "bad": load.bad,
            "by_deployment": dict(load.by_deployment),
            "recent": _recent(load),
            "first_bad_at": load.first_bad_after(0.0, deployment="v2"),
            "accepted_writes": len(changes),
            "changes": msgspec.to_builtins(changes),
            "refused_writes": _refused(self.world),
            "alerts": tally.posted,
            "folded": tally.folded,
            "fired_at": tally.first_fired_at,
            "history_rows": self.history_rows,
        }


def _refused(world: World) -> int:
    return sum(entry.method == "PUT" and entry.status >= 400 for entry in world.journal)


def _recent(load: Load, newest: int = 300) -> dict[str, dict[str, float]]:
    """Good and all answers by region among the newest."""
    found: dict[str, dict[str, float]] = {}
    for seen in list(load.observations)[-newest:]:
        counts = found.setdefault(seen.region, {"all": 0, "good": 0})
        counts["all"] += 1
        counts["good"] += seen.ok
    return found


class Control:
    """The route's handlers over one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._drills: dict[str, Callable[[], None]] = {
            "ship-v2": simulation.ship,
            "ship-v1": lambda: simulation.ship("v1"),
            "share-v2": simulation.share,
            "ship-second-v2": simulation.ship_second,
            "spoil-v1": simulation.spoil_v1,
            "stale-index": simulation.stop_index,
            "region-out": simulation.lose_region,
            "upstream-429": simulation.throttle_models,
            "logs-out": simulation.lose_logs,
            "arm-out": simulation.lose_arm,
            "bus-out": simulation.lose_bus,
            "webhooks-out": simulation.lose_webhooks,
            "delete-known-good": simulation.delete_known_good,
            "heal": simulation.heal,
        }

    async def status(self, request: Request) -> Response:
        """What an observer sees of a service, without `service` of the first one."""
        service = request.query_params.get("service", SERVICE)
        if service not in self._simulation.loads:
            return _json({"error": f"{service!r} is not played"}, 404)
        return _json(self._simulation.status(service))

    async def drill(self, request: Request) -> Response:
        """Play a drill; with `service`, ship a version of that one."""
        name, service = request.path_params["name"], request.query_params.get("service", SERVICE)
        play = self._drills.get(name) if service == SERVICE else self._shipping(service, name)
        if play is None:
            return _json({"error": f"known drills: {', '.join(sorted(self._drills))}"}, 404)
        try:
            play()
        except ArmError as refusal:  # such as deleting a version that serves
            return _json({"error": str(refusal)}, 409)
        return _json({"drill": name})

    def _shipping(self, service: str, drill: str) -> Callable[[], None] | None:
        """What can be done to any service that is played: its pipeline ships a version."""
        version = {"ship-v1": "v1", "ship-v2": "v2"}.get(drill)
        if version is None or service not in self._simulation.loads:
            return None
        return partial(self._simulation.ship_of, service, version)

    async def watching(self, request: Request) -> Response:
        """How the alert rules of a service stand, and the rows of its workbook."""
        service, known = request.query_params.get("service", SERVICE), self._simulation
        if service not in known.loads:
            return _json({"error": f"{service!r} is not played"}, 404)
        services = known.rules.services
        panels = await asyncio.to_thread(panels_of, known.store, services, service)
        return _json({"rules": rules_of(known.rules, service), "panels": panels})

    async def start_load(self, _request: Request) -> Response:
        """Let the customers come."""
        await self._simulation.start_load()
        return _json({"load": self._simulation.plan.rate_per_s})

    async def recovered(self, request: Request) -> Response:
        """When the fifth good unpinned answer in a row came, of a deployment, in a region."""
        asked = request.query_params
        at = self._simulation.loads[SERVICE].nth_good_unpinned_after(
            float(asked["after"]), 5, deployment=asked.get("deployment"), region=asked.get("region")
        )
        return _json({"at": at})


def create_control(simulation: Simulation) -> Starlette:
    """Build the control route over a simulation."""
    control = Control(simulation)
    return Starlette(
        routes=[
            Route("/status", control.status),
            Route("/watching", control.watching),
            Route("/recovered", control.recovered),
            Route("/load", control.start_load, methods=["POST"]),
            Route("/drills/{name}", control.drill, methods=["POST"]),
        ]
    )


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
