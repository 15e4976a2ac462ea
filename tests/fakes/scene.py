"""The scene of most tests: v2 of fnol-summary has all the traffic and is bad, v1 is known good.

Everything starts from the domain's worked case, stored as the product stores it.
"""

from datetime import timedelta
from typing import Any

import msgspec

from shared.domain.alerts.alert import Alert, Condition
from shared.domain.decisions.decision import Plan
from shared.domain.decisions.endpoint import EndpointSnapshot
from shared.domain.decisions.intent import EndpointRecord, Intent
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.event import ChangeEvent
from shared.domain.incidents.incident import Incident
from shared.domain.keys import digest, shard_of
from shared.domain.message import Message
from shared.domain.row import Put
from shared.protocol.commit import incident_row
from shared.protocol.leftovers import Effect
from shared.protocol.listing import point_to
from shared.protocol.records import release_row
from tests.fakes.services import FakeServices, Outside, make_settings
from tests.shared.domain.decisions import worked_case as case

# As the owners of fnol-summary chose: a full cutover leaves no version to contrast with.
REASONS = ("index-moved", "prompt-moved", "flags-moved", "short-capacity", "freeze")
SERVICE = msgspec.structs.replace(
    case.SERVICE, policy=msgspec.structs.replace(case.POLICY, approve_when=REASONS)
)
SHARD = shard_of(SERVICE.name)
NOW = case.NOW
TARGET = case.TARGET
KEYS = {contact.pager: f"key of {contact.name}" for contact in SERVICE.contacts}
SNAPSHOT: EndpointSnapshot = msgspec.structs.replace(case.SNAPSHOT, traffic={"v2": 100})
INCIDENT: Incident = msgspec.structs.replace(
    case.INCIDENT,
    id=f"INC-{SHARD}-261123-0A1B2C3D",
    sequence=2,
    correlation_keys=("burn-rate",),
    firing=("burn-rate",),
)
DIAGNOSIS: Diagnosis = msgspec.structs.replace(
    case.DIAGNOSIS, incident=INCIDENT.id, served_version="v2"
)
PLAN = Plan(
    id="plan-1",
    incident=INCIDENT.id,
    service=SERVICE.name,
    target=TARGET,
    bad="v2",
    good="v1",
    before={"v2": 100},
    after={"v1": 100, "v2": 0},
    fingerprint=SNAPSHOT.fingerprint,
)
RECORD: EndpointRecord = msgspec.structs.replace(
    case.RECORD, serving="v2", serving_since=NOW - timedelta(seconds=70)
)


def new_services(**settings: Any) -> FakeServices:
    """An empty world with the service in its catalog, and one process in it."""
    outside = Outside(now=NOW, snapshot=SNAPSHOT, services=[SERVICE])
    return FakeServices(outside, make_settings(**{"pager_keys": KEYS, **settings}))


async def store_incident(services: FakeServices, **changes: Any) -> Incident:
    """The incident of the worked case, stored and listed."""
    incident = msgspec.structs.replace(INCIDENT, **changes)
    await point_to(services, incident)
    row = incident_row(incident.id)
    await services.state.write(SHARD, [Put(row=row, value=incident)])
    return incident


async def store_case(services: FakeServices, **changes: Any) -> Incident:
    """The incident, with everything that a decision about it rests on."""
    incident = await store_incident(services, **changes)
    writes = [
        Put(row=f"diagnosis|{incident.id}", value=DIAGNOSIS),
        Put(row=f"endpoint|{digest(TARGET)}", value=RECORD),
        Put(row=release_row(case.GOOD_RELEASE), value=case.GOOD_RELEASE),
        Put(row=release_row(case.LIVE), value=case.LIVE),
    ]
    await services.state.write(SHARD, writes)
    services.scoring.failing.add("v2")
    return incident


async def incident_now(services: FakeServices, incident: str = INCIDENT.id) -> Incident:
    """The incident as it is stored now."""
    found = await services.state.read(SHARD, incident_row(incident), Incident)
    assert found is not None, incident
    return found.value


async def record_now(services: FakeServices) -> EndpointRecord:
    """The endpoint's record as it is stored now."""
    found = await services.state.read(SHARD, f"endpoint|{digest(TARGET)}", EndpointRecord)
    assert found is not None
    return found.value


async def intent_now(services: FakeServices, plan: str = PLAN.id) -> Intent:
    """The plan's intent as it is stored now."""
    found = await services.state.read(SHARD, f"intent|{plan}", Intent)
    assert found is not None, plan
    return found.value


def effects_done(services: FakeServices, incident: str = INCIDENT.id) -> list[Effect]:
    """The cards and pages of an incident that are done with."""
    rows = services.state.rows(SHARD, f"effect|{incident}|")
    effects = [services.state.peek(SHARD, row, Effect) for row in rows]
    return [effect for effect in effects if effect.done_at is not None]


def told(services: FakeServices) -> list[ChangeEvent]:
    """Every event that went to the bus, in order."""
    changes = services.bus.published["changes"]
    return [msgspec.json.decode(message.body, type=ChangeEvent) for message in changes]


def kinds(services: FakeServices) -> list[str]:
    """What happened, by the events that went to the bus."""
    return services.bus.subjects("changes")


def message(subject: str, body: str = INCIDENT.id, **changes: Any) -> Message:
    """A command as the bus hands it out."""
    return Message(subject=subject, body=body, message_id=f"{subject}:{body}", **changes)


def fired(rule: str = "5xx", *, severity: int | None = 1, target: str = TARGET) -> Alert:
    """An alert about the endpoint that fired a minute ago."""
    return Alert(
        delivery_key=digest(rule, target, "fired"),
        correlation_key=digest(rule, target),
        alert_id=f"/alerts/{rule}",
        rule=rule,
        kind="metric",
        condition=Condition.FIRED,
        severity=severity,
        targets=(target,),
        fired_at=NOW - timedelta(seconds=60),
        summary=f"{rule}: RequestsFailed is 42, above 5",
    )


def ended(alert: Alert) -> Alert:
    """The same trouble's end, ten seconds ago."""
    return msgspec.structs.replace(
        alert,
        delivery_key=digest(alert.delivery_key, "ended"),
        condition=Condition.RESOLVED,
        resolved_at=NOW - timedelta(seconds=10),
    )
