"""What the tests of incidents share: one alert, one service, and a world to fold over."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from shared.domain.alert import Alert, Condition
from shared.domain.catalog import Contact, Service, Target, TargetKind
from shared.domain.incident import Claim, Incident, Severity, Step
from shared.domain.keys import digest
from shared.domain.triage import triage

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


def fired(minute: float, rule: str = "5xx", severity: int | None = 1) -> Alert:
    return Alert(
        delivery_key=digest(rule, "fired", str(minute)),
        correlation_key=digest(rule),
        alert_id=f"/alerts/{rule}",
        rule=rule,
        kind="metric",
        condition=Condition.FIRED,
        severity=severity,
        targets=(ENDPOINT,),
        fired_at=at(minute),
        summary=f"{rule}: RequestsFailed is 42, above 5 on fnol-summary",
    )


def resolved(minute: float, began: float, rule: str = "5xx") -> Alert:
    return msgspec.structs.replace(
        fired(began, rule),
        delivery_key=digest(rule, "resolved", str(minute)),
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
        self.steps: list[Step] = []

    def take(self, alert: Alert) -> Step:
        claim = self.claims.get(alert.correlation_key)
        step = triage(
            alert,
            service=self.service,
            claim=claim,
            open_incident=self.incidents.get(claim.incident or "") if claim else None,
            now=NOW,
            shard=SHARD,
        )
        if step.incident:
            self.incidents[step.incident.id] = step.incident
        if step.claim:
            self.claims[alert.correlation_key] = step.claim
        self.steps.append(step)
        return step

    def take_all(self, alerts: Iterable[Alert]) -> "World":
        for alert in alerts:
            self.take(alert)
        return self

    def open(self) -> list[Incident]:
        return [incident for incident in self.incidents.values() if incident.state.is_open()]
