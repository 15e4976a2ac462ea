"""Press: a button of a page does what the API does, and shows the page again.

A form is an API request in other clothes, so it goes through the very same responder. It must come
from a page of our own; a browser that follows the redirect repeats nothing when it is reloaded.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, quote

import msgspec

from shared.domain.views.http import Answer, Request
from shared.domain.views.origin import refuse_foreign
from shared.domain.views.problem import problem_from
from shared.errors import BackstopError, RejectedInput
from shared.services import Services

log = logging.getLogger("backstop.press")

LONGEST_FORM = 64_000
MOST_FIELDS = 20
FLAGS = ("on", "alone")
FORM = "application/x-www-form-urlencoded"

_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")  # of a field datetime-local

type Responder = Callable[[Services, Request], Awaitable[Answer]]


def press(act: Responder, page: str = "") -> Responder:
    """The responder of an API route as that of a form; {id} and {action} stay in the path.

    It leads to where the answer says, else back to `page`, else to the incident's or the first one.
    """

    async def respond(services: Services, request: Request) -> Answer:
        name = quote(request.path.get("id", ""), safe="")
        back = page.replace("{id}", name) or _page_of(request)
        try:
            refuse_foreign(request, services.settings.public_url)
            body = msgspec.json.encode(read_form(request))
            answer = await act(services, msgspec.structs.replace(request, body=body))
        except BackstopError as error:
            if not isinstance(error, RejectedInput):
                log.warning("%s: %s", back, error)
            return services.pages.problem(problem_from(error), back)
        did = quote(request.path.get("action", "done" if page else "kill-switch"))
        there = answer.headers.get("Location", back)
        return Answer(status=303, headers={"Location": f"{there}?did={did}"})

    return respond


def read_form(request: Request) -> dict[str, str | bool | int]:
    """The fields that were filled in, as the API's JSON has them. Raises RejectedInput."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != FORM:
        raise RejectedInput("not-a-form", f"a form is sent as {FORM}")
    if len(request.body) > LONGEST_FORM:
        raise RejectedInput("form-too-long", f"a form may have {LONGEST_FORM} bytes")
    try:
        pairs = parse_qsl(request.body.decode(), strict_parsing=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise RejectedInput("not-a-form", f"the form cannot be read: {error}") from None
    return {name: _typed(name, text.strip()) for name, text in pairs if text.strip()}


def _typed(name: str, text: str) -> str | bool | int:
    """Forms know text only; the API is strict about what is a number and what is not."""
    if name in FLAGS:
        return text == "true"
    if name == "minutes" and text.isdecimal():
        return int(text[:9])
    if name == "at" and _LOCAL.fullmatch(text):
        return f"{text[:16]}:00Z"  # the page says that it is UTC
    return text


def _page_of(request: Request) -> str:
    """The page that has the button."""
    incident = request.path.get("id")
    return f"/incidents/{quote(incident, safe='')}" if incident else "/"
