"""The scenario of the spine: v2 has failed in one region for a while, v1 is known good.

Customers are well from the moment on which the endpoint really serves v1: the logs answer by what
the simulated endpoint does, so a cure shows only where there was one. Alerts arrive as the bytes
that Azure Monitor posts. They and the logs hold what must never be told on: `SECRETS`.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.alerts.alert import parse_alert
from shared.domain.catalog import REASONS_TO_ASK, Service
from shared.domain.decisions.control import KillSwitch
from shared.domain.decisions.endpoint import Deployment, EndpointSnapshot
from shared.domain.decisions.intent import EndpointRecord, Rollback
from shared.domain.decisions.release import Release
from shared.domain.freezes.freeze import Freeze
from shared.domain.incidents.incident import Claim, Incident, Severity
from shared.domain.keys import digest, shard_of
from shared.domain.row import Put
from shared.domain.slos.slo import BudgetAction
from shared.domain.windows import Once
from shared.protocol.listing import point_to
from shared.protocol.records import BUDGETS, CONTROLS, release_row
from tests.fakes.services import FakeServices, Outside
from tests.shared.domain.diagnosis.telemetry_story import SERVICE as SHIPPED
from tests.shared.domain.diagnosis.telemetry_story import (
    START,
    V1_GOOD,
    seconds,
)
from tests.shared.domain.slos.states import asking_for
from tests.simulation.scenario_logs import NOW, SECRETS, TARGET, ScenarioLogs
from tests.simulation.scenario_scoring import FickleScoring
from tests.simulation.scene import BAD_RELEASE, Scene
from tests.simulation.scheduler import Scheduler

__all__ = ["KEYS", "NOW", "SECRETS", "SERVICE", "SHARD", "body", "new_outside", "store_scene"]

SURE_ENOUGH = tuple(reason for reason in REASONS_TO_ASK if reason != "low-confidence")
POLICY = msgspec.structs.replace(SHIPPED.policy, acknowledge_within_s=60, approve_when=SURE_ENOUGH)
APP = "0a1b2c3d-0000-4000-8000-00000000aaaa"  # whose signals are the service's own
SERVICE = msgspec.structs.replace(SHIPPED, policy=POLICY, signals=(APP,))
SHARD = shard_of(SERVICE.name)
KEYS = {contact.pager: f"key of {contact.name}" for contact in SERVICE.contacts}
SNAPSHOT = EndpointSnapshot(
    target=TARGET,
    traffic={"v1": 0, "v2": 100},
    mirror={},
    state="Succeeded",
    last_modified="2026-11-23T14:03:00Z",
    deployments=(
        Deployment(name="v1", state="Succeeded", instances=2),
        Deployment(name="v2", state="Succeeded", instances=2),
    ),
    scoring_uri="http://127.0.0.1/score",
    read_at=NOW,
)
FREEZE = Freeze(
    scope="*",
    on=True,
    by="Kim",
    role="Commander",
    reason="the accounts close",
    at=NOW,
    expires_at=NOW + timedelta(days=1),
)
RECORD = EndpointRecord(
    target=TARGET,
    service=SERVICE.name,
    known_good=V1_GOOD,
    serving="v2",
    serving_since=START + seconds(180),
)


def release(version: str, deployment: str, at: datetime) -> Release:
    """A release as the pipeline registered it."""
    return Release(
        service=SERVICE.name,
        version=version,
        deployment=deployment,
        who="pipeline",
        why="release",
        registered_at=at,
    )


RELEASES = (
    release(V1_GOOD.version, "v1", START - timedelta(days=4)),
    release("2.0", "v2", START + seconds(170)),
)


def service_of(scene: Scene) -> Service:
    """The service as its file says in a scene."""
    end = NOW + scene.maintenance
    window = Once(start=NOW - timedelta(hours=1), end=end, reason="the index is rebuilt")
    windows = (window,) if scene.maintenance else ()
    return msgspec.structs.replace(SERVICE, mode=scene.mode, maintenance=windows)


def new_outside(scheduler: Scheduler, scene: Scene = BAD_RELEASE) -> Outside:
    """The world before the alert."""
    outside = Outside(now=NOW, snapshot=SNAPSHOT, services=[service_of(scene)], turns=scheduler)
    outside.logs = ScenarioLogs(scheduler, outside.endpoints, scene)
    if scene.fickle:
        outside.scoring = FickleScoring(scheduler, outside.endpoints)
    outside.scoring.failing.add("v2")
    if scene.good_fails:
        outside.scoring.failing.add("v1")
    return outside


async def store_scene(services: FakeServices, scene: Scene = BAD_RELEASE) -> None:
    """What was known before the alert: the endpoint's record, the releases, what was done."""
    record = msgspec.structs.replace(RECORD, rollbacks=tuple(map(_rollback, scene.rollbacks)))
    await services.state.write(SHARD, [Put(row=f"endpoint|{digest(TARGET)}", value=record)])
    for one in RELEASES:
        await services.state.write(SHARD, [Put(row=release_row(one), value=one)])
    if scene.switch_on:
        switch = KillSwitch(scope="*", on=True, by="Kim", reason="a drill", at=NOW)
        await services.state.write(CONTROLS, [Put(row="kill|*", value=switch)])
    if scene.frozen:
        await services.state.write(CONTROLS, [Put(row="freeze|*", value=FREEZE)])
    if scene.spent:
        asks = asking_for(BudgetAction.APPROVE, SERVICE.name)
        await services.state.write(CONTROLS, [Put(row=f"{BUDGETS}|{SERVICE.name}|slo", value=asks)])
    if scene.rolled_back:
        await _store_earlier(services)


def _rollback(minutes: int) -> Rollback:
    return Rollback(
        incident="INC-00-261123-00000000",
        plan=f"plan-{minutes}",
        at=NOW - timedelta(minutes=minutes),
        away_from="v3",
        back_to="v1",
    )


async def _store_earlier(services: FakeServices) -> None:
    """An open incident of the alerts' trouble that was rolled back once, to no avail."""
    keys = [parse_alert(body(number), NOW).correlation_key for number in (1, 2)]
    incident = Incident(
        id=f"INC-{SHARD}-261123-0A1B2C3D",
        service=SERVICE.name,
        target=TARGET,
        title="Failures",
        severity=Severity.SEV1,
        severity_reasons=(),
        opened_at=NOW,
        changed_at=NOW,
        alerts=0,
        automatic_rollbacks=1,
    )
    await point_to(services, incident)
    await services.state.write(SHARD, [Put(row=f"incident|{incident.id}", value=incident)])
    for key in keys:
        claim = Claim(correlation_key=key, incident=incident.id)
        await services.state.write(SHARD, [Put(row=f"claim|{key}", value=claim)])


def body(number: int) -> bytes:
    """An alert about the endpoint; another number is another rule about the same target."""
    address, telephone, signature = SECRETS.values()
    essentials = {
        "alertId": f"/subscriptions/x/providers/Microsoft.AlertsManagement/alerts/{number}",
        "originAlertId": f"origin-{number}",
        "alertRule": f"rule-{number}",
        "severity": "Sev1",
        "signalType": "Log",
        "monitorCondition": "Fired",
        "monitoringService": "Log Alerts V2",
        "alertTargetIDs": [TARGET],
        "firedDateTime": (NOW - timedelta(seconds=30)).isoformat(),
        "description": f"{address}, {telephone}, complains: https://x.example/?{signature}",
    }
    criterion = {
        "searchQuery": f"AppRequests | where Caller == '{telephone}'",
        "operator": "GreaterThan",
        "threshold": "14.4",
        "metricValue": 31.4 if number == 1 else None,  # else the description tells what is seen
        "dimensions": [
            {"name": "customer", "value": address},
            {"name": "call", "value": telephone},
        ],
    }
    context = {"conditionType": "LogQueryCriteria", "condition": {"allOf": [criterion]}}
    data = {"essentials": essentials, "alertContext": context, "customProperties": None}
    return msgspec.json.encode({"schemaId": "azureMonitorCommonAlertSchema", "data": data})


def signal(number: int) -> bytes:
    """A signal about the endpoint; another number is another objective of the service."""
    told = {
        "id": f"signal-{number}",
        "service": SERVICE.name,
        "slo": SERVICE.slos[number - 1].name,
        "window": "1m",
        "good": 3 * number,
        "total": 90,
        "source": "telemetry-helper",
        "region": "swedencentral",
        "ended_at": NOW - timedelta(seconds=30),
    }
    return msgspec.json.encode(told)
