"""Refusal: what a caller is told whom the door does not let in. Plain, and no more than needed.

Which check of a token failed is not said: it stands in the log. A caller that proved who it is may
know which roles would do, because the table of them is no secret.
"""

import math
from urllib.parse import quote

from shared.domain.authority.permissions import Permission
from shared.domain.views.http import HTML, Answer
from shared.domain.views.origin import ONLY_OURS
from shared.domain.views.problem import Problem

SIGN_IN = "/.auth/login/aad"  # Easy Auth's own route
CHALLENGE = 'Bearer realm="backstop"'


def refuse_unknown() -> Problem:
    """Nobody is known to call: 401."""
    return Problem(
        type="urn:backstop:problem:not-signed-in",
        title="Who calls is not known",
        status=401,
        detail="This needs a valid token for Backstop.",
    )


def refuse_role(permission: Permission, *, person: bool) -> Problem:
    """The caller is known and may not do this: 403, with the roles that may."""
    roles = permission.people if person else permission.apps
    kind = "people" if person else "apps"
    wanted = ", ".join(roles)
    detail = f"This is open to {kind} with the role {wanted}." if roles else f"Not for {kind}."
    return Problem(
        type="urn:backstop:problem:not-allowed",
        title="Your roles do not allow this",
        status=403,
        detail=detail,
    )


def refuse_page() -> Problem:
    """Another site's page makes use of a session: 403."""
    return Problem(
        type="urn:backstop:problem:foreign-origin",
        title="This was not sent by a page of ours",
        status=403,
        detail=ONLY_OURS,
    )


def refuse_for_now(wait_s: float) -> Problem:
    """The source was refused too often: 429, to come again later."""
    return Problem(
        type="urn:backstop:problem:too-many-refusals",
        title="Refused too often",
        status=429,
        detail="Too many calls without the right to make them came from there.",
        retry_after_s=math.ceil(wait_s),
    )


def lead_to_sign_in(target: str) -> Answer:
    """Let the platform sign the browser in and come back; only to a page of our own."""
    own = target.startswith("/") and not target.startswith(("//", "/\\"))
    back = quote(target if own else "/", safe="")
    location = f"{SIGN_IN}?post_login_redirect_uri={back}"
    headers = {"Location": location, "Cache-Control": "no-store"}
    return Answer(status=302, content_type=HTML, headers=headers)
