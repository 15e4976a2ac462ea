"""What the tests of incidents share: one alert, one service, and a world to fold over."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from shared.domain.alerts.alert import Alert, Condition
from shared.domain.catalog import Contact, Service, Target, TargetKind
from shared.domain.incidents.incident import Claim, DeliveryOutcome, Incident, Severity, Step
from shared.domain.incidents.triage import triage
from shared.domain.keys import digest
from shared.domain.noise.grouping import Group, group_of

NOW = datetime(2026, 11, 20, 9, 20, tzinfo=UTC)
ENDPOINT = "/subscriptions/s/workspaces/mlw-claims/onlineendpoints/fnol-summary"
SHARD = "07"


def at(minute: float) -> datetime:
    return datetime(2026, 11, 20, 9, 0, tzinfo=UTC) + timedelta(minutes=minute)


SERVICE = Service(
    name="fnol-summary",
    title="First notice of loss",
    owner="claims-platform",
    tier=1,
    rto_s=900,
    rpo_requests=0,
    contacts=(
        Contact(name="On call", role="responder", pager="claims"),
        Contact(name="Lead", role="commander", pager="lead"),
    ),
    targets=(Target(kind=TargetKind.ONLINE_ENDPOINT, id=ENDPOINT),),
    slos=(),
)


def fired(
    minute: float, rule: str = "5xx", severity: int | None = 1, *, target: str = ENDPOINT
) -> Alert:
    about = () if target == ENDPOINT else (target,)
    return Alert(
        delivery_key=digest(rule, "fired", str(minute), *about),
        correlation_key=digest(rule, *about),
        alert_id=f"/alerts/{rule}",
        rule=rule,
        kind="metric",
        condition=Condition.FIRED,
        severity=severity,
        targets=(target,),
        fired_at=at(minute),
        summary=f"{rule}: RequestsFailed is 42, above 5 on fnol-summary",
    )


def resolved(minute: float, began: float, rule: str = "5xx", *, target: str = ENDPOINT) -> Alert:
    beginning = fired(began, rule, target=target)
    return msgspec.structs.replace(
        beginning,
        delivery_key=digest(beginning.correlation_key, "resolved", str(minute)),
        condition=Condition.RESOLVED,
        resolved_at=at(minute),
    )


def opened(severity: Severity = Severity.SEV1, service: str = "fnol-summary") -> Incident:
    return Incident(
        id="INC-07-261120-0A1B2C3D",
        service=service,
        target=ENDPOINT,
        title="First notice of loss: 5xx",
        severity=severity,
        severity_reasons=("Azure Sev1 on a tier 1 service: SEV1",),
        sequence=1,
        opened_at=at(0),
        changed_at=at(0),
        correlation_keys=(digest("5xx"),),
        firing=(digest("5xx"),),
    )


class World:
    """The rows that triage reads and writes, and every step that it took."""

    def __init__(self, service: Service | None = SERVICE) -> None:
        self.service = service
        self.incidents: dict[str, Incident] = {}
        self.claims: dict[str, Claim] = {}
        self.groups: dict[str, Group] = {}
        self.steps: list[Step] = []

    def take(self, alert: Alert) -> Step:
        claim = self.claims.get(alert.correlation_key)
        group = self.group_of(alert)
        step = triage(
            alert,
            service=self.service,
            claim=claim,
            open_incident=self.open_of(claim, group),
            now=NOW,
            shard=SHARD,
        )
        if step.incident:
            self.incidents[step.incident.id] = step.incident
            if group and step.outcome is DeliveryOutcome.OPENED:
                self.groups[group.row] = group.opened(step.incident)
        if step.claim:
            self.claims[alert.correlation_key] = step.claim
        self.steps.append(step)
        return step

    def take_all(self, alerts: Iterable[Alert]) -> "World":
        for alert in alerts:
            self.take(alert)
        return self

    def group_of(self, alert: Alert) -> Group | None:
        first = group_of(alert, self.service)
        return self.groups.get(first.row, first) if first else None

    def open_of(self, claim: Claim | None, group: Group | None) -> Incident | None:
        """The open incident of the alert's own trouble, else of its target."""
        ids = [claim.incident or "" if claim else "", group.incident if group else ""]
        found = [self.incidents[one] for one in ids if one in self.incidents]
        return next((one for one in found if one.state.is_open()), None)

    def open(self) -> list[Incident]:
        return [incident for incident in self.incidents.values() if incident.state.is_open()]
