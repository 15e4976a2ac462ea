"""Show a page: what every page of the console has in common, whichever responder gathers it.

The last step of every page: its reader sees only what the door would let them press, and trouble is
a page, too.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any

from shared.domain.authority.permissions import may
from shared.domain.views.http import Answer, Request
from shared.domain.views.problem import problem_from
from shared.errors import BackstopError, NotFound, RejectedInput
from shared.services import Services

log = logging.getLogger("backstop.console")

type Responder = Callable[[Services, Request], Awaitable[Answer]]


def page(respond: Responder) -> Responder:
    """Let people see a page where a program would see a problem document."""

    @wraps(respond)
    async def respond_with_page(services: Services, request: Request) -> Answer:
        try:
            return await respond(services, request)
        except BackstopError as error:
            if not isinstance(error, NotFound | RejectedInput):
                log.warning("%s: %s", respond.__name__, error)
            return services.pages.problem(problem_from(error))

    return respond_with_page


def show_page(services: Services, request: Request, template: str, **view: Any) -> Answer:  # noqa: ANN401 - as templates name them
    """A page; what its reader may not press is not on it."""
    pressable = partial(may, request.caller)
    view["did"] = request.query.get("did", "")
    view["me"] = request.caller.id if request.caller else ""
    return services.pages.answer(template, may=pressable, **view)
