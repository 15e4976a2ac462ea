"""The cast: a world with many services of the demo's kind, each with an endpoint of its own.

Their policy files are the demo service's under other names, so that incidents of several services
can be measured in one world. `simulated` plays them; here are their names and the running world.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from infra.local.foundry.seed import SERVICE
from infra.local.issuer.identities import IDENTITIES
from infra.local.processes import Children
from infra.local.simulation.plan import Plan
from infra.local.world import ROOT, Pace, World, free_addresses

SCOPE = "/subscriptions/00000000-0000-0000-0000-00000000f001/resourcegroups/rg-claims/providers"
ENDPOINTS = f"{SCOPE}/microsoft.machinelearningservices/workspaces/mlw-claims/onlineendpoints"
REGIONS = ("westeurope", "northeurope", "francecentral", "swedencentral")
SPLIT = "      capabilities: [split]\n"
POLICY = "    soak: 24h\n"
PROBE = "  probe: {claim_id: P-1, region: swedencentral, text: Water on the floor}\n"
MODE = "  mode: automatic"
SIGNALS = f"  signals: [{IDENTITIES['signal'].client_id}]\n"
AGENT = "    - kind: agent\n      id: {id}\n"
SELDOM = "0 * * * * *"  # once a minute: what a bench measures is not the timer's work


class CastPlan(Plan, frozen=True, kw_only=True):
    """What to play: a `Plan` for so many services; `idle` keeps all messages from the hosts."""

    services: int = 1
    idle: bool = False


class CastWorld(World):
    """A world whose simulated services know the cast, of so many services."""

    simulation_module = "infra.local.bench.simulated"
    services = 1


def service_name(number: int) -> str:
    """What the service of that number is called."""
    return f"bench-{number:02d}"


def target_of(service: str) -> str:
    """The ARM id of a service's endpoint, in lower case."""
    return f"{ENDPOINTS}/{service}"


def part_of(service: str, number: int) -> str:
    """The ARM id of one of a service's targets: its endpoint, and after it agents of no traffic."""
    return target_of(service) if number == 0 else f"{target_of(service)}-agent-{number}"


def write_cast(folder: Path, services: int, parts: int = 1, policy: str = "") -> None:
    """Write a policy file for each service, beside the shipped files of those it depends on.

    `policy` are further lines of the services' rollback policy.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in (ROOT / "shared" / "catalog").glob("*.yaml"):
        (folder / path.name).write_text(path.read_text())
    shipped = (folder / f"{SERVICE}.yaml").read_text()
    (folder / f"{SERVICE}.yaml").unlink()
    for number in range(services):
        name = service_name(number)
        agents = "".join(AGENT.format(id=part_of(name, part)) for part in range(1, parts))
        text = shipped.replace(SERVICE, name).replace(SPLIT, f"{SPLIT}{agents}")
        text = text.replace(POLICY, f"{POLICY}{policy}").replace(MODE, f"{SIGNALS}{PROBE}{MODE}")
        (folder / f"{name}.yaml").write_text(text)


@contextmanager
def bench_world(
    folder: Path,
    *,
    services: int,
    parts: int = 1,
    pace: Pace | None = None,
    policy: str = "",
    idle: bool = False,
) -> Iterator[CastWorld]:
    """Start a world that ends with the block; tables are in memory, logs in `folder/logs`.

    An idle world has the responder only, and messages that it publishes reach nobody. Raises
    ChildFailed.
    """
    addresses, speed = free_addresses(), pace or Pace(tick=SELDOM)
    write_cast(folder / "catalog", services, parts, policy)
    plan = CastPlan(
        ports=addresses.ports,
        alert_url=f"{addresses.api}/api/alerts",
        data=str(folder),
        operation_s=speed.operation_s,
        lock_s=speed.lock_s,
        log_lag_s=speed.log_lag_s,
        log_bin_s=speed.log_bin_s,
        services=services,
        idle=idle,
    )
    with Children(folder / "logs", grace_s=0) as children:  # nothing is measured any more
        world = CastWorld(addresses, speed, folder, children)
        world.services = services
        world.start_services(plan, None)
        world.start_hosts(*(["responder"] if idle else []))
        yield world


def read_plan(path: Path) -> CastPlan:
    """Read the file that the world has written."""
    return msgspec.json.decode(path.read_bytes(), type=CastPlan)
