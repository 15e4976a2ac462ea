"""Register: a pipeline or a person says which version was released, with its lineage."""

from datetime import datetime

import msgspec

from shared.domain.event import ChangeEvent, EventKind
from shared.domain.http import Answer, Request, json_answer
from shared.domain.keys import digest, shard_of
from shared.domain.release import Release
from shared.domain.row import MUST_NOT_EXIST, Put
from shared.errors import Conflict, RejectedInput
from shared.protocol.commit import commit
from shared.protocol.records import release_row
from shared.services import Services


class ReleaseRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be said of a release; the versions and digests are opaque strings."""

    service: str
    version: str
    deployment: str
    who: str
    why: str
    model: str = ""
    model_artifact: str = ""
    prompt_revision: str = ""
    dataset_version: str = ""
    index_version: str = ""
    flags_version: str = ""
    configuration_digest: str = ""


async def register(services: Services, request: Request) -> Answer:
    """Keep a release. The same release again answers 200, another one of the same name 409.

    Raises RejectedInput, Conflict, Unavailable.
    """
    asked = request.read(ReleaseRequest)
    _check(services, asked)
    release = Release(**msgspec.structs.asdict(asked), registered_at=services.now())
    known = await _known(services, release)
    if known is not None:
        return _again(known, release)
    put = Put(row=release_row(release), value=release, etag=MUST_NOT_EXIST)
    event = _event(release, services.now())
    try:
        await commit(services, shard_of(release.service), [put], events=[event])
    except Conflict:  # somebody else has just said something of this release
        known = await _known(services, release)
        if known is None:
            raise
        return _again(known, release)
    return json_answer(release, 201)


async def _known(services: Services, release: Release) -> Release | None:
    found = await services.state.read(shard_of(release.service), release_row(release), Release)
    return found.value if found else None


def _check(services: Services, asked: ReleaseRequest) -> None:
    if asked.service not in services.catalog.services:
        known = ", ".join(sorted(services.catalog.services))
        raise RejectedInput("unknown-service", f"no service {asked.service!r}; known: {known}")
    empty = [name for name in ("version", "deployment", "who", "why") if not getattr(asked, name)]
    if empty:
        raise RejectedInput("empty-field", f"{', '.join(empty)} must not be empty")


def _again(known: Release, release: Release) -> Answer:
    same = msgspec.structs.replace(release, registered_at=known.registered_at) == known
    if not same:
        raise Conflict(f"release {release.version} is registered already, with other contents")
    return json_answer(known)


def _event(release: Release, now: datetime) -> ChangeEvent:
    return ChangeEvent(
        id=f"release-{digest(release.service, release.version)}",
        kind=EventKind.RELEASE_REGISTERED,
        service=release.service,
        actor=release.who,
        what=f"registered release {release.version} on deployment {release.deployment}",
        why=release.why,
        happened_at=now,
        recorded_at=now,
        after=msgspec.to_builtins(release),
        configuration_digest=release.configuration_digest,
    )
