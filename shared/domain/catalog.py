"""The reviewed data that policy rests on: services, their objectives, contacts and rollback policy.

One YAML file describes one service; `shared.adapters.catalog` reads it into these types. Everything
that may move traffic comes from here and from nowhere else: an alert's own text selects a service
only where the alert's targets belong to it.
"""

from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec

from shared.domain.freezes.freeze import Calendar, FreezeWindow
from shared.domain.incidents.incident import Severity
from shared.domain.keys import digest
from shared.domain.slos.slo import Slo
from shared.domain.windows import Window


class Mode(StrEnum):
    """How far Backstop may go for a service. A new service is observed only."""

    OBSERVE = "observe"
    RECOMMEND = "recommend"
    APPROVE = "approve"
    AUTOMATIC = "automatic"


class TargetKind(StrEnum):
    """What kind of thing serves the traffic. Only kinds with an adapter can be rolled back."""

    ONLINE_ENDPOINT = "online-endpoint"
    AGENT = "agent"
    MODEL_DEPLOYMENT = "model-deployment"


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that serves the service's traffic. `id` is its ARM id, lower case."""

    kind: TargetKind
    id: str
    capabilities: tuple[str, ...] = ()


class Contact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person or rotation to page, in the order of the list. `pager` names the routing key."""

    name: str
    role: str
    pager: str


REASONS_TO_ASK = (
    "index-moved",
    "prompt-moved",
    "flags-moved",
    "short-capacity",
    "freeze",
    "customer-impact",
    "compliance-tag",
    "low-confidence",
)
"""What may turn `automatic` into a question; a policy that names none has all of them."""


class Emergency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What waives an approval, as the owners approved before: so severe, and burning so fast.

    `severity` is the mildest that counts, `burn_rate` is that of the policy's both windows.
    """

    severity: Severity
    burn_rate: float


class RollbackPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When traffic may move without a person, and what is too much noise to be told one by one.

    Times in seconds, shares from 0 to 1.
    """

    id: str = "default"
    burn_rate: float = 4.0
    short_window: str = "5m"
    long_window: str = "1h"
    minimum_requests: int = 50
    cooldown_s: int = 900
    max_rollbacks_per_hour: int = 2
    probes: int = 20
    probe_pass_share: float = 0.95
    soak_s: int = 86_400
    soak_minimum_requests: int = 500
    verify_after_s: int = 60
    verify_checks: int = 3
    acknowledge_within_s: int = 300
    storm_alerts: int = 10
    flap_window_s: int = 1_800
    approval_expires_s: int = 900
    quorum: int = 1
    deployer_may_approve: bool = False
    approve_when: tuple[str, ...] = REASONS_TO_ASK
    emergency: Emergency | None = None  # without it nothing waives an approval
    review_days: int = 5  # working days until a mandatory review is due
    report_major_within_s: int = 0  # from the classification as SEV0 or SEV1; 0: to nobody


class Dependency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that the service needs. `kind` is service, model, tool, index or region.

    `endpoint` is where an index is searched, and `watermark` its documents' field that says when
    each was written: by these a health check asks how fresh it is.
    """

    name: str
    kind: str = "service"
    endpoint: str = ""
    watermark: str = ""


class Service(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One AI service as its owners describe it. `tier` 1 is the most important of three."""

    name: str
    title: str
    owner: str
    tier: int
    rto_s: int
    rpo_requests: int
    contacts: tuple[Contact, ...]
    targets: tuple[Target, ...]
    slos: tuple[Slo, ...]
    mode: Mode = Mode.OBSERVE
    policy: RollbackPolicy = RollbackPolicy()
    dependencies: tuple[Dependency, ...] = ()
    dependents: tuple[str, ...] = ()  # filled in by the loader from the other files
    regions: tuple[str, ...] = ()
    maintenance: tuple[Window, ...] = ()
    freezes: tuple[FreezeWindow, ...] = ()
    resources: tuple[str, ...] = ()  # further ARM id prefixes whose alerts are this service's
    time_zone: str = "UTC"
    runbook: str = ""
    index_max_age_s: int = 3600
    customer_impact: bool = False
    compliance: tuple[str, ...] = ()  # rules that the service falls under, such as "dora"
    signals: tuple[str, ...] = ()  # the app ids, lower case, whose signals are the service's own
    probe: dict[str, Any] = {}  # a request that it answers well, where it has no golden cases
    file: str = ""

    @cached_property
    def policy_hash(self) -> str:
        """Changes when anything changes that a decision rests on."""
        rests_on = (
            (self.mode, self.policy, self.slos, self.tier, self.parents),
            (self.maintenance, self.freezes, self.customer_impact, self.compliance),
        )
        return digest(msgspec.json.encode(rests_on).decode())

    @property
    def parents(self) -> tuple[str, ...]:
        """The services that it depends on."""
        return tuple(one.name for one in self.dependencies if one.kind == "service")

    def latency_threshold_ms(self) -> float:
        """The slowest answer that still counts as good; one hour where no objective says so."""
        found = [slo.latency_ms for slo in self.slos if slo.latency_ms is not None]
        return min(found, default=3_600_000.0)

    def owns(self, resource_id: str) -> bool:
        """Whether an ARM id is one of the service's targets or lies under one of its resources."""
        wanted = resource_id.lower()
        exact = {target.id for target in self.targets}
        under = tuple(prefix.rstrip("/") + "/" for prefix in (*exact, *self.resources))
        return wanted in exact or wanted in self.resources or wanted.startswith(under)


UNOWNED = Service(
    name="",
    title="No owning service",
    owner="",
    tier=3,
    rto_s=0,
    rpo_requests=0,
    contacts=(
        Contact(name="Duty officer", role="whoever watches over all services", pager="duty"),
    ),
    targets=(),
    slos=(),
)
"""Stands in for a service where none owns the target, or its file is broken: who is paged then."""


class CatalogMistake(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong in a service's file, where, and what would be right."""

    file: str
    line: int
    field: str
    problem: str
    allowed: str = ""
    service: str = ""


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """All services whose file is in order, and the mistakes of those whose file is not."""

    services: dict[str, Service] = {}
    mistakes: tuple[CatalogMistake, ...] = ()
    calendar: Calendar = Calendar()
    broken_targets: dict[str, str] = {}  # what broken files name, and by which service's file

    def mistakes_about(self, targets: tuple[str, ...]) -> tuple[CatalogMistake, ...]:
        """The mistakes of the first broken file that names one of the targets, or what holds it."""
        for target in targets:
            for named, service in self.broken_targets.items():
                if target == named or target.startswith(f"{named}/"):
                    return self.broken(service)
        return ()

    def broken(self, name: str) -> tuple[CatalogMistake, ...]:
        """The mistakes that keep the service of this name from being acted on."""
        return tuple(mistake for mistake in self.mistakes if mistake.service == name)
