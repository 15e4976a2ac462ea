"""One incident at fnol-summary, as a card or page would find it. Tests change one thing of it."""

from datetime import UTC, datetime, timedelta

from shared.domain.catalog import Contact, Mode, Service, Target, TargetKind
from shared.domain.decisions.decision import Decision, Plan, RuleResult, Verdict
from shared.domain.diagnosis.diagnosis import (
    Attribution,
    Cause,
    Diagnosis,
    Finding,
    Health,
    Sign,
    Suspect,
)
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.slos.slo import Slo
from shared.domain.views.card import CardView

ONSET = datetime(2026, 11, 23, 13, 3, 12, tzinfo=UTC)
NOW = ONSET + timedelta(minutes=6)
ENDPOINT = (
    "/subscriptions/0b1f6471-1bf0-4dda-aec3-111122223333/resourcegroups/claims"
    "/providers/microsoft.machinelearningservices/workspaces/claims/onlineendpoints/fnol-summary"
)

SERVICE = Service(
    name="fnol-summary",
    title="First notice of loss summaries",
    owner="Claims platform",
    tier=1,
    rto_s=900,
    rpo_requests=0,
    contacts=(Contact(name="Dana Reyes", role="on-call", pager="CLAIMS"),),
    targets=(Target(kind=TargetKind.ONLINE_ENDPOINT, id=ENDPOINT),),
    slos=(Slo(name="availability", sli="availability", objective=0.99),),
    mode=Mode.APPROVE,
    regions=("westeurope", "northeurope", "francecentral", "swedencentral"),
    time_zone="Europe/Stockholm",
    runbook="https://runbooks.example/fnol-summary",
    customer_impact=True,
)

INCIDENT = Incident(
    id="INC-07-261123-9F3A01BC",
    service="fnol-summary",
    target=ENDPOINT,
    title="fnol-summary failure rate",
    severity=Severity.SEV1,
    severity_reasons=("tier 1 service", "customers are affected"),
    state=State.DIAGNOSED,
    opened_at=ONSET + timedelta(seconds=68),
    changed_at=NOW,
    onset_at=ONSET,
)

PLAN = Plan(
    id="plan-1",
    incident=INCIDENT.id,
    service="fnol-summary",
    target=ENDPOINT,
    bad="v2",
    good="v1",
    before={"v2": 100},
    after={"v1": 100},
    fingerprint="8c0f2a4417be99d1",
)

DECISION = Decision(
    incident=INCIDENT.id,
    verdict=Verdict.NEEDS_APPROVAL,
    would_be=Verdict.ROLL_BACK,
    mode=Mode.APPROVE,
    reason="all rules passed; the service's mode asks for a person.",
    rules=(RuleResult(rule="still-breached", passed=True, observed="46 %", required="> 4 %"),),
    plan=PLAN,
    decided_at=NOW,
    hash="c2f1" * 8,
)

DIAGNOSIS = Diagnosis(
    incident=INCIDENT.id,
    made_at=NOW,
    health=Health.BREACHED,
    sentence="v2 fails 46 % of requests in swedencentral since 13:03:12.",
    findings=(
        Finding(
            kind="partial-outage",
            signal=Sign.BAD,
            sentence="swedencentral fails 46 % of requests, the other regions 0.2 %.",
            query="partial_outage",
        ),
        Finding(
            kind="index",
            signal=Sign.GOOD,
            sentence="policy-wordings is 12 s old.",
            query="index",
        ),
    ),
    suspects=(
        Suspect(
            change="rel-2",
            kind="release",
            what="v2 took all traffic at 13:02:34",
            who="release pipeline",
            at=ONSET - timedelta(seconds=38),
            score=0.9,
        ),
    ),
    attribution=Attribution(cause=Cause.VERSION, version="v2"),
    onset_at=ONSET,
    served_version="v2",
    affected="region=swedencentral",
    requests=890,
    bad_requests=412,
    bad_share=412 / 890,
    regions_hit=("swedencentral",),
    ruled_out=("index fresh: policy-wordings is 12 s old",),
    unanswered=("latency: only part of the rows came back",),
)

VIEW = CardView(
    incident=INCIDENT,
    service=SERVICE,
    diagnosis=DIAGNOSIS,
    decision=DECISION,
    now=NOW,
    incident_url="https://backstop.example/incidents/INC-07-261123-9F3A01BC",
    acknowledge_url="https://backstop.example/incidents/INC-07-261123-9F3A01BC/acknowledge",
    approval_url="https://backstop.example/approvals/plan-1",
)
