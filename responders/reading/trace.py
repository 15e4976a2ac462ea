"""Trace: of what a version is made, and who uses what. GET changes nothing and costs O(answer)."""

from shared.domain.catalog import Service
from shared.domain.decisions.release import Release
from shared.domain.lineage.artifact import Artifact, ArtifactKind, release_id
from shared.domain.lineage.difference import compare_releases
from shared.domain.lineage.sighting import Sighting
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import RejectedInput
from shared.protocol.lineage import (
    list_releases,
    list_users,
    read_release,
    read_sightings,
    share_of,
)
from shared.services import Services


async def show_releases(services: Services, request: Request) -> Answer:
    """A service's releases, newest first, each with its live share; paged by `after`."""
    service = _service(services, request)
    releases, following = await list_releases(
        services, service.name, after=request.query.get("after", ""), limit=request.limit()
    )
    sightings = await read_sightings(services, service)
    shown = [await _described(services, release, sightings) for release in releases]
    return json_answer({"service": service.name, "releases": shown, "next": following})


async def show_release(services: Services, request: Request) -> Answer:
    """One release by its version or id: what it is made of, and whether it serves.

    Raises NotFound.
    """
    service = _service(services, request)
    release = await read_release(services, service.name, request.path["version"])
    sightings = await read_sightings(services, service)
    standing = [one for sighting in sightings for one in sighting.standing]
    unattributed = [one for one in standing if one.finding.release == release.version]
    described = await _described(services, release, sightings)
    return json_answer({**described, "unattributed": unattributed})


async def show_difference(services: Services, request: Request) -> Answer:
    """What changed between two releases of a service, field by field. Raises NotFound."""
    service = _service(services, request)
    a, b = (request.query.get(name, "") for name in ("a", "b"))
    if not a or not b:
        raise RejectedInput("no-release", "say which two: ?service=NAME&a=VERSION&b=VERSION")
    first = await read_release(services, service.name, a)
    return json_answer(compare_releases(first, await read_release(services, service.name, b)))


async def show_lineage(services: Services, request: Request) -> Answer:
    """The endpoint versions that used a dataset, prompt or model, newest first; by `after`."""
    artifact = _artifact(request)
    names = [_service(services, request).name] if "service" in request.query else None
    users, following = await list_users(
        services,
        names or list(services.catalog.services),
        artifact,
        after=request.query.get("after", ""),
        limit=request.limit(),
    )
    known = services.catalog.services
    seen = {
        name: await read_sightings(services, known[name]) for name in {u.service for u in users}
    }
    used_by = [await _described(services, user, seen[user.service]) for user in users]
    return json_answer({artifact.kind: artifact.name, "used_by": used_by, "next": following})


def _service(services: Services, request: Request) -> Service:
    name = request.query.get("service", "")
    service = services.catalog.services.get(name)
    if service is None:
        known = ", ".join(sorted(services.catalog.services))
        raise RejectedInput("unknown-service", f"say which service: ?service=NAME; known: {known}")
    return service


def _artifact(request: Request) -> Artifact:
    asked = [(kind, request.query[kind]) for kind in ArtifactKind if request.query.get(kind)]
    if len(asked) != 1:
        raise RejectedInput("no-artifact", "say one of ?prompt=NAME, ?dataset=NAME and ?model=NAME")
    kind, name = asked[0]
    return Artifact(kind=kind, name=name)


async def _described(
    services: Services, release: Release, sightings: list[Sighting]
) -> dict[str, object]:
    return {
        "id": release_id(release),
        "release": release,
        "live_percent": await share_of(services, release, sightings),
    }
