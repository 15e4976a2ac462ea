"""The table of contents: every trigger of both function apps, a few lines each.

BACKSTOP_ROLE chooses the app. *responder* has the public HTTP routes and no right to write to ARM;
*executor* may move traffic and write the ledger and has no HTTP route. An unset or unknown role
registers nothing and says so. This is the only file that imports azure.functions.
"""

import logging
import typing
from collections.abc import Awaitable, Callable

import azure.functions as func

from responders.console import show_asset, show_home, show_incident_page
from responders.control import set_kill_switch, show_kill_switch
from responders.diagnose import diagnose
from responders.enforce import enforce
from responders.handle import handle
from responders.ingest import ingest
from responders.notify import notify, post_abandoned_cards
from responders.page import page, page_all_due
from responders.press import press
from responders.reconcile import reconcile
from responders.record import record
from responders.register import register
from responders.show import (
    show_affected,
    show_changes,
    show_delivery,
    show_incident,
    show_incidents,
)
from responders.triage import triage
from responders.verify import verify
from responders.watch import watch
from shared.domain.http import Answer, Request
from shared.domain.message import Message
from shared.domain.problem import answer_problem
from shared.errors import BackstopError, Conflict, RejectedInput, Unavailable
from shared.protocol.commit import CHANGES, WORK, relay
from shared.protocol.intake import relay_deliveries
from shared.protocol.leftovers import Leftovers, find_leftovers
from shared.protocol.settle import Handler, settle
from shared.services import Services
from shared.settings import BUS_CONNECTION, TICK_SCHEDULE, Role, read_role

type HttpResponder = Callable[[Services, Request], Awaitable[Answer]]
type Job = Callable[[Services, Leftovers], Awaitable[typing.Any]]

log = logging.getLogger("backstop")
app = func.FunctionApp()
services = Services()

ROOT = "{ignored:maxlength(0)?}"  # an empty route would be the function's name
ROUTES: tuple[tuple[str, str, str, HttpResponder], ...] = (
    ("ingest", "POST", "api/alerts", ingest),
    ("show_delivery", "GET", "api/deliveries/{key}", show_delivery),
    ("show_incidents", "GET", "api/incidents", show_incidents),
    ("show_incident", "GET", "api/incidents/{id}", show_incident),
    ("show_affected", "GET", "api/incidents/{id}/affected", show_affected),
    ("handle", "POST", "api/incidents/{id}/{action}", handle),
    ("show_changes", "GET", "api/changes", show_changes),
    ("register", "POST", "api/releases", register),
    ("show_kill_switch", "GET", "api/kill-switch", show_kill_switch),
    ("set_kill_switch", "POST", "api/kill-switch", set_kill_switch),
    ("show_home", "GET", ROOT, show_home),
    ("show_incident_page", "GET", "incidents/{id}", show_incident_page),
    ("press_incident", "POST", "incidents/{id}/{action}", press(handle)),
    ("press_kill_switch", "POST", "kill-switch", press(set_kill_switch)),
    ("show_asset", "GET", "assets/{name}", show_asset),
)


def register_responder() -> None:
    """Public HTTP, triage, diagnosis, cards and pages."""
    for name, method, route, respond in ROUTES:
        _serve(name, method, route, respond)
    _work("responder", {"triage": triage, "diagnose": diagnose, "page": page})

    @app.service_bus_topic_trigger("msg", BUS_CONNECTION, CHANGES, "notify")
    async def tell(msg: func.ServiceBusMessage) -> None:
        await settle(services, CHANGES, _message(msg), notify)

    _tick(relay, relay_deliveries, page_all_due, post_abandoned_cards)


def register_executor() -> None:
    """Decisions, traffic, verification and the ledger; no HTTP."""
    _work("executor", {"enforce": enforce, "verify": verify})

    @app.service_bus_topic_trigger(
        "msgs", BUS_CONNECTION, CHANGES, "record", cardinality=func.Cardinality.MANY
    )
    async def write_ledger(msgs: typing.List[func.ServiceBusMessage]) -> None:  # noqa: UP006 - the worker knows no list[]
        await record(services, [_message(msg) for msg in msgs])

    _tick(relay, reconcile, watch)


def _serve(name: str, method: str, route: str, respond: HttpResponder) -> None:
    @app.function_name(name)
    @app.route(route, methods=[method], auth_level=func.AuthLevel.ANONYMOUS)
    async def serve(req: func.HttpRequest) -> func.HttpResponse:
        try:
            answer = await respond(services, _request(req))
        except BackstopError as error:
            if not isinstance(error, RejectedInput):
                log.warning("%s: %s", name, error)
            answer = answer_problem(error)
        return func.HttpResponse(
            answer.body,
            status_code=answer.status,
            mimetype=answer.content_type,
            headers=answer.headers,
        )


def _work(subscription: str, handlers: dict[str, Handler]) -> None:
    """One function an app takes all commands: on Flex every function scales and starts alone."""

    async def dispatch(known: Services, message: Message) -> None:
        handler = handlers.get(message.subject)
        if handler is None:
            raise RejectedInput("unknown-subject", f"no command is called {message.subject!r}")
        await handler(known, message)

    @app.service_bus_topic_trigger("msg", BUS_CONNECTION, WORK, subscription)
    async def work(msg: func.ServiceBusMessage) -> None:
        await settle(services, WORK, _message(msg), dispatch)


def _tick(*jobs: Job) -> None:
    """One timer an app runs what is due; a job whose part is out leaves the others alone."""

    @app.timer_trigger("timer", f"%{TICK_SCHEDULE}%", use_monitor=False)
    async def tick(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the worker binds it by name
        try:
            leftovers = await find_leftovers(services)
        except Unavailable as error:
            log.warning("tick: %s", error)
            return
        for job in jobs:
            try:
                await job(services, leftovers)
            except (Unavailable, Conflict) as error:
                log.warning("tick: %s: %s", job.__name__, error)


def _request(req: func.HttpRequest) -> Request:
    return Request(
        method=req.method,
        path=dict(req.route_params),
        query=dict(req.params),
        headers={name.lower(): value for name, value in req.headers.items()},
        body=req.get_body(),
    )


def _message(msg: func.ServiceBusMessage) -> Message:
    attempt = str((msg.application_properties or {}).get("attempt", 1))
    return Message(
        subject=msg.label or "",
        body=msg.get_body().decode("utf-8", "replace"),
        message_id=msg.message_id or "",
        attempt=int(attempt) if attempt.isdecimal() else 1,
    )


async def close_services() -> None:
    """Close the clients; a host that stops gracefully awaits this."""
    await services.close()


match read_role():
    case Role.RESPONDER:
        register_responder()
    case Role.EXECUTOR:
        register_executor()
    case Role.NONE:
        log.error("BACKSTOP_ROLE is neither responder nor executor: no function is registered")
