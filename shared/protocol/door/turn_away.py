"""Turn away: what a caller is answered whom the door does not let in, and what is kept of it.

Beside `shared.protocol.door.admit`. Nobody is told which check failed; the log and a change event
keep the reason, never the token. One event a minute tells of all refusals of a kind, and a source
that is refused very often is told to wait: whose token is valid never notices.
"""

import asyncio
import logging

import msgspec

from shared.domain.authority.caller import Caller
from shared.domain.authority.permissions import Gate, permission_of
from shared.domain.authority.refusals import tell_refused
from shared.domain.authority.refused import Reason
from shared.domain.event import ITSELF
from shared.domain.keys import shard_of
from shared.domain.redaction.redactor import BARE
from shared.domain.views.http import Answer, Request
from shared.domain.views.problem import Problem, answer_of, problem_from
from shared.domain.views.refusal import (
    CHALLENGE,
    lead_to_sign_in,
    refuse_for_now,
    refuse_page,
    refuse_role,
    refuse_unknown,
)
from shared.errors import BackstopError, Conflict, RejectedInput, Unavailable
from shared.protocol.commit import commit
from shared.services import Services

log = logging.getLogger("backstop.door")

SIGN_IN_HELPS = (Reason.NO_TOKEN, Reason.EXPIRED)
LOOK_EVERY_S = 5.0


def turn_away(services: Services, gate: Gate, request: Request, found: Caller | Reason) -> Answer:
    """The answer for whom the route is not open: 401, 403, 429, or the way to the sign-in."""
    if isinstance(found, Caller):
        return _forbid(services, gate, request, found)
    reads_page = gate.is_page and request.method == "GET"
    if reads_page and services.settings.easy_auth and found in SIGN_IN_HELPS:
        return lead_to_sign_in(request.target)
    answer = _refuse(services, gate, request, found, refuse_unknown())
    error = "" if found is Reason.NO_TOKEN else ', error="invalid_token"'
    headers = {**answer.headers, "WWW-Authenticate": CHALLENGE + error}
    return msgspec.structs.replace(answer, headers=headers)


def turn_page_away(services: Services, gate: Gate, request: Request) -> Answer:
    """The answer to a page of another site that makes use of somebody's session: 403."""
    return _refuse(services, gate, request, Reason.FOREIGN_PAGE, refuse_page())


def note_forbidden(services: Services, gate: Gate, request: Request) -> None:
    """Keep that somebody tried what their role would allow, and this very thing does not."""
    _note(services, gate, request, Reason.NOT_THEIRS)


def answer_trouble(services: Services, gate: Gate, error: BackstopError) -> Answer:
    """The answer where the door itself is in trouble; people get a page."""
    problem = problem_from(error)  # it may quote what was sent
    problem = msgspec.structs.replace(problem, detail=BARE.text(problem.detail))
    return services.pages.problem(problem) if gate.is_page else answer_of(problem)


def _forbid(services: Services, gate: Gate, request: Request, caller: Caller) -> Answer:
    """Somebody is known whose roles do not open this: 403."""
    permission = permission_of(gate.name, request.path.get("action", ""))
    problem = refuse_role(permission, person=caller.is_person)
    asked = msgspec.structs.replace(request, caller=caller)
    return _refuse(services, gate, asked, Reason.NOT_ALLOWED, problem)


def _refuse(
    services: Services, gate: Gate, request: Request, reason: Reason, problem: Problem
) -> Answer:
    """Count it, keep it to be told, and answer; a source of many refusals is told to wait."""
    wait_s = services.memory.refusals.count(_source_of(request), services.now())
    level = logging.DEBUG if wait_s else logging.WARNING  # a flood fills no log either
    _note(services, gate, request, reason, level)
    problem = refuse_for_now(wait_s) if wait_s else problem
    return services.pages.problem(problem) if gate.is_page else answer_of(problem)


def _note(
    services: Services, gate: Gate, request: Request, reason: Reason, level: int = logging.WARNING
) -> None:
    caller = request.caller.id if request.caller else ""
    log.log(level, "refused %s: %s %s", gate.name, reason, caller)
    services.memory.refusals.note(gate.name, reason, caller, services.now())
    services.errands.start("refusals", lambda: _keep(services))


def _source_of(request: Request) -> str:
    """The address that the platform's own front end saw: the last one, whatever the others say."""
    seen = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    bare = seen[1:].partition("]")[0] if seen.startswith("[") else seen
    return bare.partition(":")[0] if bare.count(":") == 1 else bare


async def tell_refusals(services: Services) -> None:
    """Commit an event for each kind of refusal that is due; what fails is told later."""
    now = services.now()
    for refused in services.memory.refusals.take_due(now):
        event = tell_refused(refused, services.settings.instance, now)
        try:
            await commit(services, shard_of(ITSELF), [], events=[event])
        except (Conflict, RejectedInput, Unavailable) as error:
            log.warning("refused calls are told later: %s", error)
            services.memory.refusals.put_back(refused)


async def _keep(services: Services) -> None:
    """Beside the answers: whoever is refused does not wait for the tables, nor anybody else."""
    while services.memory.refusals.are_untold:
        await tell_refusals(services)
        if services.memory.refusals.are_untold:
            await asyncio.sleep(LOOK_EVERY_S)
