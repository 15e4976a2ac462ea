"""The query endpoint of a Log Analytics workspace, over HTTP, for the real SDK.

Answers what api.loganalytics.io answers: tables, errors, partial results as 200 with an error.
Faults are set in-process by whoever runs the world, never by a request.
"""

import asyncio
import json
import re

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.logs import wire
from infra.local.logs.engine import QueryRefused, QueryTimedOut
from infra.local.logs.ingestion import take_events
from infra.local.logs.store import TelemetryStore

_CONCURRENT_QUERIES = 5  # the service's limit per user
_MAX_ROWS = 500_000
_DEFAULT_WAIT_S = 180
_MAX_WAIT_S = 600
_WAIT = re.compile(r"wait=(\d+)")


class Faults(msgspec.Struct, kw_only=True):
    """What is wrong with the service now. All off is a healthy service.

    outage: 503. throttled: 429. slow: seconds before each answer. partial: 200 with half of the
    rows and an error.
    """

    outage: bool = False
    throttled: bool = False
    slow: float = 0.0
    partial: bool = False


def create_app(
    store: TelemetryStore, faults: Faults | None = None, max_rows: int = _MAX_ROWS
) -> Starlette:
    """Make the ASGI app over a store; `app.state.faults` can be changed while it runs."""
    app = Starlette(
        routes=[
            Route("/v1/workspaces/{workspace}/query", _answer, methods=["POST"]),
            Route("/v2.1/track", take_events, methods=["POST"]),
        ],
        exception_handlers={404: _not_found},
    )
    app.state.store = store
    app.state.faults = faults or Faults()
    app.state.max_rows = max_rows
    app.state.slots = asyncio.Semaphore(_CONCURRENT_QUERIES)
    return app


async def _answer(request: Request) -> Response:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return JSONResponse(wire.render_error("AuthenticationFailed", "No bearer token"), 401)
    faults: Faults = request.app.state.faults
    if refusal := _refuse(faults):
        return refusal
    body = await request.body()
    if faults.slow:
        await asyncio.sleep(faults.slow)
    async with request.app.state.slots:
        return await _run(request, body, faults)


def _refuse(faults: Faults) -> Response | None:
    if faults.outage:
        return JSONResponse(wire.render_error("ServiceUnavailable", "The service is down"), 503)
    if faults.throttled:
        return JSONResponse(wire.render_error("ThrottledError", "Too many requests"), 429)
    return None


async def _run(request: Request, body: bytes, faults: Faults) -> Response:
    store: TelemetryStore = request.app.state.store
    try:
        asked = json.loads(body)
        text = asked["query"]
        timespan = wire.parse_timespan(asked.get("timespan"), store.now())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return JSONResponse(wire.render_bad_argument("SyntaxError", str(error)), 400)
    wait_s = _wait(request.headers.get("prefer", ""))
    try:
        result = await asyncio.to_thread(store.query, text, timespan=timespan, timeout_s=wait_s)
    except QueryRefused as error:
        return JSONResponse(wire.render_bad_argument(error.code, error.message), 400)
    except QueryTimedOut:
        return JSONResponse(wire.render_error("GatewayTimeout", "The query timed out"), 504)
    if faults.partial:
        half = len(result.rows) // 2
        trouble = wire.render_partial_error("A part of the data could not be read.")
        return JSONResponse(wire.render_tables(result, half) | trouble)
    return JSONResponse(wire.render_tables(result, request.app.state.max_rows))


def _wait(prefer: str) -> int:
    match = _WAIT.search(prefer)
    return min(int(match[1]) if match else _DEFAULT_WAIT_S, _MAX_WAIT_S)


async def _not_found(_request: Request, _error: Exception) -> Response:
    body = wire.render_error("PathNotFoundError", "The requested path does not exist")
    return JSONResponse(body, 404)
