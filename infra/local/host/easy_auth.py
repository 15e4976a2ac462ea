"""Easy Auth as the platform plays it: whose session a request has is told to the app in a header.

Stands before the routes of an app whose settings say WEBSITE_AUTH_ENABLED, with the local issuer in
place of Entra. Whatever comes from outside under the platform's own header names is taken away, so
the app may believe them; a request without a session passes, and the app's own door judges it.
"""

import logging
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qs

import aiohttp
import jinja2
import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.local.issuer.identities import PEOPLE
from infra.local.issuer.wallet import Wallet

log = logging.getLogger(__name__)

COOKIE = "AppServiceAuthSession"  # the platform's name for it
ID_TOKEN = b"x-ms-token-aad-id-token"
PLATFORMS_OWN = (b"x-ms-client-principal", b"x-ms-token-")
SESSION_S = 8 * 3600
LOGIN = "/.auth/login/aad"
BACK = "post_login_redirect_uri"
PAGES = Path(__file__).parent / "pages"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Who has signed in, and until when that holds (monotonic seconds)."""

    person: str
    until: float


class EasyAuth:
    """The sessions of one host; a host that is started again has none."""

    def __init__(self, issuer: str) -> None:
        self._wallet = Wallet(issuer)
        self._sessions: dict[str, Session] = {}
        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(PAGES), autoescape=True, trim_blocks=True
        )
        self._page = templates.get_template("sign_in.html")
        self._style = (PAGES / "sign_in.css").read_bytes()

    def routes(self) -> list[Route]:
        """The platform's own addresses."""
        return [
            Route(LOGIN, self._choose, methods=["GET"]),
            Route(LOGIN, self._sign_in, methods=["POST"]),
            Route("/.auth/logout", self._sign_out, methods=["GET"]),
            Route("/.auth/sign_in.css", self._show_style, methods=["GET"]),
        ]

    def before(self, app: ASGIApp) -> ASGIApp:
        """The app behind it."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and _concerns(scope["headers"]):
                scope = {**scope, "headers": await self._headers(Request(scope))}
            await app(scope, receive, send)

        return serve

    async def _headers(self, request: Request) -> list[tuple[bytes, bytes]]:
        """What the app gets to see."""
        headers = [
            (name, value)
            for name, value in request.scope["headers"]
            if not name.startswith(PLATFORMS_OWN)
        ]
        token = await self._id_token(request.cookies.get(COOKIE, ""))
        return [*headers, (ID_TOKEN, token.encode())] if token else headers

    async def _id_token(self, cookie: str) -> str:
        """The id token of a session, renewed in time; "" where there is no session."""
        session = self._sessions.get(cookie)
        if session is None or time.monotonic() > session.until:
            self._sessions.pop(cookie, None)
            return ""
        try:
            return await self._wallet.token(session.person, "id_token")
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("the issuer gives no token: %s", error)
            return ""

    async def _choose(self, request: Request) -> Response:
        """The page of the local people."""
        back = _own_path(request.query_params.get(BACK, "/"))
        return HTMLResponse(self._page.render(people=PEOPLE, back=back), headers=HEADERS)

    async def _sign_in(self, request: Request) -> Response:
        """Begin a session for the person whose button was pressed."""
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return Response("another site must not sign you in", 403)
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        person = form.get("username", [""])[0]
        if person not in {known.key for known in PEOPLE}:
            return Response("nobody here is called that", 400)
        cookie = secrets.token_urlsafe(32)
        self._sessions[cookie] = Session(person=person, until=time.monotonic() + SESSION_S)
        answer = RedirectResponse(_own_path(form.get(BACK, ["/"])[0]), 303, headers=HEADERS)
        answer.set_cookie(COOKIE, cookie, max_age=SESSION_S, httponly=True, samesite="lax")
        return answer

    async def _sign_out(self, request: Request) -> Response:
        """End the session."""
        self._sessions.pop(request.cookies.get(COOKIE, ""), None)
        answer = RedirectResponse(LOGIN, 303, headers=HEADERS)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer

    async def _show_style(self, _request: Request) -> Response:
        """The page's one file."""
        return Response(self._style, media_type="text/css", headers=HEADERS)


def _concerns(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether there may be a session, or a header that only the platform sets; names are lower."""
    return any(name == b"cookie" or name.startswith(PLATFORMS_OWN) for name, _ in headers)


def _own_path(wanted: str) -> str:
    """Where to go afterwards: a path of this app, else its first page; never another site."""
    is_own = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if is_own and wanted.isprintable() else "/"
