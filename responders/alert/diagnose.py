"""Diagnose: run the service's KQL, find what is bad, since when and whose fault it is.

Third step of the flow. Gathers what the workspace answers and what changed lately, asks the pure
`diagnose`, stores the diagnosis and hands the incident to the executor.
"""

import asyncio
from datetime import datetime, timedelta

from shared.domain.catalog import Service
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.decisions.release import Change, Release
from shared.domain.diagnosis.diagnose import diagnose as find_out
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.domain.diagnosis.tenants import counted_since, name_tenants
from shared.domain.incidents.incident import Incident, State, Step
from shared.domain.incidents.patience import Patience, next_look, wake_meanwhile
from shared.domain.incidents.severity import raise_severity
from shared.domain.incidents.steps import record_diagnosis
from shared.domain.message import WORK, Message
from shared.domain.slos.burn_query import burn_query
from shared.protocol.commit import command, read_incident
from shared.protocol.records import read_record, read_releases
from shared.protocol.revise import Revision, revise
from shared.services import Services

SHORTEST_LOOK_BACK = timedelta(minutes=30)
LONGEST_LOOK_BACK = timedelta(hours=6)
BINS = 600  # of one answer; with a few versions and regions each, below the limit of its rows
CHANGES_LOOK_BACK = timedelta(days=1)
BASELINE_WEEKS = 3
TENANTS_WITHIN_S = 3.0
MINUTE = timedelta(minutes=1)  # finer bins only make a longer answer

type Parameters = dict[str, str | datetime | timedelta | bool | int | float]


async def diagnose(services: Services, message: Message) -> None:
    """Diagnose the incident that the message names. Raises NotFound, Conflict, Unavailable.

    Its body is `INCIDENT` or `INCIDENT:LOOK`: which look it is must not depend on how often a part
    that is out kept one from being taken.
    """
    name, _, number = message.body.partition(":")
    look = int(number) if number.isdecimal() else 1
    was = await read_incident(services, name)
    if not _waits(was.value):
        return
    incident, service = was.value, services.catalog.services.get(was.value.service)
    now = services.now()
    if service is None:
        return
    record = (await read_record(services, service, incident.target)).value
    releases = await read_releases(services, service)
    answers = await _ask(services, service, incident, now)
    found = find_out(
        incident=incident,
        service=service,
        answers=answers,
        changes=_changes(releases, record),
        known_good=record.known_good,
        now=now,
    )
    due = _next_look(services, service, look, incident, found)
    if due is not None:
        await _wake_meanwhile(services, service, incident, found)
        again = command("diagnose", f"{incident.id}:{look + 1}", f"at-{due:%H%M%S}", due)
        await services.bus.publish(WORK, [again])
        return
    found = await _with_tenants(services, service, found)

    def take(current: Incident) -> Revision:
        if not _waits(current):
            # Its decision rests on the diagnosis that came first, which must stay beside it.
            return Revision(step=Step(incident=None, reason="somebody else has diagnosed it"))
        step = record_diagnosis(current, found, raise_severity(current, found), now)
        return Revision(step=step, told={"diagnosis": found})

    await revise(services, incident.id, take)


def _waits(incident: Incident) -> bool:
    """Whether a diagnosis is due: the first, or one of what is wrong after a recovery."""
    return incident.state is State.OPENED or (incident.unexplained and incident.state.is_open())


def _next_look(
    services: Services, service: Service, look: int, incident: Incident, found: Diagnosis
) -> datetime | None:
    """When to look again; None where what was found counts."""
    settings = services.settings
    return next_look(
        found,
        incident,
        minimum_requests=service.policy.minimum_requests,
        patience=Patience(
            lasts=timedelta(seconds=settings.patience_s),
            lag=timedelta(seconds=settings.logs_behind_s),
        ),
        look=look,
        now=services.now(),
    )


async def _wake_meanwhile(
    services: Services, service: Service, incident: Incident, found: Diagnosis
) -> None:
    """Let nobody sleep who is to be woken by what is known, though it is looked again."""
    if incident.severity.pages():
        return
    known, now = await _with_tenants(services, service, found), services.now()

    def take(current: Incident) -> Revision:
        if not _waits(current):
            return Revision(step=Step(incident=None, reason="somebody else has diagnosed it"))
        return Revision(step=wake_meanwhile(current, known, now))

    await revise(services, incident.id, take)


async def _with_tenants(services: Services, service: Service, found: Diagnosis) -> Diagnosis:
    """Say who is hurt since the onset; it must not keep a decision waiting for long."""
    since, slow = counted_since(found), service.latency_threshold_ms()
    if since is None:
        return found
    try:
        async with asyncio.timeout(TENANTS_WITHIN_S):
            answer = await services.logs.query(
                "tenants", Service=service.name, Since=since, LatencyThresholdMs=slow
            )
    except TimeoutError:
        late = f"no answer within {TENANTS_WITHIN_S:g} s"
        answer = QueryAnswer(name="tenants", status=AnswerStatus.TIMED_OUT, detail=late)
    return name_tenants(found, answer, service)


def _look_back(narrowest: timedelta) -> tuple[timedelta, timedelta]:
    """How far back to look for the onset, and in bins of which width."""
    look_back = min(max(narrowest * BINS, SHORTEST_LOOK_BACK), LONGEST_LOOK_BACK)
    return look_back, max(narrowest, look_back / BINS)


async def _ask(
    services: Services, service: Service, incident: Incident, now: datetime
) -> dict[str, QueryAnswer]:
    look_back, width = _look_back(timedelta(seconds=services.settings.log_bin_s))
    since = incident.opened_at - look_back
    recent: Parameters = {"Service": service.name, "Since": since}
    asked: dict[str, Parameters] = {
        "onset": {**recent, "Bin": width},
        "slices": {**recent, "Until": now},
        "versions": recent,
        "tool_failures": recent,
        "content_safety": recent,
        "dependencies": recent,
        "outcomes": {**recent, "BaselineWeeks": BASELINE_WEEKS},
        "anomalies": {"Service": service.name, "Window": timedelta(hours=6), "Bin": MINUTE},
        "index_freshness": {"Service": service.name},
        "activity": {"ResourceId": incident.target, "Since": now - CHANGES_LOOK_BACK},
    }
    answers = await asyncio.gather(
        services.logs.query(burn_query(service)),
        *(services.logs.query(name, **given) for name, given in asked.items()),
    )
    return {answer.name: answer for answer in answers}


def _changes(releases: list[Release], record: EndpointRecord) -> list[Change]:
    shipped = [
        Change(
            id=f"release {release.version}",
            kind="release",
            at=release.registered_at,
            what=f"release {release.version} on deployment {release.deployment}",
            who=release.who,
            deployment=release.deployment,
        )
        for release in releases
    ]
    if record.serving and record.serving_since:
        moved = Change(
            id=f"traffic to {record.serving}",
            kind="traffic",
            at=record.serving_since,
            what=f"traffic moved to {record.serving}",
            deployment=record.serving,
            resource=record.target,
        )
        return [*shipped, moved]
    return shipped
