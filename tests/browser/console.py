"""The console on a loopback port, over a made-up world: the app's own routes and its own door.

Who looks at it signs in as on the platform: Easy Auth stands before it, with the local issuer.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from functools import cache

import azure.functions as func
import msgspec
from playwright.async_api import Page as Tab
from starlette.applications import Starlette
from starlette.requests import Request as Received
from starlette.responses import Response
from starlette.routing import Route

import function_app
from function_app import ROOT, ROUTES
from infra.local.host.easy_auth import LOGIN, EasyAuth
from infra.local.issuer.app import create_issuer
from infra.local.issuer.identities import AUDIENCE, IDENTITIES, TENANT
from infra.local.issuer.issuer import Issuer, make_key
from shared.protocol.door.serve import HttpResponder
from shared.services import Services
from tests.infra.local.inbox.serving import serving

_key = cache(make_key)


@contextlib.asynccontextmanager
async def console(services: Services) -> AsyncIterator[str]:
    """Serve all routes of the responder; answer the address, which the services know then."""
    issuer = Issuer("", clock=services.now, key=_key())
    async with serving(create_issuer(issuer)) as issuer.authority:
        auth = EasyAuth(issuer.authority)
        routes = [_route(*one) for one in ROUTES]
        app = Starlette(routes=[*auth.routes(), *routes])
        async with serving(auth.before(app)) as url:
            services._given = msgspec.structs.replace(
                services.settings,
                public_url=url,
                tenant=TENANT,
                audience=AUDIENCE,
                authority=issuer.authority,
                easy_auth=True,
            )
            services.__dict__.pop("settings", None)
            with _of_the_app(services):
                yield url


async def sign_in(tab: Tab, base: str, who: str = "commander", back: str = "/") -> None:
    """Choose one of the local people on the page of the sign-in."""
    await tab.goto(f"{base}{LOGIN}?post_login_redirect_uri={back}")
    await tab.get_by_role("button", name=IDENTITIES[who].name, exact=False).first.click()
    await tab.wait_for_url(f"{base}{back}")


def id_of(who: str) -> str:
    """What records call one of the local people."""
    return f"{TENANT}/{IDENTITIES[who].object_id}"


@contextlib.contextmanager
def _of_the_app(services: Services) -> Iterator[None]:
    """Let the app's own functions answer with these services."""
    former, function_app.services = function_app.services, services
    try:
        yield
    finally:
        function_app.services = former


def _route(name: str, method: str, path: str, respond: HttpResponder) -> Route:
    """A route as the app serves it, behind its door."""
    former, function_app.app = function_app.app, func.FunctionApp()
    function_app._serve(name, method, path, respond)
    (function,) = function_app.app.get_functions()
    function_app.app = former
    answer = function.get_user_function()

    async def serve(received: Received) -> Response:
        given: func.HttpResponse = await answer(
            func.HttpRequest(
                method,
                str(received.url),
                headers=dict(received.headers),
                params=dict(received.query_params),
                route_params=dict(received.path_params),
                body=await received.body(),
            )
        )
        headers = dict(given.headers)
        return Response(
            given.get_body(), given.status_code, headers=headers, media_type=given.mimetype
        )

    return Route(f"/{'' if path == ROOT else path}", serve, methods=[method])
