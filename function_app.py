"""The table of contents: every trigger of both function apps, a few lines each.

BACKSTOP_ROLE chooses the app. *responder* has the public HTTP routes and no right to write to ARM;
*executor* may move traffic and write the ledger and has no HTTP route. An unset or unknown role
registers nothing and says so. This is the only file that imports azure.functions. Everything behind
the triggers is imported when it is first needed: a cold start pays for what it serves, not for all.
"""

import gc
import logging
import typing
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from urllib.parse import urlsplit, urlunsplit

import azure.functions as func
import msgspec

from shared.domain.authority.permissions import Gate
from shared.domain.message import CHANGES, WORK, Message
from shared.domain.views.http import Answer, Request
from shared.domain.views.origin import refuse_foreign
from shared.errors import BackstopError, RejectedInput, Unavailable
from shared.protocol.admit import admit
from shared.protocol.log_lines import redact_log_lines
from shared.protocol.settle import Handler, settle, settle_batch
from shared.services import Services
from shared.settings import BUS_CONNECTION, TICK_SCHEDULE, Role, read_role

type HttpResponder = Callable[[Services, Request], Awaitable[Answer]]


class Later(msgspec.Struct, frozen=True):
    """A function of ours by its place, imported when it is first called."""

    module: str
    name: str

    def find(self) -> typing.Any:  # noqa: ANN401 - any function of ours
        """Import it."""
        return getattr(import_module(self.module), self.name)

    async def __call__(self, *arguments: typing.Any) -> typing.Any:  # noqa: ANN401 - its own
        """Call it."""
        return await self.find()(*arguments)


def pressed(respond: HttpResponder, page: str = "") -> HttpResponder:
    """A responder of the API as that of a button of a page."""

    async def press(known: Services, request: Request) -> Answer:
        answer: Answer = await PRESS.find()(respond, page)(known, request)
        return answer

    return press


gc.set_threshold(20_000, 10, 10)  # an SDK's request makes and drops a thousand objects
log = logging.getLogger("backstop")
app = func.FunctionApp()
services = Services()
redact_log_lines(lambda: services.redactor)

ROOT = "{ignored:maxlength(0)?}"  # an empty route would be the function's name
PRESS = Later("responders.press", "press")
HANDLE = Later("responders.handle", "handle")
SET_KILL_SWITCH = Later("responders.control", "set_kill_switch")
ASK = Later("responders.ask", "ask")
ANSWER_APPROVAL_FORM = Later("responders.approve", "answer_form")
SET_FREEZE = Later("responders.freeze", "set_freeze")
CLOSE_REVIEW = Later("responders.review", "close_review")
ORDER_BY_FORM = Later("responders.evidence", "order_by_form")
RESUBMIT = Later("responders.quarantine", "resubmit")
DISCARD = Later("responders.quarantine", "discard")
NOTIFY = Later("responders.notify", "notify")
RECORD = Later("responders.record", "record")
ANSWER_TROUBLE = Later("shared.protocol.turn_away", "answer_trouble")
NAME_PAGE = Later("shared.protocol.people", "name_page")
FIND_LEFTOVERS = Later("shared.protocol.leftovers", "find_leftovers")
ROUTES: tuple[tuple[str, str, str, HttpResponder], ...] = (
    ("ingest", "POST", "api/alerts", Later("responders.ingest", "ingest")),
    (
        "show_delivery",
        "GET",
        "api/deliveries/{key}",
        Later("responders.show", "show_delivery"),
    ),
    ("show_incidents", "GET", "api/incidents", Later("responders.show", "show_incidents")),
    ("show_incident", "GET", "api/incidents/{id}", Later("responders.show", "show_incident")),
    (
        "show_affected",
        "GET",
        "api/incidents/{id}/affected",
        Later("responders.show", "show_affected"),
    ),
    ("handle", "POST", "api/incidents/{id}/{action}", HANDLE),
    ("show_changes", "GET", "api/changes", Later("responders.show", "show_changes")),
    ("register", "POST", "api/releases", Later("responders.register", "register")),
    ("show_releases", "GET", "api/releases", Later("responders.trace", "show_releases")),
    ("show_difference", "GET", "api/releases/diff", Later("responders.trace", "show_difference")),
    ("show_release", "GET", "api/releases/{version}", Later("responders.trace", "show_release")),
    ("show_lineage", "GET", "api/lineage", Later("responders.trace", "show_lineage")),
    (
        "show_kill_switch",
        "GET",
        "api/kill-switch",
        Later("responders.control", "show_kill_switch"),
    ),
    ("set_kill_switch", "POST", "api/kill-switch", SET_KILL_SWITCH),
    ("show_freezes", "GET", "api/freezes", Later("responders.freeze", "show_freezes")),
    ("set_freeze", "POST", "api/freezes", SET_FREEZE),
    ("show_reviews", "GET", "api/reviews", Later("responders.review", "show_reviews")),
    ("close_review", "POST", "api/reviews/{id}/close", CLOSE_REVIEW),
    (
        "show_quarantine",
        "GET",
        "api/quarantine",
        Later("responders.quarantine", "show_quarantine"),
    ),
    ("resubmit", "POST", "api/quarantine/{id}/resubmit", RESUBMIT),
    ("discard", "POST", "api/quarantine/{id}/discard", DISCARD),
    ("ask", "POST", "api/rollbacks", ASK),
    ("show_approvals", "GET", "api/approvals", Later("responders.approve", "show_approvals")),
    (
        "answer_approval",
        "POST",
        "api/approvals/{id}/{action}",
        Later("responders.approve", "answer_approval"),
    ),
    ("order_evidence", "POST", "api/evidence", Later("responders.evidence", "order_evidence")),
    ("show_orders", "GET", "api/evidence", Later("responders.evidence", "show_orders")),
    ("hand_out", "GET", "api/evidence/{id}", Later("responders.evidence", "hand_out")),
    ("show_home", "GET", ROOT, Later("responders.console", "show_home")),
    (
        "show_incident_page",
        "GET",
        "incidents/{id}",
        Later("responders.console", "show_incident_page"),
    ),
    ("press_incident", "POST", "incidents/{id}/{action}", pressed(HANDLE)),
    (
        "show_quarantine_page",
        "GET",
        "quarantine",
        Later("responders.console", "show_quarantine_page"),
    ),
    (
        "show_evidence_page",
        "GET",
        "evidence",
        Later("responders.console", "show_evidence_page"),
    ),
    ("press_evidence", "POST", "evidence", pressed(ORDER_BY_FORM, "/evidence")),
    (
        "show_releases_page",
        "GET",
        "releases/{service}",
        Later("responders.console", "show_releases_page"),
    ),
    (
        "show_approval_page",
        "GET",
        "approvals/{id}",
        Later("responders.console", "show_approval_page"),
    ),
    (
        "press_approval",
        "POST",
        "approvals/{id}/{action}",
        pressed(ANSWER_APPROVAL_FORM, "/approvals/{id}"),
    ),
    ("press_rollback", "POST", "rollbacks", pressed(ASK, "/")),
    ("press_freeze", "POST", "freezes", pressed(SET_FREEZE, "/")),
    ("press_review", "POST", "reviews/{id}/close", pressed(CLOSE_REVIEW, "/")),
    ("press_kill_switch", "POST", "kill-switch", pressed(SET_KILL_SWITCH)),
    ("press_resubmit", "POST", "quarantine/{id}/resubmit", pressed(RESUBMIT, "/quarantine")),
    ("press_discard", "POST", "quarantine/{id}/discard", pressed(DISCARD, "/quarantine")),
    ("show_asset", "GET", "assets/{name}", Later("responders.console", "show_asset")),
)
COMMANDS: dict[Role, dict[str, Later]] = {
    Role.RESPONDER: {
        "triage": Later("responders.triage", "triage"),
        "diagnose": Later("responders.diagnose", "diagnose"),
        "page": Later("responders.page", "page"),
    },
    Role.EXECUTOR: {
        "enforce": Later("responders.enforce", "enforce"),
        "verify": Later("responders.verify", "verify"),
        "collect": Later("responders.collect", "collect"),
    },
}
JOBS: dict[Role, tuple[Later, ...]] = {
    Role.RESPONDER: (
        Later("responders.warm", "warm_responder"),
        Later("shared.protocol.commit", "relay"),
        Later("shared.protocol.alarm", "watch_deliveries"),
        Later("responders.page", "page_all_due"),
        Later("responders.notify", "post_abandoned_cards"),
        Later("responders.sweep", "sweep"),
        Later("responders.remind", "remind"),
        Later("responders.review", "remind_reviewers"),
        Later("responders.exhume", "exhume"),
    ),
    Role.EXECUTOR: (
        Later("responders.warm", "warm_executor"),
        Later("shared.protocol.commit", "relay"),
        Later("responders.reconcile", "reconcile"),
        Later("responders.watch", "watch"),
        Later("responders.seal", "seal"),
        Later("responders.purge", "purge"),
        Later("responders.compare", "compare"),
    ),
}


def register_responder() -> None:
    """Public HTTP, triage, diagnosis, cards and pages."""
    for name, method, route, respond in ROUTES:
        _serve(name, method, route, respond)
    _work("responder", COMMANDS[Role.RESPONDER])

    @app.service_bus_topic_trigger("msg", BUS_CONNECTION, CHANGES, "notify")
    async def tell(msg: func.ServiceBusMessage) -> None:
        await settle(services, CHANGES, _message(msg), NOTIFY)

    _tick(JOBS[Role.RESPONDER])


def register_executor() -> None:
    """Decisions, traffic, verification and the ledger; no HTTP."""
    _work("executor", COMMANDS[Role.EXECUTOR])

    @app.service_bus_topic_trigger(
        "msgs", BUS_CONNECTION, CHANGES, "record", cardinality=func.Cardinality.MANY
    )
    async def write_ledger(msgs: typing.List[func.ServiceBusMessage]) -> None:  # noqa: UP006 - the worker knows no list[]
        await settle_batch(services, CHANGES, [_message(msg) for msg in msgs], RECORD)

    _tick(JOBS[Role.EXECUTOR])


def _serve(name: str, method: str, route: str, respond: HttpResponder) -> None:
    gate = Gate(name=name, is_page=not route.startswith("api/"))

    @app.function_name(name)
    @app.route(route, methods=[method], auth_level=func.AuthLevel.ANONYMOUS)
    async def serve(req: func.HttpRequest) -> func.HttpResponse:
        request = _request(req)
        try:
            if method != "GET":  # another site's page must not press our buttons
                refuse_foreign(request, services.settings.public_url, browser_only=False)
            entered = await admit(services, gate, request)
            if isinstance(entered, Answer):
                answer = entered
            else:
                answer = await respond(services, entered)
        except BackstopError as error:
            if not isinstance(error, RejectedInput):
                log.warning("%s: %s", name, error)
            answer = ANSWER_TROUBLE.find()(services, gate, error)
        if gate.is_page:
            answer = await NAME_PAGE(services, answer)
        return func.HttpResponse(
            answer.body,
            status_code=answer.status,
            mimetype=answer.content_type,
            headers=answer.headers,
        )


def _work(subscription: str, handlers: Mapping[str, Handler]) -> None:
    """One function an app takes all commands: on Flex every function scales and starts alone."""

    async def dispatch(known: Services, message: Message) -> None:
        handler = handlers.get(message.subject)
        if handler is None:
            raise RejectedInput("unknown-subject", f"no command is called {message.subject!r}")
        await handler(known, message)

    @app.service_bus_topic_trigger("msg", BUS_CONNECTION, WORK, subscription)
    async def work(msg: func.ServiceBusMessage) -> None:
        await settle(services, WORK, _message(msg), dispatch)


def _tick(jobs: tuple[Later, ...]) -> None:
    """One timer an app runs what is due; a job whose part is out leaves the others alone."""

    @app.timer_trigger("timer", f"%{TICK_SCHEDULE}%", use_monitor=False)
    async def tick(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the worker binds it by name
        try:
            leftovers = await FIND_LEFTOVERS(services)
        except Unavailable as error:
            log.warning("tick: %s", error)
            return
        for job in jobs:
            try:
                await job(services, leftovers)
            except BackstopError as error:
                log.warning("tick: %s: %s", job.name, error)


def _request(req: func.HttpRequest) -> Request:
    return Request(
        method=req.method,
        path=dict(req.route_params),
        query=dict(req.params),
        headers={name.lower(): value for name, value in req.headers.items()},
        body=req.get_body(),
        target=_target(req.url),
    )


def _target(url: str) -> str:
    """Path and query of the address that was asked for."""
    parts = urlsplit(url)
    return urlunsplit(("", "", parts.path, parts.query, "")) or "/"


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
