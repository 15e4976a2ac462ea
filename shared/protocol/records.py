"""Records: what is stored about a service beside its incidents.

Endpoints, releases, controls; the groups of its alerts, and the count by which a storm is known.
"""

from shared.domain.catalog import Service
from shared.domain.decisions.control import Controls, KillSwitch
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.decisions.release import Release
from shared.domain.freezes.freeze import Freeze
from shared.domain.keys import digest, shard_of
from shared.domain.noise.grouping import Group
from shared.domain.noise.storm import Storm
from shared.domain.row import MUST_NOT_EXIST, Stored
from shared.domain.slos.crossing import BudgetState
from shared.errors import Unavailable
from shared.services import Services

RECENT_RELEASES = 50
BY_TIME = "release-at"  # the rows of a service's releases, newest first
FAR_US = 10**17  # microseconds; makes newer keys sort first
BUDGETS = "budget"  # the rows of what objectives have crossed, beside the controls
CONTROLS = "controls"  # a partition of its own: read for every decision, written by people


async def read_record(services: Services, service: Service, target: str) -> Stored[EndpointRecord]:
    """What is durable about a target; an empty record, not stored yet, where there is none."""
    row = f"endpoint|{digest(target)}"
    found = await services.state.read(shard_of(service.name), row, EndpointRecord)
    empty = EndpointRecord(target=target, service=service.name)
    return found or Stored(row=row, value=empty, etag=MUST_NOT_EXIST)


def release_row(release: Release) -> str:
    """The row of a release in its service's shard."""
    return f"release|{release.service}|{digest(release.version)}"


def newest_first(release: Release) -> str:
    """The end of a row's key that sorts newer releases first, to the microsecond."""
    age = FAR_US - int(release.registered_at.timestamp() * 1_000_000)
    return f"{age:018d}|{digest(release.service, release.version)}"


async def read_releases(services: Services, service: Service) -> list[Release]:
    """The newest releases of a service, newest first; older ones only where those are few.

    Rows by time are as old as the lineage: what was registered before has only its own.
    """
    shard, prefix = shard_of(service.name), f"{BY_TIME}|{service.name}|"
    rows = await services.state.scan(shard, prefix, Release, limit=RECENT_RELEASES)
    if len(rows) < RECENT_RELEASES:
        rows += await services.state.scan(shard, f"release|{service.name}|", Release)
    every = {row.value.version: row.value for row in rows}.values()
    newest = sorted(every, key=lambda r: r.registered_at, reverse=True)
    return newest[:RECENT_RELEASES]


def newest_on(releases: list[Release], deployment: str) -> Release | None:
    """The newest release that was registered for a deployment."""
    wanted = deployment.lower()
    return next((release for release in releases if release.deployment.lower() == wanted), None)


async def read_controls(services: Services) -> Controls:
    """All controls; `known` is False where they cannot be read, and then nothing acts."""
    try:
        rows = await services.state.scan(CONTROLS, "kill|", KillSwitch)
        frozen = await services.state.scan(CONTROLS, "freeze|", Freeze)
        spent = await services.state.scan(CONTROLS, f"{BUDGETS}|", BudgetState)
    except Unavailable:
        return Controls(known=False)
    return Controls(
        kill_switches=tuple(row.value for row in rows),
        freezes=tuple(row.value for row in frozen),
        budgets=tuple(row.value for row in spent),
    )


async def read_group(services: Services, shard: str, first: Group) -> Stored[Group]:
    """What is stored of a group; `first`, not stored yet, where nothing is."""
    found = await services.state.read(shard, first.row, Group)
    return found or Stored(row=first.row, value=first, etag=MUST_NOT_EXIST)


async def read_storm(services: Services, service: Service) -> Stored[Storm]:
    """The count of a service's alerts; an empty one, not stored yet, where there is none."""
    row = f"storm|{service.name}"
    found = await services.state.read(shard_of(service.name), row, Storm)
    return found or Stored(row=row, value=Storm(service=service.name), etag=MUST_NOT_EXIST)
