"""The only reader of the environment: every setting, its meaning and its default.

An unset or unknown role registers no function and says so. In Azure the values come from app
settings, locally from `infra.local.world`. Unknown values fail closed with the setting's name.
"""

import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from shared.errors import Misconfigured

BUS_CONNECTION = "BACKSTOP_BUS"  # also the `connection` that the triggers name
TICK_SCHEDULE = "BACKSTOP_TICK"  # an NCRONTAB expression, read by the host itself
PUBLIC_CLOUD = "https://login.microsoftonline.com"  # the authority of Microsoft Entra
LEAST_DAYS = 184
SHORTEST_KEY = 32  # characters of the redaction key
_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_WHO = re.compile(f"{_ID}/{_ID}")
UNRESOLVED = "@Microsoft.KeyVault"
"""How a value begins that Azure could not get from Key Vault: it is the reference itself."""
DEFAULT_CATALOG = Path(__file__).parent / "catalog"


class Role(StrEnum):
    """Which of the two function apps this process is."""

    RESPONDER = "responder"  # public HTTP, no ARM write
    EXECUTOR = "executor"  # ARM write and ledger, no public HTTP
    NONE = "none"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of one process. `local` is true only outside Azure; times are in seconds."""

    role: Role
    tables: str
    bus: str
    logs_workspace: str
    logs_endpoint: str
    arm_endpoint: str
    teams_url: str
    pager_url: str
    pager_fallback_url: str
    pager_keys: dict[str, str]
    public_url: str
    catalog: Path
    instance: str
    log_lag_s: float
    log_bin_s: float
    lease_s: float
    write_deadline_s: float
    watch_every_s: float
    patience_s: float
    local: bool
    sweep_every_s: float = 300.0
    budget_every_s: float = 300.0
    readiness_every_s: float = 86_400.0
    own_host: str = ""  # the app's name on the net, besides public_url; the platform says it
    own_subscription: str = ""  # where Backstop itself is, and its alert rules
    health_every_s: float = 0.0  # 0: as often as each service's golden cases say
    search_endpoint: str = ""  # in place of what files say; never in Azure
    insights: str = ""  # where the product's own events go; without it nowhere
    drills_url: str = ""  # the page that breaks things on purpose; never in Azure
    tenant: str = ""  # whose tokens are valid; without it every call is refused
    audience: str = ""  # the client id of our app registration; the same holds for it
    authority: str = PUBLIC_CLOUD  # another one never in Azure
    easy_auth: bool = False  # the platform signs browsers in, and says so itself
    blobs: str = ""  # where seals, copies and bundles go; the responder only reads
    redaction_key: str = ""  # of the tokens that stand for what is personal; needed in Azure
    signing_key: str = ""  # a Key Vault key's URL; a file outside Azure only
    vault: str = ""  # whose secrets the platform puts into this app's settings
    seal_every_s: float = 300.0
    deployed_by: str = ""  # "tenant/object" of whom the configuration is from
    retain_changes_days: float = 2557.0
    retain_incidents_days: float = 731.0
    retain_intake_days: float = 184.0

    @property
    def logs_behind_s(self) -> float:
        """How long it takes until the logs surely know what has happened: the lag, and its bin."""
        return self.log_lag_s + self.log_bin_s

    @property
    def retention_days(self) -> dict[str, float]:
        """How long the bodies of each class of records are kept."""
        return {
            "changes": self.retain_changes_days,
            "incidents": self.retain_incidents_days,
            "intake": self.retain_intake_days,
        }


def read_role(env: Mapping[str, str] = os.environ) -> Role:
    """The role alone: all that is needed to register the functions."""
    wanted = env.get("BACKSTOP_ROLE", "")
    return Role(wanted) if wanted in set(Role) else Role.NONE


def read_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """Everything else, read when the first client is needed.

    Raises Misconfigured with the name of the setting that is missing or not understood.
    """
    local = "WEBSITE_SITE_NAME" not in env and "WEBSITE_INSTANCE_ID" not in env
    return Settings(
        role=read_role(env),
        tables=_required(env, "BACKSTOP_TABLES"),
        bus=env.get(BUS_CONNECTION) or _required(env, f"{BUS_CONNECTION}__fullyQualifiedNamespace"),
        logs_workspace=_required(env, "BACKSTOP_LOGS_WORKSPACE"),
        logs_endpoint=env.get("BACKSTOP_LOGS_ENDPOINT", ""),
        arm_endpoint=env.get("BACKSTOP_ARM_ENDPOINT", ""),
        teams_url=_secret(env, "BACKSTOP_TEAMS_URL"),
        pager_url=env.get("BACKSTOP_PAGER_URL", "https://events.pagerduty.com/v2/enqueue"),
        pager_fallback_url=_secret(env, "BACKSTOP_PAGER_FALLBACK_URL"),
        pager_keys=_pager_keys(env),
        public_url=env.get("BACKSTOP_PUBLIC_URL", "").rstrip("/"),
        catalog=Path(env.get("BACKSTOP_CATALOG") or DEFAULT_CATALOG),
        instance=env.get("WEBSITE_INSTANCE_ID") or f"local-{os.getpid()}",
        log_lag_s=_number(env, "BACKSTOP_LOG_LAG_S", 120.0),
        log_bin_s=_number(env, "BACKSTOP_LOG_BIN_S", 60.0),
        lease_s=_number(env, "BACKSTOP_LEASE_S", 120.0),
        write_deadline_s=_number(env, "BACKSTOP_WRITE_DEADLINE_S", 60.0),
        watch_every_s=_number(env, "BACKSTOP_WATCH_EVERY_S", 300.0),
        patience_s=_number(env, "BACKSTOP_PATIENCE_S", 60.0),
        local=local,
        sweep_every_s=_number(env, "BACKSTOP_SWEEP_EVERY_S", 300.0),
        budget_every_s=_number(env, "BACKSTOP_BUDGET_EVERY_S", 300.0),
        readiness_every_s=_number(env, "BACKSTOP_READINESS_EVERY_S", 86_400.0),
        own_host=env.get("WEBSITE_HOSTNAME", "").lower(),
        own_subscription=env.get("BACKSTOP_SUBSCRIPTION", "").lower(),
        health_every_s=_number(env, "BACKSTOP_HEALTH_EVERY_S", 0.0),
        search_endpoint=env.get("BACKSTOP_SEARCH_ENDPOINT", "") if local else "",
        insights=env.get("APPLICATIONINSIGHTS_CONNECTION_STRING", ""),
        drills_url=env.get("BACKSTOP_DRILLS_URL", "") if local else "",
        tenant=env.get("BACKSTOP_TENANT", "").lower(),
        audience=_audience(env),
        authority=_authority(env, local=local),
        easy_auth=env.get("WEBSITE_AUTH_ENABLED") == "True",
        blobs=env.get("BACKSTOP_BLOBS", ""),
        redaction_key=_redaction_key(env, local=local),
        signing_key=env.get("BACKSTOP_SIGNING_KEY", ""),
        vault=env.get("BACKSTOP_VAULT", ""),
        deployed_by=_deployer(env),
        seal_every_s=_number(env, "BACKSTOP_SEAL_EVERY_S", 300.0),
        retain_changes_days=_days(env, "BACKSTOP_RETAIN_CHANGES_DAYS", 2557.0),
        retain_incidents_days=_days(env, "BACKSTOP_RETAIN_INCIDENTS_DAYS", 731.0),
        retain_intake_days=_days(env, "BACKSTOP_RETAIN_INTAKE_DAYS", 184.0),
    )


def _secret(env: Mapping[str, str], name: str) -> str:
    """A secret, empty where nobody has set it in the vault yet."""
    value = env.get(name, "")
    return "" if value.startswith(UNRESOLVED) else value


def _redaction_key(env: Mapping[str, str], *, local: bool) -> str:
    """Without a key what is personal still goes, but nothing correlates: on this machine only."""
    key = _secret(env, "BACKSTOP_REDACTION_KEY")
    if not local and len(key) < SHORTEST_KEY:
        raise Misconfigured(f"BACKSTOP_REDACTION_KEY must have {SHORTEST_KEY} characters")
    return key


def _deployer(env: Mapping[str, str]) -> str:
    """Who deployed, as events name people and programs: never by a name that can be changed."""
    who = env.get("BACKSTOP_DEPLOYED_BY", "").lower()
    if who and not _WHO.fullmatch(who):
        raise Misconfigured("BACKSTOP_DEPLOYED_BY must be TENANT/OBJECT, two ids of Entra")
    return who


def _audience(env: Mapping[str, str]) -> str:
    """The client id, also where it was given as the URI that is made of it."""
    return env.get("BACKSTOP_AUDIENCE", "").lower().removeprefix("api://")


def _authority(env: Mapping[str, str], *, local: bool) -> str:
    """Who issues tokens: Entra, and on a developer's machine alone somebody else."""
    authority = (env.get("BACKSTOP_AUTHORITY") or PUBLIC_CLOUD).rstrip("/")
    if authority != PUBLIC_CLOUD and not local:
        raise Misconfigured(f"BACKSTOP_AUTHORITY may not be set in Azure: it is {PUBLIC_CLOUD}")
    return authority


def _pager_keys(env: Mapping[str, str]) -> dict[str, str]:
    """Routing keys by the name that a contact's `pager` gives: BACKSTOP_PAGER_KEY_CLAIMS_AI."""
    prefix = "BACKSTOP_PAGER_KEY_"
    found = {name: _secret(env, name) for name in env if name.startswith(prefix)}
    return {_pager_name(name.removeprefix(prefix)): key for name, key in found.items() if key}


def _pager_name(suffix: str) -> str:
    return suffix.lower().replace("_", "-")


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise Misconfigured(f"{name} is not set")
    return value


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(env.get(name) or default)
    except ValueError:
        raise Misconfigured(f"{name} is not a number") from None
    if not 0 <= value <= 86_400:  # noqa: PLR2004 - one day; also refuses NaN and infinity
        raise Misconfigured(f"{name} must lie between 0 and 86400 seconds")
    return value


def _days(env: Mapping[str, str], name: str, default: float) -> float:
    """How long records are kept: no less than the six months that the EU AI Act asks for."""
    days = _number(env, name, default)
    if days < LEAST_DAYS:
        raise Misconfigured(f"{name} must be at least {LEAST_DAYS} days")
    return days
