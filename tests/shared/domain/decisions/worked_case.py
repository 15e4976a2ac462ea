"""One valid case, from which the tests of the decision change one thing at a time.

v2 took 20 % of the traffic 40 s ago and fails in swedencentral, v1 is the known good and passes its
probe: everything speaks for going back to v1 without a person.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.domain.catalog import Contact, Mode, RollbackPolicy, Service, Target, TargetKind
from shared.domain.decisions.case import Case
from shared.domain.decisions.control import Controls, KillSwitch
from shared.domain.decisions.endpoint import Deployment, EndpointSnapshot, ProbeReport
from shared.domain.decisions.intent import EndpointRecord, Rollback
from shared.domain.decisions.release import KnownGood, Release
from shared.domain.diagnosis.diagnosis import Attribution, Burn, Cause, Diagnosis, Ground, Health
from shared.domain.freezes.frozen import Frozen
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.slos.slo import Slo

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
TARGET = (
    "/subscriptions/s/resourcegroups/rg/providers/microsoft.machinelearningservices"
    "/workspaces/ws/onlineendpoints/fnol-summary"
)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def alter[T: msgspec.Struct](value: T, /, **changes: Any) -> T:
    """The same value with some fields changed."""
    return msgspec.structs.replace(value, **changes)


POLICY = RollbackPolicy()
SERVICE = Service(
    name="fnol-summary",
    title="First notice of loss",
    owner="claims",
    tier=1,
    rto_s=900,
    rpo_requests=0,
    contacts=(
        Contact(name="Ada", role="on call", pager="a" * 32),
        Contact(name="Ben", role="lead", pager="b" * 32),
        Contact(name="Cleo", role="manager", pager="c" * 32),
    ),
    targets=(Target(kind=TargetKind.ONLINE_ENDPOINT, id=TARGET, capabilities=("split",)),),
    slos=(
        Slo(name="fnol-availability", sli="availability", objective=0.99),
        Slo(name="fnol-latency", sli="latency", objective=0.95, latency_ms=2000.0),
    ),
    mode=Mode.AUTOMATIC,
    probe={"claim_id": "P-1", "region": "westeurope", "text": "Hail on the roof."},
)
INCIDENT = Incident(
    id="INC-07-261123-0A1B2C3D",
    service="fnol-summary",
    target=TARGET,
    title="Error budget burns",
    severity=Severity.SEV1,
    severity_reasons=("tier 1",),
    state=State.DIAGNOSED,
    opened_at=ago(30),
    changed_at=ago(10),
    onset_at=ago(60),
)
BURN = Burn(
    slo="fnol-availability",
    sli="availability",
    dimension="deployment",
    value="v2",
    windows={"5m": (400, 200, 50.0), "1h": (400, 200, 50.0), "3d": (400, 200, 50.0)},
)
DIAGNOSIS = Diagnosis(
    incident=INCIDENT.id,
    made_at=ago(10),
    health=Health.BREACHED,
    sentence="v2 fails 46 % of requests in swedencentral.",
    burns=(BURN,),
    attribution=Attribution(
        cause=Cause.VERSION, version="v2", reasons=("v1 is fine there",), grounds=tuple(Ground)
    ),
    onset_at=ago(60),
    affected="region=swedencentral",
    requests=400,
    bad_requests=200,
    bad_share=0.5,
    regions_hit=("swedencentral",),
)
SNAPSHOT = EndpointSnapshot(
    target=TARGET,
    traffic={"v1": 80, "v2": 20},
    mirror={},
    state="Succeeded",
    last_modified="2026-11-23T14:04:00Z",
    deployments=(
        Deployment(name="v1", state="Succeeded", instances=2),
        Deployment(name="v2", state="Succeeded", instances=2),
        Deployment(name="old", state="Succeeded", instances=1),
    ),
    scoring_uri="http://127.0.0.1/score",
    read_at=ago(1),
)
KNOWN_GOOD = KnownGood(
    deployment="v1",
    version="1.4.0",
    earned_at=ago(86_400),
    soaked_s=86_400,
    requests=40_000,
    instances=2,
    prompt_revision="p7",
    index_version="i3",
    flags_version="f1",
)
RECORD = EndpointRecord(target=TARGET, service="fnol-summary", known_good=KNOWN_GOOD)
GOOD_RELEASE = Release(
    service="fnol-summary",
    version="1.4.0",
    deployment="v1",
    who="pipeline",
    why="release",
    registered_at=ago(200_000),
    prompt_revision="p7",
    index_version="i3",
    flags_version="f1",
)
LIVE = alter(GOOD_RELEASE, version="1.5.0", deployment="v2", prompt_revision="p8")
GOOD_PROBE = ProbeReport(
    deployment="v1", region="swedencentral", sent=20, passed=20, answered_by={"v1": 20}
)
BAD_PROBE = ProbeReport(
    deployment=None, region="swedencentral", sent=20, passed=15, answered_by={"v1": 15, "v2": 5}
)
BLAMED_FAILS = ProbeReport(
    deployment="v2", region="swedencentral", sent=20, passed=9, answered_by={"v2": 20}
)
BLAMED_PASSES = alter(BLAMED_FAILS, passed=20)
CASE = Case(
    service=SERVICE,
    incident=INCIDENT,
    diagnosis=DIAGNOSIS,
    snapshot=SNAPSHOT,
    record=RECORD,
    live=LIVE,
    good_release=GOOD_RELEASE,
    target_probe=GOOD_PROBE,
    live_probe=BAD_PROBE,
    controls=Controls(),
    now=NOW,
)
FROZEN = Frozen(
    name="Year end",
    scope="*",
    reason="accounts are closed",
    zone="Europe/Amsterdam",
    until=NOW + timedelta(hours=3),
)
KILL_SWITCH = KillSwitch(scope="*", on=True, by="t/o", reason="storm", at=ago(5))
ROLLBACK = Rollback(
    incident="INC-07-261123-FFFFFFFF",
    plan="p",
    at=ago(100),
    away_from="v3",
    back_to="v1",
)


def with_service(**changes: Any) -> Case:
    return alter(CASE, service=alter(SERVICE, **changes))


def with_policy(**changes: Any) -> Case:
    return with_service(policy=alter(POLICY, **changes))


def with_incident(**changes: Any) -> Case:
    return alter(CASE, incident=alter(INCIDENT, **changes))


def with_diagnosis(**changes: Any) -> Case:
    return alter(CASE, diagnosis=alter(DIAGNOSIS, **changes))


def with_cause(cause: Cause, *, version: str = "", dependency: str = "") -> Case:
    blamed = Attribution(cause=cause, version=version, dependency=dependency, grounds=tuple(Ground))
    return with_diagnosis(attribution=blamed)


def with_snapshot(**changes: Any) -> Case:
    return alter(CASE, snapshot=alter(SNAPSHOT, **changes))


def with_good_deployment(**changes: Any) -> Case:
    first, *others = SNAPSHOT.deployments
    return with_snapshot(deployments=(alter(first, **changes), *others))


def with_known_good(**changes: Any) -> Case:
    return alter(CASE, record=alter(RECORD, known_good=alter(KNOWN_GOOD, **changes)))


def with_rollbacks(*rollbacks: Rollback) -> Case:
    return alter(CASE, record=alter(RECORD, rollbacks=rollbacks))


def with_target_probe(**changes: Any) -> Case:
    return alter(CASE, target_probe=alter(GOOD_PROBE, **changes))


def with_good_release(**changes: Any) -> Case:
    return alter(CASE, good_release=alter(GOOD_RELEASE, **changes))


def with_windows(**windows: tuple[int, int, float | None]) -> Case:
    """Other burn windows, named m5 and h1, with nothing else that speaks for acting."""
    named = {{"m5": "5m", "h1": "1h"}[key]: value for key, value in windows.items()}
    quiet = alter(CASE, live_probe=None)
    return alter(quiet, diagnosis=alter(DIAGNOSIS, burns=(alter(BURN, windows=named),)))
