"""A person asks for a rollback: what that makes of an incident, or the incident that it opens.

The request takes the very same road as an alert: it is diagnosed, decided, approved where policy
says so, intended, done, checked. Pure.
"""

import msgspec

from shared.domain.catalog import Service
from shared.domain.decisions.release import Release
from shared.domain.event import EventKind
from shared.domain.incidents.incident import (
    Incident,
    Severity,
    State,
    Step,
    tell,
    tell_opening,
)
from shared.domain.incidents.report_duty import ReportDuty
from shared.domain.incidents.requests import RollbackRequest
from shared.domain.incidents.steps import BUSY, refuse_resolved
from shared.domain.keys import digest
from shared.domain.wording import plain

ROAD = ("diagnose",)
WHY = "a person asks for a rollback"


def ask_for_rollback(incident: Incident, request: RollbackRequest) -> Step:
    """Take a person's request: everything is looked at and decided anew, by the request.

    A plan that waited for approval is put aside, and what was approved is forgotten: the person who
    asks now may not approve it, nor have approved it before.
    """
    if not incident.state.is_open():
        return refuse_resolved(incident)
    if incident.state in BUSY:
        return Step(incident=None, reason=f"{incident.id} is {incident.state}: traffic is moved")
    to = f"version {request.to}" if request.to else "the known good"
    step = tell(
        incident,
        EventKind.ROLLBACK_REQUESTED,
        actor=request.by,
        role=request.role,
        what=f"asked to move the traffic to {to}",
        why=request.reason,
        now=request.at,
        evidence={"to": request.to},
        changes={"state": State.OPENED, "request": request, "awaited": None},
    )
    return msgspec.structs.replace(step, commands=ROAD)


def open_for_rollback(service: Service, target: str, shard: str, request: RollbackRequest) -> Step:
    """Open the incident of a request about a target that has none."""
    unique = digest(target, request.by, request.at.isoformat())[:8].upper()
    incident = Incident(
        id=f"INC-{shard}-{request.at:%y%m%d}-{unique}",
        service=service.name,
        target=target,
        title=plain(f"{service.title}: {WHY}"),
        severity=Severity.SEV2,
        severity_reasons=(WHY,),
        opened_at=request.at,
        changed_at=request.at,
        duty=ReportDuty(within_s=service.policy.report_major_within_s),
    )
    opened = tell_opening(incident, WHY, happened_at=request.at)
    assert opened.incident is not None
    return opened.then(ask_for_rollback(opened.incident, request))


def drop_request(step: Step) -> Step:
    """The step, with the person's request answered: what is decided next asks anew for a cause."""
    if step.incident is None:
        return step
    return msgspec.structs.replace(
        step, incident=msgspec.structs.replace(step.incident, request=None)
    )


def deployed_by(*releases: Release | None) -> tuple[str, ...]:
    """Who registered the versions that a plan restores and removes, or started their pipelines."""
    known = [release for release in releases if release is not None]
    whos = {who for release in known for who in (release.who, release.started_by)}
    return tuple(sorted(whos - {""}))
