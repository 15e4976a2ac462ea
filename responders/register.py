"""Register: a pipeline or a person says which version was released, with its lineage."""

import msgspec

from shared.domain.authority.caller import is_caller_id
from shared.domain.decisions.release import Registration, Release, tell_registered
from shared.domain.freezes.frozen import promotions_frozen
from shared.domain.keys import shard_of
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import Conflict, RejectedInput
from shared.protocol.commit import commit
from shared.protocol.lineage import (
    list_releases,
    newest_release_on,
    order_puts,
    release_puts,
)
from shared.protocol.records import read_controls, release_row
from shared.services import Services

LONGEST = 1_000  # what the bus does not take the ledger never learns


async def register(services: Services, request: Request) -> Answer:
    """Keep a release. The same release again answers 200, another one of the same name 409.

    Raises RejectedInput, Conflict, Unavailable.
    """
    # Before it is compared with what is kept, in which nothing secret or personal is.
    asked = services.redactor.struct(request.read(Registration))
    _check(services, asked)
    caller, now = request.actor, services.now()
    controls = await read_controls(services)
    frozen = promotions_frozen(services.catalog, controls, asked.service, now)
    release = Release(
        **msgspec.structs.asdict(asked),
        who=caller.id,
        role=caller.role,
        freeze=frozen.cite(now) if frozen is not None else "",
        registered_at=now,
    )
    known = await _known(services, release)
    if known is not None:
        return await _again(services, known, release)
    puts, told = release_puts(release), tell_registered(release, await _before(services, release))
    try:
        await commit(services, shard_of(release.service), puts, events=[told])
    except Conflict:  # somebody else has just said something of this release
        known = await _known(services, release)
        if known is None:
            raise
        return await _again(services, known, release)
    return _answer(release, 201)


async def _known(services: Services, release: Release) -> Release | None:
    found = await services.state.read(shard_of(release.service), release_row(release), Release)
    return found.value if found else None


async def _before(services: Services, release: Release) -> Release | None:
    """What was declared last: for its deployment, else for its service."""
    same = await newest_release_on(services, release.service, release.deployment)
    others, _ = await list_releases(services, release.service, limit=1)
    return same or next(iter(others), None)


def _check(services: Services, asked: Registration) -> None:
    if asked.service not in services.catalog.services:
        known = ", ".join(sorted(services.catalog.services))
        raise RejectedInput("unknown-service", f"no service {asked.service!r}; known: {known}")
    empty = [name for name in ("version", "deployment", "why") if not getattr(asked, name).strip()]
    if empty:
        raise RejectedInput("empty-field", f"{', '.join(empty)} must not be empty")
    if asked.started_by and not is_caller_id(asked.started_by):
        raise RejectedInput("wrong-person", "started_by must be an id, tenant/object in Entra")
    said = msgspec.structs.asdict(asked)
    long = [name for name, value in said.items() if len(value) > LONGEST]  # texts, and one list
    if long:
        raise RejectedInput("too-long", f"{', '.join(long)} may have {LONGEST} characters")


async def _again(services: Services, known: Release, release: Release) -> Answer:
    """What is known already; what was registered before there was a lineage is listed from now."""
    if not release.is_again(known):
        raise Conflict(f"release {release.version} is registered already, with other contents")
    await services.state.write(shard_of(known.service), order_puts(known))
    return _answer(known, 200)


def _answer(release: Release, status: int) -> Answer:
    """The release, with a warning if it was made in a change freeze: nothing stops a pipeline."""
    if not release.freeze:
        return json_answer(release, status)
    warning = f"This release was registered during the {release.freeze}"
    return json_answer({**msgspec.to_builtins(release), "warning": warning}, status)
