"""The table of contents: every trigger of both function apps, a few lines each.

BACKSTOP_ROLE chooses the app. *responder* has the public HTTP routes and no right to write to ARM;
*executor* may move traffic and write the ledger and has no HTTP route. An unset or unknown role
registers nothing and says so. This is the only file that imports azure.functions. Everything behind
the triggers is imported when it is first needed: a cold start pays for what it serves, not for all.
"""

import gc
import logging
import typing
from collections.abc import Mapping
from importlib import import_module
from urllib.parse import urlsplit, urlunsplit

import azure.functions as func
import msgspec

from shared.domain.authority.permissions import Gate
from shared.domain.message import CHANGES, WORK, Message
from shared.domain.views.http import Answer, Request
from shared.errors import RejectedInput
from shared.protocol.door.log_lines import redact_log_lines
from shared.protocol.door.serve import HttpResponder, serve
from shared.protocol.settle import Handler, settle, settle_batch
from shared.services import Services
from shared.settings import BUS_CONNECTION, TICK_SCHEDULE, Role, read_role


class Later(msgspec.Struct, frozen=True):
    """A function of ours by its place, imported when it is first called.

    `body` names the struct beside it of the JSON body that it takes, "*" any object; `query` are
    the names that it reads from the query string. The API's own description tells of both.
    """

    module: str
    name: str
    body: str = ""
    query: tuple[str, ...] = ()

    def find(self) -> typing.Any:  # noqa: ANN401 - any function of ours
        """Import it."""
        return getattr(import_module(self.module), self.name)

    async def __call__(self, *arguments: typing.Any) -> typing.Any:  # noqa: ANN401 - its own
        """Call it."""
        return await self.find()(*arguments)


type Route = tuple[str, str, str, HttpResponder]  # name, method, path, what answers it


def _api(
    name: str, method: str, path: str, module: str, body: str = "", query: tuple[str, ...] = ()
) -> Route:
    """A route of the API, answered by the function of its name."""
    return name, method, f"api/{path}", Later(f"responders.{module}", name, body, query)


def _page(name: str, path: str, module: str = "reading.console") -> Route:
    """A page of the console."""
    return name, "GET", path, Later(f"responders.{module}", name)


def _button(name: str, path: str, module: str, does: str, page: str = "") -> Route:
    """A form of a page, which does what the API does and shows the page again."""

    async def press(known: Services, request: Request) -> Answer:
        respond = PRESS.find()(Later(f"responders.{module}", does), page)
        answer: Answer = await respond(known, request)
        return answer

    return name, "POST", path, press


async def _describe(known: Services, _request: Request) -> Answer:
    """The description of the API, but for this route itself."""
    api = [route for route in ROUTES if route[2].startswith("api/") and isinstance(route[3], Later)]
    answer: Answer = await DESCRIBE(known, api)
    return answer


gc.set_threshold(20_000, 10, 10)  # an SDK's request makes and drops a thousand objects
log = logging.getLogger("backstop")
app = func.FunctionApp()
services = Services()
redact_log_lines(lambda: services.redactor)

PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
ROOT = "{ignored:maxlength(0)?}"  # an empty route would be the function's name
PRESS = Later("responders.people.press", "press")
DESCRIBE = Later("responders.reading.describe", "describe")
NOTIFY = Later("responders.people.notify", "notify")
RECORD = Later("responders.evidence.record", "record")
RUN_TICK = Later("shared.protocol.tick", "run_tick")
NOTE_SHUT_OUT = Later("shared.protocol.alarm.shut_out", "note_shut_out")
PAGED = ("after", "limit")
LISTED = ("state", *PAGED)
CHANGED = ("service", "month", "before", "limit")
TRACED = ("prompt", "dataset", "model", "service", "after", "limit")
ROUTES: tuple[Route, ...] = (
    _api("ingest", "POST", "alerts", "alert.ingest", body="*"),
    _api("take_signal", "POST", "signals", "alert.signal", body="Signal"),
    _api("show_delivery", "GET", "deliveries/{key}", "reading.show"),
    _api("show_health", "GET", "health", "reading.health", query=("service",)),
    _api("show_incidents", "GET", "incidents", "reading.show", query=LISTED),
    _api("show_incident", "GET", "incidents/{id}", "reading.show"),
    _api("show_affected", "GET", "incidents/{id}/affected", "reading.show", query=PAGED),
    _api("handle", "POST", "incidents/{id}/{action}", "people.handle", body="Handling"),
    _api("show_changes", "GET", "changes", "reading.show", query=CHANGED),
    _api("register", "POST", "releases", "watching.register", body="ReleaseRequest"),
    _api("show_releases", "GET", "releases", "reading.trace", query=("service", "after", "limit")),
    _api("show_difference", "GET", "releases/diff", "reading.trace", query=("service", "a", "b")),
    _api("show_release", "GET", "releases/{version}", "reading.trace", query=("service",)),
    _api("show_lineage", "GET", "lineage", "reading.trace", query=TRACED),
    _api("show_kill_switch", "GET", "kill-switch", "people.control"),
    _api("set_kill_switch", "POST", "kill-switch", "people.control", body="KillSwitchRequest"),
    _api("show_freezes", "GET", "freezes", "people.freeze"),
    _api("set_freeze", "POST", "freezes", "people.freeze", body="FreezeRequest"),
    _api("show_slos", "GET", "slos", "reading.slos", query=("service",)),
    _api("show_readiness", "GET", "readiness", "reading.readiness"),
    _api("show_reviews", "GET", "reviews", "people.review"),
    _api("close_review", "POST", "reviews/{id}/close", "people.review", body="Closing"),
    _api("show_quarantine", "GET", "quarantine", "repair.quarantine", query=LISTED),
    _api("resubmit", "POST", "quarantine/{id}/resubmit", "repair.quarantine", body="Resubmission"),
    _api("discard", "POST", "quarantine/{id}/discard", "repair.quarantine", body="Discarding"),
    _api("ask", "POST", "rollbacks", "people.ask", body="RollbackWanted"),
    _api("show_approvals", "GET", "approvals", "people.approve"),
    _api("answer_approval", "POST", "approvals/{id}/{action}", "people.approve", body="Said"),
    _api("order_evidence", "POST", "evidence", "evidence.order", body="EvidenceRequest"),
    _api("show_orders", "GET", "evidence", "evidence.order", query=("limit",)),
    _api("hand_out", "GET", "evidence/{id}", "evidence.order"),
    _api("show_holds", "GET", "holds", "evidence.hold"),
    _api("place_hold", "POST", "holds", "evidence.hold", body="HoldRequest"),
    _api("lift_hold", "POST", "holds/{id}/lift", "evidence.hold", body="Lifting"),
    ("describe", "GET", "api/openapi.json", _describe),
    _page("show_home", ROOT),
    _page("show_incident_page", "incidents/{id}"),
    _page("show_releases_page", "releases/{service}"),
    _page("show_approval_page", "approvals/{id}"),
    _page("show_evidence_page", "evidence"),
    _page("show_quarantine_page", "quarantine"),
    _page("show_readiness_page", "readiness", "reading.readiness"),
    _page("show_slos_page", "slos", "reading.slos"),
    _page("show_asset", "assets/{name}"),
    _button("press_incident", "incidents/{id}/{action}", "people.handle", "handle"),
    _button(
        "press_approval",
        "approvals/{id}/{action}",
        "people.approve",
        "answer_form",
        "/approvals/{id}",
    ),
    _button("press_rollback", "rollbacks", "people.ask", "ask", "/"),
    _button("press_kill_switch", "kill-switch", "people.control", "set_kill_switch"),
    _button("press_freeze", "freezes", "people.freeze", "set_freeze", "/"),
    _button("press_review", "reviews/{id}/close", "people.review", "close_review", "/"),
    _button("press_evidence", "evidence", "evidence.order", "order_by_form", "/evidence"),
    _button("press_hold", "holds", "evidence.hold", "hold_by_form", "/evidence"),
    _button("press_lift", "holds/{id}/lift", "evidence.hold", "lift_hold", "/evidence"),
    _button(
        "press_resubmit", "quarantine/{id}/resubmit", "repair.quarantine", "resubmit", "/quarantine"
    ),
    _button(
        "press_discard", "quarantine/{id}/discard", "repair.quarantine", "discard", "/quarantine"
    ),
)
COMMANDS: dict[Role, dict[str, Later]] = {
    Role.RESPONDER: {
        "triage": Later("responders.alert.triage", "triage"),
        "diagnose": Later("responders.alert.diagnose", "diagnose"),
        "page": Later("responders.people.page", "page"),
    },
    Role.EXECUTOR: {
        "corroborate": Later("responders.alert.corroborate", "corroborate"),
        "enforce": Later("responders.alert.enforce", "enforce"),
        "verify": Later("responders.alert.verify", "verify"),
        "collect": Later("responders.evidence.collect", "collect"),
    },
}
JOBS: dict[Role, tuple[Later, ...]] = {
    Role.RESPONDER: (
        Later("responders.watching.warm", "warm_responder"),
        Later("responders.repair.relay", "relay"),
        Later("shared.protocol.alarm.keeper", "watch_deliveries"),
        Later("responders.people.page", "page_all_due"),
        Later("responders.people.notify", "post_abandoned_cards"),
        Later("responders.repair.sweep", "sweep"),
        Later("responders.repair.remind", "remind"),
        Later("responders.people.review", "remind_reviewers"),
        Later("responders.watching.budget", "keep_budgets"),
        Later("responders.repair.exhume", "exhume"),
        Later("responders.watching.ready_responder", "ready_responder"),
    ),
    Role.EXECUTOR: (
        Later("responders.watching.warm", "warm_executor"),
        Later("responders.repair.relay", "relay"),
        Later("responders.repair.reconcile", "reconcile"),
        Later("responders.watching.watch", "watch"),
        Later("responders.evidence.seal", "seal"),
        Later("responders.evidence.purge", "purge"),
        Later("responders.watching.compare", "compare"),
        Later("responders.watching.check_health", "check_health"),
        Later("responders.watching.configure", "configure"),
        Later("responders.watching.ready_executor", "ready_executor"),
    ),
}


def register_responder() -> None:
    """Public HTTP, triage, diagnosis, cards and pages."""
    for name, method, route, respond in ROUTES:
        _serve(name, method, route, respond)
    _work("responder", COMMANDS[Role.RESPONDER])

    @app.service_bus_topic_trigger("msg", BUS_CONNECTION, CHANGES, "notify")
    async def tell(msg: func.ServiceBusMessage) -> None:
        await settle(services, CHANGES, "notify", _message(msg), NOTIFY)

    _tick(JOBS[Role.RESPONDER], NOTE_SHUT_OUT)


def register_executor() -> None:
    """Decisions, traffic, verification and the ledger; no HTTP."""
    _work("executor", COMMANDS[Role.EXECUTOR])

    @app.service_bus_topic_trigger(
        "msgs", BUS_CONNECTION, CHANGES, "record", cardinality=func.Cardinality.MANY
    )
    async def write_ledger(msgs: typing.List[func.ServiceBusMessage]) -> None:  # noqa: UP006 - the worker knows no list[]
        messages = [_message(msg) for msg in msgs]
        await settle_batch(services, CHANGES, "record", messages, RECORD)

    _tick(JOBS[Role.EXECUTOR])


def _serve(name: str, method: str, route: str, respond: HttpResponder) -> None:
    gate = Gate(name=name, is_page=not route.startswith("api/"))

    @app.function_name(name)
    @app.route(route, methods=[method], auth_level=func.AuthLevel.ANONYMOUS)
    async def answer_it(req: func.HttpRequest) -> func.HttpResponse:
        answer = await serve(services, gate, _request(req), respond)
        return func.HttpResponse(
            answer.body,
            status_code=answer.status,
            mimetype=answer.content_type,
            headers={**PRIVATE, **answer.headers},
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
        await settle(services, WORK, subscription, _message(msg), dispatch)


def _tick(jobs: tuple[Later, ...], shut_out: Later | None = None) -> None:
    """One timer an app runs what is due."""

    @app.timer_trigger("timer", f"%{TICK_SCHEDULE}%", use_monitor=False)
    async def tick(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the worker binds it by name
        await RUN_TICK(services, jobs, shut_out)


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
    properties = msg.application_properties or {}
    attempt = str(properties.get("attempt", 1))
    return Message(
        subject=msg.label or "",
        body=msg.get_body().decode("utf-8", "replace"),
        message_id=msg.message_id or "",
        attempt=int(attempt) if attempt.isdecimal() else 1,
        only_for=str(properties.get("only_for", "")),
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
