"""Prices and assumptions, read from the one file that holds them."""

from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("prices.yaml")


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section of the file: nothing unknown stands in it."""


class RulePrice(_Part, frozen=True):
    """A log alert rule with one time series, and each further series; a month."""

    rule: float
    series: float


class Functions(_Part, frozen=True):
    """Flex Consumption."""

    always_ready_gb_s: float
    on_demand_gb_s: float
    least_s: float
    per_million: float


class Bus(_Part, frozen=True):
    """Service Bus Standard."""

    base: float
    included_millions: float
    per_million: float


class Storage(_Part, frozen=True):
    """Tables and blobs."""

    table_gb: float
    table_million: float
    blob_gb: float
    blob_writes_10k: float


class Vault(_Part, frozen=True):
    """The signing key."""

    signatures_10k: float


class Logs(_Part, frozen=True):
    """Log Analytics, paid by ingestion."""

    gb: float
    free_gb: float


class PerService(_Part, frozen=True):
    """What one service does in a month."""

    requests: int
    failing_share: float
    kept_share: float
    rows_per_request: int
    row_kb: float
    incidents: float
    alerts_per_incident: float


class Usage(_Part, frozen=True):
    """What is assumed of a month."""

    always_ready: int
    memory_gb: float
    tick_s: float
    tick_runs_s: float
    tick_table_reads: int
    per_service: PerService
    rows_per_execution: int
    messages_per_incident: int
    bus_operations_per_message: int
    rows_per_incident: int
    kb_per_incident: float
    months_kept: int
    seals: int


class Prices(_Part, frozen=True):
    """All of it. `rules` is by the minutes between two looks."""

    as_of: str
    region: str
    currency: str
    rules: dict[int, RulePrice]
    functions: Functions
    bus: Bus
    storage: Storage
    vault: Vault
    logs: Logs
    usage: Usage


def read_prices(path: Path = FILE) -> Prices:
    """The file. Raises msgspec.ValidationError, naming the field."""
    return msgspec.yaml.decode(path.read_bytes(), type=Prices, strict=False)
