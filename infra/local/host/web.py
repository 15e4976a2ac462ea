"""The HTTP side of the host: routes of the app on a loopback port.

As in Azure, a known route with another method is 404, and a function that fails is a bare 500: the
stack trace goes to the host's log and never to the caller.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infra.local.host import protos
from infra.local.host.configuration import Refused
from infra.local.host.triggers import HttpTrigger
from infra.local.host.worker import Call, InvocationFailed, Worker

if TYPE_CHECKING:
    from infra.local.host.easy_auth import EasyAuth

log = logging.getLogger(__name__)

_SAME_SITE: dict[int, Literal["lax", "strict"]] = {
    protos.SameSite.Lax: "lax",
    protos.SameSite.Strict: "strict",
}
KEEP_ALIVE_S = 75  # longer than clients keep a connection: none may close under a request
LINGER_S = 2  # how long open responses may take when the host stops


def bind(port: int) -> socket.socket:
    """Take a loopback port (0: any free one). Raises Refused when somebody else has it."""
    # asyncio switches Nagle's delay off only where the protocol is named: 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise Refused(f"port {port} cannot be used: {error.strerror}") from None
    return listener


class _OneSegment:
    """A connection that sends an answer's head and body together, where uvicorn would send two."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it with all that is written in this turn of the loop."""
        if not self._written:
            asyncio.get_running_loop().call_soon(self._send)
        self._written.append(data)

    def close(self) -> None:
        """Send what is left, then close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._written:
            self._transport.write(b"".join(self._written))
            self._written.clear()


class _Protocol(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the joining connection in front of the real one."""
        super().connection_made(cast("asyncio.Transport", _OneSegment(transport)))


class WebServer(uvicorn.Server):
    """Serves the app's HTTP functions until `stop`."""

    def __init__(
        self,
        worker: Worker,
        triggers: Iterable[HttpTrigger],
        prefix: str,
        easy_auth: "EasyAuth | None" = None,
    ) -> None:
        routes = [_route(worker, trigger, prefix) for trigger in triggers]
        super().__init__(
            uvicorn.Config(
                _app(routes, easy_auth),
                http=_Protocol,
                proxy_headers=False,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=LINGER_S,
            )
        )
        self._listening = asyncio.Event()

    async def start(self, listener: socket.socket) -> None:
        """Return as soon as requests are answered."""
        self._serving = asyncio.create_task(self.serve(sockets=[listener]))
        await self._listening.wait()

    async def stop(self) -> None:
        """Take no more requests and let those that are open finish."""
        self.should_exit = True
        await self._serving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell `start` once uvicorn listens."""
        await super().startup(sockets)
        self._listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the host: it stops its other triggers, too."""
        yield


def _app(routes: list[Route], easy_auth: "EasyAuth | None") -> ASGIApp:
    answers = {404: _not_found, 405: _not_found}
    if easy_auth is None:
        return Starlette(routes=routes, exception_handlers=answers)
    inner = Starlette(routes=[*easy_auth.routes(), *routes], exception_handlers=answers)
    return easy_auth.before(inner)


def _route(worker: Worker, trigger: HttpTrigger, prefix: str) -> Route:
    async def endpoint(request: Request) -> Response:
        call = Call(
            function=trigger.function,
            parameter=trigger.parameter,
            data=protos.TypedData(http=await _incoming(request)),
            traceparent=request.headers.get("traceparent", ""),
        )
        try:
            return _outgoing(await worker.invoke(call))
        except InvocationFailed as failure:
            log.error("%s failed: %s\n%s", trigger.function, failure, failure.trace)  # noqa: TRY400 - the app's trace, not ours
            return Response(status_code=500)

    path = "/".join(part for part in ("", prefix.strip("/"), trigger.route) if part)
    route = Route(f"/{path}", endpoint, methods=list(trigger.methods))
    route.methods = set(trigger.methods)  # Starlette adds HEAD to GET; Azure does not
    return route


async def _incoming(request: Request) -> protos.RpcHttp:
    body = await request.body()
    query = {name: ",".join(request.query_params.getlist(name)) for name in request.query_params}
    return protos.RpcHttp(
        method=request.method,
        url=str(request.url),
        headers={name.lower(): value for name, value in request.headers.items()},
        query={name: value for name, value in query.items() if value},  # Azure drops empty ones
        params={name: str(value) for name, value in request.path_params.items()},
        body=protos.TypedData(bytes=body) if body else None,
    )


def _outgoing(returned: protos.TypedData | None) -> Response:
    if returned is None or returned.WhichOneof("data") != "http":
        return Response(_content(returned), media_type="text/plain")
    http = returned.http
    response = Response(_content(http.body), int(http.status_code), headers=dict(http.headers))
    for cookie in http.cookies or []:
        _set_cookie(response, cookie)
    return response


def _content(data: protos.TypedData | None) -> bytes | str:
    kind = data.WhichOneof("data") if data else None
    return getattr(data, kind) if kind else b""


def _set_cookie(response: Response, cookie: protos.RpcHttpCookie) -> None:
    response.set_cookie(
        cookie.name,
        cookie.value,
        path=cookie.path.value or "/",
        domain=cookie.domain.value,
        max_age=None if cookie.max_age.value is None else int(cookie.max_age.value),
        secure=bool(cookie.secure.value),
        httponly=bool(cookie.http_only.value),
        samesite=_SAME_SITE.get(cookie.same_site),
    )


def _not_found(_request: Request, _error: Exception) -> Response:
    return Response(status_code=404)
