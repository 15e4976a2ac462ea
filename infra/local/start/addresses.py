"""The addresses of a world that is left running: the same ones each time, where they are free."""

from infra.local.ports import free_port, is_free
from infra.local.simulation.plan import Ports
from infra.local.world import Addresses

PREFERRED = {"responder": 7071, "executor": 7072, "inbox": 7073, "drills": 7074, "scoring": 7075}


def choose_addresses() -> tuple[Addresses, int]:
    """All addresses, and the port of the drills page; a port that is taken becomes a free one."""
    chosen = {name: port if is_free(port) else free_port() for name, port in PREFERRED.items()}
    hidden = {name: free_port() for name in ("bus", "logs", "arm", "control", "issuer")}
    ports = Ports(scoring=chosen["scoring"], inbox=chosen["inbox"], **hidden)
    where = Addresses(
        tables=free_port(),
        blobs=free_port(),
        responder=chosen["responder"],
        executor=chosen["executor"],
        ports=ports,
    )
    return where, chosen["drills"]


def tell_addresses(where: Addresses, drills: str) -> dict[str, str]:
    """What a script needs to find the world."""
    return {
        "api": where.api,
        "inbox": where.inbox,
        "endpoint": where.endpoint,
        "drills": drills,
        "issuer": where.issuer,
    }
