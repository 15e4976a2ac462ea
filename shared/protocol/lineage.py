"""Lineage: the rows by which releases are found, and what a look at an endpoint remembers.

A release is written once, with a row for each question that is asked of it, in one transaction: by
its version, by time, by its deployment, and by each artifact that it is made of. All hold the
release itself, which never changes, so an answer is one range read, newest first.
"""

import asyncio
import re
from collections.abc import Iterable

from shared.domain.catalog import Service, TargetKind
from shared.domain.decisions.endpoint import TargetRef, parse_target
from shared.domain.decisions.release import Release
from shared.domain.keys import digest, shard_of
from shared.domain.lineage.artifact import Artifact, artifacts_of
from shared.domain.lineage.sighting import Sighting
from shared.domain.row import MUST_NOT_EXIST, Put, Stored
from shared.errors import NotFound
from shared.protocol.records import BY_TIME, newest_first, release_row
from shared.services import Services

_ID = re.compile("[0-9a-f]{32}")


def release_puts(release: Release) -> list[Put]:
    """Every row of a release; its own must not exist, so a version is registered once."""
    own = Put(row=release_row(release), value=release, etag=MUST_NOT_EXIST)
    return [own, *order_puts(release)]


def order_puts(release: Release) -> list[Put]:
    """The rows that find a release; written again they are the same."""
    place = newest_first(release)
    prefixes = [
        f"{BY_TIME}|{release.service}|",
        _deployment_prefix(release.service, release.deployment),
        *(_artifact_prefix(artifact) for artifact in artifacts_of(release)),
    ]
    return [Put(row=f"{prefix}{place}", value=release) for prefix in prefixes]


async def list_releases(
    services: Services, service: str, *, after: str = "", limit: int = 50
) -> tuple[list[Release], str]:
    """A page of a service's releases, newest first, and behind what the next page begins."""
    prefix = f"{BY_TIME}|{service}|"
    begin = f"{prefix}{after}" if after else ""
    rows = await services.state.scan(
        shard_of(service), prefix, Release, after=begin, limit=limit + 1
    )
    releases = [row.value for row in rows[:limit]]
    return releases, newest_first(releases[-1]) if len(rows) > limit else ""


async def read_release(services: Services, service: str, version: str) -> Release:
    """The release of that version, or of that id. Raises NotFound."""
    keys = [digest(version), *([version] if _ID.fullmatch(version) else [])]
    for key in keys:
        row = f"release|{service}|{key}"
        found = await services.state.read(shard_of(service), row, Release)
        if found is not None:
            return found.value
    raise NotFound(f"no release {version} of {service}")


async def newest_release_on(services: Services, service: str, deployment: str) -> Release | None:
    """The newest release that was registered for a deployment: one row."""
    prefix = _deployment_prefix(service, deployment)
    rows = await services.state.scan(shard_of(service), prefix, Release, limit=1)
    return rows[0].value if rows else None


async def list_users(
    services: Services, names: Iterable[str], artifact: Artifact, *, after: str = "", limit: int
) -> tuple[list[Release], str]:
    """A page of the releases of these services that use an artifact, newest first.

    One range read a shard of theirs, each at most a page long: the cost is that of the answer.
    """
    shards = sorted({shard_of(name) for name in names})
    prefix = _artifact_prefix(artifact)
    begin = f"{prefix}{after}" if after else ""
    found = await asyncio.gather(
        *(
            services.state.scan(shard, prefix, Release, after=begin, limit=limit + 1)
            for shard in shards
        )
    )
    wanted = set(names)
    rows = sorted((row.row, row.value) for part in found for row in part)
    releases = [release for _, release in rows[:limit] if release.service in wanted]
    following = rows[limit - 1][0].removeprefix(prefix) if len(rows) > limit else ""
    return releases, following


async def read_sighting(
    services: Services, service: Service, target: TargetRef
) -> Stored[Sighting] | None:
    """What the last look at a target saw; None before the first."""
    return await services.state.read(shard_of(service.name), sighting_row(target.id), Sighting)


async def read_sightings(services: Services, service: Service) -> list[Sighting]:
    """What was last seen of each of a service's endpoints."""
    every = endpoints_of(service)
    found = await asyncio.gather(*(read_sighting(services, service, one) for one in every))
    return [stored.value for stored in found if stored is not None]


def endpoints_of(service: Service) -> list[TargetRef]:
    """The targets of a service whose traffic and deployments can be read."""
    kind = TargetKind.ONLINE_ENDPOINT
    return [parse_target(one.id) for one in service.targets if one.kind is kind]


def sighting_row(target: str) -> str:
    """The row of a target's sighting in its service's shard."""
    return f"sighting|{digest(target)}"


async def share_of(services: Services, release: Release, sightings: Iterable[Sighting]) -> int:
    """The live share of a release, in percent: none where a newer one has its deployment."""
    share = max((one.share(release.deployment) for one in sightings), default=0)
    if not share:
        return 0
    newest = await newest_release_on(services, release.service, release.deployment)
    return share if newest is not None and newest.version == release.version else 0


def _deployment_prefix(service: str, deployment: str) -> str:
    return f"release-on|{service}|{digest(deployment.lower())}|"


def _artifact_prefix(artifact: Artifact) -> str:
    return f"used|{artifact.kind}|{digest(artifact.name)}|"
