"""Serve: the whole way of a call to a route, from the door to the answer.

What responders raise of ours is answered here, once for all routes. What they do not expect is the
host's: it answers 500 and counts it.
"""

import logging
from collections.abc import Awaitable, Callable

from shared.domain.authority.permissions import Gate
from shared.domain.views.http import Answer, Request
from shared.errors import BackstopError, RejectedInput
from shared.protocol.door.admit import admit
from shared.services import Services

type HttpResponder = Callable[[Services, Request], Awaitable[Answer]]

FORBIDDEN = 403

log = logging.getLogger("backstop")


async def serve(services: Services, gate: Gate, request: Request, respond: HttpResponder) -> Answer:
    """Let in or turn away, have it answered, and name the people on a page."""
    entered: Request | Answer = request
    try:
        entered = await admit(services, gate, request)
        answer = entered if isinstance(entered, Answer) else await respond(services, entered)
    except BackstopError as error:
        if not isinstance(error, RejectedInput):
            log.warning("%s: %s", gate.name, error)
        answer = _trouble(services, gate, error)
    if answer.status == FORBIDDEN and isinstance(entered, Request):
        _note(services, gate, entered)
    return await _name(services, answer) if gate.is_page else answer


def _trouble(services: Services, gate: Gate, error: BackstopError) -> Answer:
    from shared.protocol.door.turn_away import answer_trouble  # noqa: PLC0415 - few ever need it

    return answer_trouble(services, gate, error)


def _note(services: Services, gate: Gate, request: Request) -> None:
    from shared.protocol.door.turn_away import note_forbidden  # noqa: PLC0415 - few ever need it

    note_forbidden(services, gate, request)


async def _name(services: Services, answer: Answer) -> Answer:
    from shared.protocol.door.people import name_page  # noqa: PLC0415 - alerts need it never

    return await name_page(services, answer)
