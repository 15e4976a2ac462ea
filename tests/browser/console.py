"""The console on a loopback port, over a made-up world: the app's own routes, without its host."""

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request as Received
from starlette.responses import Response
from starlette.routing import Route

from function_app import ROOT, ROUTES, HttpResponder
from shared.domain.views.http import Request
from shared.domain.views.problem import answer_problem
from shared.errors import BackstopError
from shared.services import Services
from tests.infra.local.inbox.serving import serving


@contextlib.asynccontextmanager
async def console(services: Services) -> AsyncIterator[str]:
    """Serve all routes of the responder; answer the address."""
    routes = [
        _route(services, method, "" if path == ROOT else path, respond)
        for _, method, path, respond in ROUTES
    ]
    async with serving(Starlette(routes=routes)) as url:
        yield url.rstrip("/")


def _route(services: Services, method: str, path: str, respond: HttpResponder) -> Route:
    async def serve(received: Received) -> Response:
        request = Request(
            method=method,
            path=dict(received.path_params),
            query=dict(received.query_params),
            headers=dict(received.headers),
            body=await received.body(),
        )
        try:
            answer = await respond(services, request)
        except BackstopError as error:
            answer = answer_problem(error)
        return Response(
            answer.body, answer.status, headers=answer.headers, media_type=answer.content_type
        )

    return Route(f"/{path}", serve, methods=[method])
