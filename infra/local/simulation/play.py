"""The simulated services in one process, and the control route through which drills play.

`python -m infra.local.simulation.play PLAN.json` prints `ready` once every port answers, and serves
until SIGINT or SIGTERM. KQL stays out of the function hosts' processes, whose time is measured.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import uvicorn
from starlette.types import ASGIApp

from infra.local.bus.emulator import Emulator
from infra.local.foundry.answers import Processes
from infra.local.foundry.arm import create_arm
from infra.local.foundry.behaviour import HEALTHY_OUTCOMES
from infra.local.foundry.load import Load
from infra.local.foundry.resources import Endpoint
from infra.local.foundry.scoring import create_scoring, tell_watermarks
from infra.local.foundry.seed import (
    BAD_REGION,
    SECOND,
    SERVICE,
    seed,
    seed_further,
    seed_second,
)
from infra.local.foundry.world import World
from infra.local.inbox.app import create_inbox
from infra.local.inbox.store import InboxStore
from infra.local.issuer.app import create_issuer
from infra.local.issuer.issuer import Issuer
from infra.local.logs.history import History, seed_history
from infra.local.logs.server import create_app
from infra.local.logs.store import TelemetryStore
from infra.local.logs.warmup import warm_up
from infra.local.simulation.action_group import ActionGroups
from infra.local.simulation.control import Simulation, create_control
from infra.local.simulation.control_plane import ControlPlane
from infra.local.simulation.fired import AlertsManagement
from infra.local.simulation.plan import Plan, read_plan
from infra.local.simulation.rules import Rules
from shared.adapters.catalog import load_catalog
from shared.adapters.golden_cases import read_golden
from shared.domain.catalog import Service
from shared.telemetry.answers import EVERY_S

TOPOLOGY = Path(__file__).resolve().parents[2] / "servicebus.json"
SUBSCRIPTION = "00000000-0000-0000-0000-00000000f001"
SHARES = {"westeurope": 0.4, "northeurope": 0.25, "francecentral": 0.2, BAD_REGION: 0.15}
SECOND_RATE_PER_S = 10.0
SECOND_SHARES = {"westeurope": 0.6, "northeurope": 0.4}
KEEP_ALIVE_S = 75  # longer than clients keep a connection: none may close under a request
HISTORY_PER_HOUR = 40.0
OUTCOMES_PER_HOUR = 80.0  # enough of a baseline even at night
ANOMALY_WINDOW = timedelta(hours=6)  # what diagnosis asks for


class _Server(uvicorn.Server):
    """One HTTP server among several: the process handles the signals, not each of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def play(plan: Plan) -> None:
    """Serve everything until asked to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulation = _simulation(plan)
    await asyncio.to_thread(
        warm_up,
        simulation.store,
        list(load_catalog(Path(plan.data) / "catalog").services.values()),
        lag_s=plan.log_lag_s,
        bin_s=plan.log_bin_s,
        window=ANOMALY_WINDOW,
    )
    await simulation.bus.start()
    servers = [serve(app, port) for app, port in _apps(simulation, plan)]
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    tasks.append(asyncio.create_task(tell_watermarks(simulation.world)))
    tasks.append(asyncio.create_task(simulation.rules.run(plan.rule_every_s)))
    while not all(server.started for server in servers):  # noqa: ASYNC110 - uvicorn has no event
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await stop.wait()
    await simulation.stop_load()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await simulation.bus.stop()


def _simulation(plan: Plan) -> Simulation:
    store = TelemetryStore()
    now = datetime.now(UTC)
    history = History(
        service=SERVICE,
        until=now - timedelta(seconds=5),
        requests_per_hour=HISTORY_PER_HOUR,
        outcomes_per_hour=OUTCOMES_PER_HOUR,
        outcomes=tuple(HEALTHY_OUTCOMES.items()),
    )
    rows = seed_history(store, history)
    world = World(
        sink=lambda table, row: store.append(table, [row]),
        subscription=SUBSCRIPTION,
        operation_s=plan.operation_s,
        scoring_url=f"http://127.0.0.1:{plan.ports.scoring}",
        processes=Processes(EVERY_S / plan.rule_pace),
    )
    seed(world, fuse_s=plan.fuse_s)
    alerts, issuer = AlertsManagement(), Issuer(plan.ports.authority)
    loads = _loads(world, plan)
    return Simulation(
        plan=plan,
        world=world,
        store=store,
        bus=Emulator(topology(plan), port=plan.ports.bus),
        inbox=InboxStore(Path(plan.data) / "inbox.jsonl"),
        loads=loads,
        rules=Rules(
            store,
            _played(plan, loads),
            pace=plan.rule_pace,
            groups=ActionGroups(plan.alert_url, issuer, alerts),
        ),
        alerts=alerts,
        issuer=issuer,
        logs=create_app(store),
        history_rows=rows,
    )


def _played(plan: Plan, names: Iterable[str]) -> list[Service]:
    """The services that have customers, as their files in this world describe them."""
    catalog = load_catalog(Path(plan.data) / "catalog")
    return [catalog.services[name] for name in names]


def _loads(world: World, plan: Plan) -> dict[str, Load]:
    """The customers of each service; the second one is put into the world where the plan has it."""
    url = f"{world.scoring_url}/endpoints/{{}}/score"
    loads = {SERVICE: Load(url.format(SERVICE), plan.rate_per_s, SHARES, Random(11))}
    if plan.second:
        seed_second(world)
        loads[SECOND] = Load(url.format(SECOND), SECOND_RATE_PER_S, SECOND_SHARES, Random(13))
    folder = Path(plan.data) / "catalog"
    catalog = load_catalog(folder)
    for name in plan.further:
        golden, _ = read_golden(folder, name)
        endpoint = seed_further(world, catalog.services[name], golden, fuse_s=plan.fuse_s)
        loads[name] = _customers(world, endpoint)
    return loads


def _customers(world: World, endpoint: Endpoint) -> Load:
    """Give an endpoint customers in its own regions; where it names none, in one."""
    shares = dict.fromkeys(endpoint.regions or world.regions[:1], 1.0)
    url = f"{world.scoring_url}/endpoints/{endpoint.name}/score"
    return Load(url, SECOND_RATE_PER_S, shares, Random(17))


def topology(plan: Plan) -> dict[str, object]:
    """The shipped topology; messages that a killed host held come back sooner than in Azure."""
    text = TOPOLOGY.read_text().replace(
        '"LockDuration": "PT30S"', f'"LockDuration": "PT{plan.lock_s}S"'
    )
    return msgspec.json.decode(text, type=dict[str, object])


def _apps(simulation: Simulation, plan: Plan) -> list[tuple[ASGIApp, int]]:
    catalog = load_catalog(Path(plan.data) / "catalog")
    ports, known = plan.ports, ControlPlane(catalog.services.values(), plan.alert_url)
    return [
        (simulation.logs, ports.logs),
        (create_arm(simulation.world, simulation.alerts.route(), *known.routes()), ports.arm),
        (create_scoring(simulation.world), ports.scoring),
        (create_inbox(simulation.inbox), ports.inbox),
        (create_control(simulation), ports.control),
        (create_issuer(simulation.issuer), ports.issuer),
    ]


def serve(app: ASGIApp, port: int) -> uvicorn.Server:
    """One HTTP server among several in this process."""
    return _Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            timeout_keep_alive=KEEP_ALIVE_S,
            log_level="warning",
            lifespan="off",
            access_log=False,
        )
    )


if __name__ == "__main__":
    asyncio.run(play(read_plan(Path(sys.argv[1]))))
