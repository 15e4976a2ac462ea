"""The local world: Azurite, the simulated services and both function apps, as child processes.

`demo`, `start`, `bench` and the tests that need everything together start it. Times that are
shorter here than in production are in `Pace`, are printed, and change no code: the settings and the
demo service's file carry them.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from infra.local.azurite import (
    blob_connection_string,
    connection_string,
    start_azurite,
    start_blobs,
)
from infra.local.issuer.identities import AUDIENCE, TENANT
from infra.local.played import (
    CATALOG,
    FIRST,
    PAGER_KEY,
    SECOND,
    pager_keys,
    playable,
    write_catalog,
)
from infra.local.ports import free_port
from infra.local.processes import GRACE_S, Child, Children, says
from infra.local.simulation.plan import Plan, Ports

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
REDACTION_KEY = "a redaction key of this machine"


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """What runs faster here than in production; seconds. Printed by whoever uses it."""

    soak_s: int = 12
    soak_minimum_requests: int = 200
    minimum_requests: int = 25  # 50 in the service's file: here fewer customers call
    verify_after_s: int = 4
    acknowledge_within_s: int = 60
    flap_window_s: int = 120
    lease_s: float = 8.0
    lock_s: int = 10
    patience_s: float = 6.0
    log_lag_s: float = 1.0
    log_bin_s: float = 1.0
    tick: str = "* * * * * *"
    operation_s: float = 2.0
    rule_every_s: float = 2.0
    rule_pace: float = 12.0
    sweep_every_s: float = 30.0
    seal_every_s: float = 2.0
    fuse_s: float = 6.0
    health_every_s: float = 300.0
    readiness_every_s: float = 300.0
    grace_s: float = GRACE_S  # for all parts to end in order

    @property
    def policy(self) -> dict[str, str | int]:
        """What the services' files say otherwise in this world."""
        return {
            "soak": f"{self.soak_s}s",
            "soak_minimum_requests": self.soak_minimum_requests,
            "minimum_requests": self.minimum_requests,
            "verify_after": f"{self.verify_after_s}s",
            "acknowledge_within": f"{self.acknowledge_within_s}s",
            "flap_window": f"{self.flap_window_s}s",
        }


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where the parts of one world listen."""

    tables: int
    blobs: int
    responder: int
    executor: int
    ports: Ports

    @property
    def api(self) -> str:
        """The responder's root: pages at /, the API below /api."""
        return f"http://127.0.0.1:{self.responder}"

    @property
    def control(self) -> str:
        """The control route of the simulated services."""
        return f"http://127.0.0.1:{self.ports.control}"

    @property
    def inbox(self) -> str:
        """The inbox with cards and pages."""
        return f"http://127.0.0.1:{self.ports.inbox}"

    @property
    def issuer(self) -> str:
        """Where tokens come from, in place of Microsoft Entra."""
        return self.ports.authority

    @property
    def endpoint(self) -> str:
        """The scoring route that customers call."""
        return f"http://127.0.0.1:{self.ports.scoring}/endpoints/fnol-summary/score"

    @property
    def table_account(self) -> str:
        """The connection string of the tables."""
        return connection_string(self.tables)

    @property
    def blob_account(self) -> str:
        """The connection string of the blobs."""
        return blob_connection_string(self.blobs)


def free_addresses() -> Addresses:
    """Ports that are free now."""
    names = ("bus", "logs", "arm", "scoring", "inbox", "control", "issuer")
    ports = Ports(**{name: free_port() for name in names})
    return Addresses(
        tables=free_port(),
        blobs=free_port(),
        responder=free_port(),
        executor=free_port(),
        ports=ports,
    )


class World:
    """A running world. `executor` may be killed and started again."""

    simulation_module = "infra.local.simulation.play"

    def __init__(self, addresses: Addresses, pace: Pace, folder: Path, children: Children) -> None:
        self.addresses = addresses
        self.pace = pace
        self.folder = folder
        self._children = children
        self.further: tuple[str, ...] = ()  # services that are played besides
        self.azurite: Child
        self.blobs: Child
        self.simulation: Child
        self.responder: Child
        self.executor: Child

    @property
    def signing_key(self) -> Path:
        """The file of the key that seals are signed with; the executor makes it."""
        return self.folder / "signing-key.pem"

    def plan(self, **fields: object) -> Plan:
        """What is played: at this world's pace, but for the fields that are given."""
        speed, where = self.pace, self.addresses
        usual = {
            "ports": msgspec.to_builtins(where.ports),
            "alert_url": f"{where.api}/api/alerts",
            "data": str(self.folder),
            "operation_s": speed.operation_s,
            "lock_s": speed.lock_s,
            "log_lag_s": speed.log_lag_s,
            "log_bin_s": speed.log_bin_s,
            "rule_every_s": speed.rule_every_s,
            "rule_pace": speed.rule_pace,
            "fuse_s": speed.fuse_s,
        }
        return msgspec.convert(usual | fields, type=Plan, strict=False)

    def start(self, plan: Plan, tables: Path | None) -> None:
        """Start all parts side by side and wait until they are ready. Raises ChildFailed."""
        self.start_services(plan, tables)
        self.start_hosts()

    def start_services(self, plan: Plan, tables: Path | None) -> None:
        """Start what Azure would be: tables and blobs, which are made, and simulated services."""
        self.further = plan.further
        path = self.folder / "plan.json"
        path.write_bytes(msgspec.json.encode(plan))
        self.azurite = start_azurite(self._children, port=self.addresses.tables, folder=tables)
        beside = tables.with_name("blobs") if tables else None
        self.blobs = start_blobs(self._children, port=self.addresses.blobs, folder=beside)
        self.simulation = self._python(
            "simulation", self.simulation_module, str(path), serves_others=True
        )
        self.azurite.wait_ready()
        self.blobs.wait_ready()
        prepare = self._python("prepare", "infra.local.prepare")
        self.simulation.wait_ready()
        prepare.wait_ready()

    def start_hosts(self, *roles: str) -> None:
        """Start the function apps of these roles, without any named both."""
        wanted = roles or ("responder", "executor")
        if "responder" in wanted:
            self.responder = self._host("responder", self.addresses.responder)
        if "executor" in wanted:
            self.executor = self._host("executor", self.addresses.executor)
        for role in wanted:
            getattr(self, role).wait_ready()

    def _host(self, role: str, port: int) -> Child:
        arguments = ("--app", str(ROOT), "--port", str(port))
        return self._python(role, "infra.local.host", *arguments, role=role)

    def _python(
        self,
        name: str,
        module: str,
        *arguments: str,
        role: str = "none",
        serves_others: bool = False,
    ) -> Child:
        return self._children.start(
            name,
            [sys.executable, "-m", module, *arguments],
            ready=says("ready"),
            env=self.settings(role),
            cwd=ROOT,
            serves_others=serves_others,
        )

    def settings(self, role: str) -> dict[str, str]:
        """The app settings of one process, as Azure would hand them over."""
        ports, pace = self.addresses.ports, self.pace
        return {
            "BACKSTOP_ROLE": role,
            "BACKSTOP_TABLES": self.addresses.table_account,
            "BACKSTOP_BLOBS": self.addresses.blob_account,
            "BACKSTOP_BUS": (
                f"Endpoint=sb://127.0.0.1:{ports.bus};SharedAccessKeyName=local;"
                "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
            ),
            "BACKSTOP_LOGS_WORKSPACE": "local",
            "BACKSTOP_LOGS_ENDPOINT": f"http://127.0.0.1:{ports.logs}/v1",
            "BACKSTOP_ARM_ENDPOINT": f"http://127.0.0.1:{ports.arm}",
            "BACKSTOP_REDACTION_KEY": REDACTION_KEY,
            "BACKSTOP_TEAMS_URL": f"{self.addresses.inbox}/teams",
            "BACKSTOP_PAGER_URL": f"{self.addresses.inbox}/pagerduty/v2/enqueue",
            "BACKSTOP_PAGER_FALLBACK_URL": f"{self.addresses.inbox}/webhook",
            **pager_keys(self.folder / "catalog"),
            "BACKSTOP_PAGER_KEY_CLAIMS_AI": PAGER_KEY,
            "BACKSTOP_PAGER_KEY_CLAIMS_PLATFORM": PAGER_KEY[::-1],
            "BACKSTOP_PAGER_KEY_DUTY": PAGER_KEY[16:] + PAGER_KEY[:16],
            "BACKSTOP_PUBLIC_URL": self.addresses.api,
            "BACKSTOP_TENANT": TENANT,
            "BACKSTOP_AUDIENCE": AUDIENCE,
            "BACKSTOP_AUTHORITY": self.addresses.issuer,
            "WEBSITE_AUTH_ENABLED": "True" if role == "responder" else "",  # the host plays it
            "BACKSTOP_CATALOG": str(self.folder / "catalog"),
            "BACKSTOP_TICK": pace.tick,
            "BACKSTOP_LEASE_S": str(pace.lease_s),
            "BACKSTOP_PATIENCE_S": str(pace.patience_s),
            "BACKSTOP_WATCH_EVERY_S": "0",  # at every tick: a soak takes seconds here
            "BACKSTOP_SWEEP_EVERY_S": str(pace.sweep_every_s),
            "BACKSTOP_SEAL_EVERY_S": str(pace.seal_every_s),
            **({"BACKSTOP_SIGNING_KEY": str(self.signing_key)} if role == "executor" else {}),
            "BACKSTOP_HEALTH_EVERY_S": str(pace.health_every_s),
            "BACKSTOP_READINESS_EVERY_S": str(pace.readiness_every_s),
            "BACKSTOP_SEARCH_ENDPOINT": f"http://127.0.0.1:{ports.scoring}",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": (
                f"InstrumentationKey=local;IngestionEndpoint=http://127.0.0.1:{ports.logs}"
            ),
            "BACKSTOP_LOG_LAG_S": str(pace.log_lag_s),
            "BACKSTOP_LOG_BIN_S": str(pace.log_bin_s),
        }


@contextmanager
def running_world(
    folder: Path,
    *,
    pace: Pace | None = None,
    addresses: Addresses | None = None,
    tables: Path | None = None,
    catalog: Path = CATALOG,
    **plan: object,
) -> Iterator[World]:
    """Start a world that ends with the block. `plan` are further fields of `Plan`.

    Tables are kept in the folder `tables` and blobs beside it, else in memory; logs of all parts
    are in `folder/logs`. With `second=True` a service that wants approvals is played beside the
    first. So is every other service of `catalog` that has an endpoint, and with `asks` the one that
    wants approvals, as one of these.
    """
    where, speed = addresses or free_addresses(), pace or Pace()
    asks = plan.pop("asks", False) is True
    folder.mkdir(parents=True, exist_ok=True)
    second = plan.get("second") is True
    others = second or asks
    write_catalog(folder / "catalog", speed.policy, second=others, source=catalog)
    further = set(playable(folder / "catalog")) - {FIRST, SECOND.stem if second else ""}
    with Children(folder / "logs", speed.grace_s) as children:
        world = World(where, speed, folder, children)
        world.start(world.plan(further=sorted(further), **plan), tables)
        yield world
