"""The plan of a simulation: its ports and how the world in it behaves, given as one JSON file."""

from pathlib import Path

import msgspec


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Loopback ports, one a service."""

    bus: int
    logs: int
    arm: int
    scoring: int
    inbox: int
    control: int
    issuer: int

    @property
    def authority(self) -> str:
        """The address of the issuer, without a slash."""
        return f"http://127.0.0.1:{self.issuer}"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to play. Times in seconds.

    `fuse_s`: how long v2 serves well before it fails. `equally_bad`: v1 fails as v2 does.
    `block_writes`: ARM refuses every traffic write of the executor. `rule_every_s`: how often an
    alert rule looks that looks every minute in Azure; its windows pass `rule_pace` times as
    quickly. `alert_url`: where it posts. `second`: the second service is there, too. `further`:
    the names of services that are served besides, as their files in this world say.
    """

    ports: Ports
    alert_url: str
    data: str
    rate_per_s: float = 30.0
    operation_s: float = 2.0
    lock_s: int = 10
    log_lag_s: float = 1.0
    log_bin_s: float = 1.0
    fuse_s: float = 6.0
    rule_every_s: float = 2.0
    rule_pace: float = 12.0
    equally_bad: bool = False
    block_writes: bool = False
    second: bool = False
    further: tuple[str, ...] = ()


def read_plan(path: Path) -> Plan:
    """Read the file that `infra.local.world` has written."""
    return msgspec.json.decode(path.read_bytes(), type=Plan)
