"""Register: a pipeline or a person says which version was released, with its lineage.

What was shipped is always kept: it is evidence. A pipeline that asks before it shifts traffic may
ask to be refused in a change freeze, and is its own gate then.
"""

from contextlib import suppress
from datetime import datetime

import msgspec

from shared.domain.authority.caller import Caller, is_caller_id
from shared.domain.decisions.control import Controls
from shared.domain.decisions.release import Registration, Release, tell_registered
from shared.domain.freezes.frozen import Frozen, promotions_frozen
from shared.domain.freezes.hotfix import review_hotfix
from shared.domain.freezes.promotion import (
    IfFrozen,
    RefusedPromotion,
    allows,
    is_let_by,
    tell_refused,
)
from shared.domain.keys import shard_of
from shared.domain.row import MUST_NOT_EXIST, Put, Write
from shared.domain.views.http import Answer, Request, json_answer
from shared.domain.views.problem import answer_of
from shared.domain.views.promotion import refuse_promotion
from shared.errors import Conflict, RejectedInput, Unavailable
from shared.protocol.commit import commit, incident_row
from shared.protocol.lineage import (
    list_releases,
    newest_release_on,
    order_puts,
    release_puts,
)
from shared.protocol.listing import point_to
from shared.protocol.records import read_controls, release_row
from shared.services import Services

LONGEST = 1_000  # what the bus does not take the ledger never learns


class ReleaseRequest(Registration, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is posted: a release, and what is to become of it while promotions are frozen.

    `if_frozen` is "warn" (kept and marked) or "refuse" (409, and nothing is kept).
    """

    if_frozen: IfFrozen = IfFrozen.WARN


async def register(services: Services, request: Request) -> Answer:
    """Keep a release. The same release again answers 200, another one of the same name 409.

    A change freeze answers 409 where that is asked for. Raises RejectedInput, Conflict,
    Unavailable.
    """
    # Before it is compared with what is kept, in which nothing secret or personal is.
    asked = services.redactor.struct(request.read(ReleaseRequest))
    _check(services, asked)
    caller, now = request.actor, services.now()
    controls = await read_controls(services)
    frozen = promotions_frozen(services.catalog, controls, asked.service, now)
    release = _release(asked, caller, frozen, now)
    known = await _known(services, release)
    if asked.if_frozen is IfFrozen.REFUSE and frozen is not None and not allows(known, frozen):
        return await _refuse(services, controls, release, frozen)
    if known is not None:
        return await _again(services, known, release)
    return await _keep(services, release)


def _release(
    asked: ReleaseRequest, caller: Caller, frozen: Frozen | None, now: datetime
) -> Release:
    """What is kept: what was asked of the gate is no part of it."""
    return Release(
        **asked.said(),
        who=caller.id,
        role=caller.role,
        freeze=frozen.cite(now) if frozen is not None else "",
        registered_at=now,
    )


async def _refuse(
    services: Services, controls: Controls, release: Release, frozen: Frozen
) -> Answer:
    """Tell once, for a version and a freeze, who was refused; the same answer each time."""
    if not controls.known:
        detail = "the freezes cannot be read, so all counts as frozen; nothing was registered"
        raise Unavailable("tables", detail)
    refused = RefusedPromotion(asked=release, frozen=frozen)
    put = Put(row=refused.row, value=refused, etag=MUST_NOT_EXIST)
    with suppress(Conflict):  # it is told already
        await commit(services, shard_of(release.service), [put], events=[tell_refused(refused)])
    return answer_of(refuse_promotion(refused))


async def _keep(services: Services, release: Release) -> Answer:
    """Store the release, with the review of a hotfix, in one transaction."""
    shard = shard_of(release.service)
    told = tell_registered(release, await _before(services, release))
    reviewed = review_hotfix(services.catalog.services[release.service], release, shard)
    writes: list[Write] = [*release_puts(release), *reviewed.writes]
    incident = reviewed.step.incident
    if incident is not None:
        await point_to(services, incident)
        writes.append(Put(row=incident_row(incident.id), value=incident, etag=MUST_NOT_EXIST))
    events = [told, *reviewed.step.events]
    try:
        await commit(services, shard, writes, events=events)
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
    """The release, with a warning if it was made in a change freeze."""
    if not release.freeze:
        return json_answer(release, status)
    reviewed = "; it has a mandatory review, by another person" if is_let_by(release) else ""
    warning = f"This release was registered during the {release.freeze}{reviewed}"
    return json_answer({**msgspec.to_builtins(release), "warning": warning}, status)
