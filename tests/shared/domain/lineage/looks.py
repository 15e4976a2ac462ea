"""Looks at one endpoint: v1 of release 1.0 serves, v2 of release 2.0 is idle, all is declared.

A test changes one thing and says what stands then.
"""

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from shared.domain.decisions.endpoint import Deployment, EndpointSnapshot
from shared.domain.decisions.release import Release
from shared.domain.lineage.sighting import (
    ChangeKind,
    Look,
    Reported,
    Sighting,
    first_sighting,
)
from shared.domain.lineage.unattributed import compare

NOW = datetime.fromisoformat("2026-11-23T09:00:00Z")
MINUTE = timedelta(minutes=1)
LATER = timedelta(minutes=5)  # from one look to the next


def release(version: str, deployment: str, **changes: Any) -> Release:
    """A release of last week."""
    made = Release(
        service="fnol-summary",
        version=version,
        deployment=deployment,
        who="pipeline",
        why="as planned",
        prompt_revision=f"p-{version}",
        configuration_digest=f"c-{version}",
        registered_at=NOW - timedelta(days=7),
    )
    return replace(made, **changes)


ONE = release("1.0", "v1")
TWO = release("2.0", "v2", registered_at=NOW - timedelta(days=2))
PARTS = {"model": "fnol:7", "environment": "azureml:fnol:3", "variable THRESHOLD": "d1"}


def deployment(name: str, **changes: Any) -> Deployment:
    return replace(
        Deployment(name=name, state="Succeeded", instances=2, definition=PARTS), **changes
    )


SNAPSHOT = EndpointSnapshot(
    target="/an/endpoint",
    traffic={"v1": 100, "v2": 0},
    mirror={},
    state="Succeeded",
    last_modified="",
    deployments=(deployment("v1"), deployment("v2")),
    scoring_uri="",
    read_at=NOW,
)


def reports(name: str, prompt: str = "", configuration: str = "", **changes: Any) -> Reported:
    made = Reported(deployment=name, prompt=prompt, configuration=configuration, last_seen=NOW)
    return replace(made, **changes)


def looked(
    at: datetime, *releases: Release, snapshot: EndpointSnapshot = SNAPSHOT, **changes: Any
) -> Look:
    """A look at that time; the releases are the service's, newest first."""
    made = Look(
        service="fnol-summary",
        snapshot=snapshot,
        newest={one.deployment: one for one in reversed(releases)},
        recent=releases,
        reported=(reports("v1", "p-1.0", "c-1.0", last_seen=at),),
        now=at,
    )
    return replace(made, **changes)


def declared(*releases: Release) -> Sighting:
    """What is remembered once everything was seen as it is declared, five minutes ago."""
    look = looked(NOW - LATER, *(releases or (TWO, ONE)))
    sighting = compare(first_sighting(look), look)
    assert sighting.standing == ()
    return sighting


def moved(**traffic: int) -> EndpointSnapshot:
    return replace(SNAPSHOT, traffic=traffic)


def changed(name: str, **changes: Any) -> EndpointSnapshot:
    """The endpoint, with something of one deployment changed."""
    every = [replace(d, **changes) if d.name == name else d for d in SNAPSHOT.deployments]
    return replace(SNAPSHOT, deployments=tuple(every))


def standing(sighting: Sighting) -> list[ChangeKind]:
    return [one.finding.kind for one in sighting.standing]
