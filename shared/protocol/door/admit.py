"""Admit: the door of every HTTP route. Nobody passes without a valid token and the right role.

Before every responder: the token is checked in code, whatever the platform did before; the table of
permissions says which roles open the route; the responder gets the request with its caller. All
others are turned away. A browser's id token counts only where the platform says that Easy Auth is
on, and its header x-ms-client-principal never does: anybody can write it.
"""

import msgspec

from shared.domain.authority.caller import Caller
from shared.domain.authority.claims import Channel
from shared.domain.authority.permissions import Gate, permission_of, role_of
from shared.domain.authority.refused import Reason
from shared.domain.views.http import Answer, Request
from shared.domain.views.origin import is_foreign
from shared.services import Services

ID_TOKEN = "x-ms-token-aad-id-token"  # noqa: S105 - a header's name
BEARER = "bearer "


async def admit(services: Services, gate: Gate, request: Request) -> Request | Answer:
    """The request with its caller, or the answer of a door that stays shut.

    Raises Misconfigured where it is not set who may come, Unavailable where no key is known to
    check a token with.
    """
    permission = permission_of(gate.name, request.path.get("action", ""))
    if permission.public:
        return request
    found = await _authenticate(services, request)
    role = None if isinstance(found, Reason) else role_of(found, permission)
    if isinstance(found, Reason) or role is None:
        from shared.protocol.door.turn_away import turn_away  # noqa: PLC0415 - few ever need it

        return turn_away(services, gate, request, found)
    caller = msgspec.structs.replace(found, role=role.value)
    entered = msgspec.structs.replace(request, caller=caller)
    return entered if request.method == "GET" else await _see_who_acts(services, gate, entered)


async def _see_who_acts(services: Services, gate: Gate, request: Request) -> Request | Answer:
    """What a caller may do, another site's page may not: a session comes by itself."""
    from shared.protocol.door.people import remember_name  # noqa: PLC0415 - alerts need it never
    from shared.protocol.door.turn_away import turn_page_away  # noqa: PLC0415 - few ever need it

    by_session = not _bearer_of(request)
    if is_foreign(request, services.settings.public_url, browser_only=by_session):
        return turn_page_away(services, gate, request)
    if request.actor.is_person:
        await remember_name(services, request.actor)
    return request


async def _authenticate(services: Services, request: Request) -> Caller | Reason:
    """Who calls, or why nobody is known to."""
    tokens = services.tokens  # first: where nothing is set, that is the trouble, not the caller
    token, channel = _token_of(request, easy_auth=services.settings.easy_auth)
    if not token:
        return Reason.NO_TOKEN
    return await tokens.caller_of(token, channel, services.now())


def _token_of(request: Request, *, easy_auth: bool) -> tuple[str, Channel]:
    """The token and how it came; "" where there is none that counts."""
    bearer = _bearer_of(request)
    if bearer:
        return bearer, Channel.BEARER
    return request.headers.get(ID_TOKEN, "") if easy_auth else "", Channel.EASY_AUTH


def _bearer_of(request: Request) -> str:
    said = request.headers.get("authorization", "")
    return said[len(BEARER) :].strip() if said[: len(BEARER)].lower() == BEARER else ""
