"""Problems: what an HTTP caller is told when something cannot be done (RFC 9457).

The outermost layer turns our errors into these.
"""

import math

import msgspec

from shared.domain.views.http import PROBLEM, Answer
from shared.errors import BackstopError, Conflict, NotAllowed, NotFound, RejectedInput, Unavailable

SET_UP_RETRY_S = 30.0


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One problem. `type` is a stable URN."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""
    retry_after_s: float | None = None


def problem_from(error: BackstopError, instance: str = "") -> Problem:
    """The problem that an error of ours means. `instance` is the path that was asked for.

    What is wrong with our own set-up is nobody's business outside: it is named in the log only.
    """
    match error:
        case RejectedInput(reason=reason, detail=detail):
            return _problem(reason, "The request cannot be accepted", 400, detail, instance)
        case NotAllowed():
            return _problem("not-allowed", "You may not do this", 403, str(error), instance)
        case NotFound():
            return _problem("not-found", "There is no such thing", 404, str(error), instance)
        case Conflict():
            return _problem("conflict", "Somebody else was first", 409, str(error), instance)
        case Unavailable(retry_after_s=wait):
            out = _problem("unavailable", "A part does not answer", 503, str(error), instance)
            return msgspec.structs.replace(out, retry_after_s=wait)
        case _:
            # 503 and not 500: Azure Monitor tries again, and the alert is not lost meanwhile.
            detail = "Backstop is not set up correctly; its log names the setting."
            out = _problem("not-set-up", "Backstop cannot answer", 503, detail, instance)
            return msgspec.structs.replace(out, retry_after_s=SET_UP_RETRY_S)


def answer_of(problem: Problem) -> Answer:
    """The HTTP answer that carries a problem, with Retry-After where a later try may help."""
    headers = {}
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(problem.retry_after_s)))
    return Answer(
        status=problem.status,
        body=msgspec.json.encode(problem),
        content_type=PROBLEM,
        headers=headers,
    )


def _problem(code: str, title: str, status: int, detail: str, instance: str) -> Problem:
    kind = f"urn:backstop:problem:{code}"
    return Problem(type=kind, title=title, status=status, detail=detail, instance=instance)
