"""The inbox's HTTP side: a Workflows webhook, PagerDuty's Events v2, a plain webhook, and a page.

`create_inbox(store)` is an ASGI app that trusts its own machine only. The page is drawn here and
refreshed by `static/inbox.js`; no script or style stands in the page itself.
"""

from collections.abc import Mapping
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from infra.local.inbox.card_rules import check_message
from infra.local.inbox.markdown import to_html
from infra.local.inbox.pager_rules import find_mistakes
from infra.local.inbox.store import Fault, InboxStore, Part
from shared.errors import RejectedInput

_HERE = Path(__file__).parent
_LARGEST = 512 * 1024
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
        " img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_inbox(store: InboxStore) -> Starlette:
    """The app over one store. Stores may outlive apps, so that a restart keeps the cards."""
    inbox = _Inbox(store)
    return Starlette(
        routes=[
            Route("/", inbox.page),
            Route("/board", inbox.board),
            Route("/teams", inbox.take_card, methods=["POST"]),
            Route("/pagerduty/v2/enqueue", inbox.take_page, methods=["POST"]),
            Route("/webhook", inbox.take_webhook, methods=["POST"]),
            Route("/api/cards", inbox.list_cards),
            Route("/api/pages", inbox.list_pages),
            Route("/api/faults", inbox.set_faults, methods=["GET", "PUT"]),
            Route("/static/{name}", inbox.show_file),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


class _Inbox:
    """The handlers over one store."""

    def __init__(self, store: InboxStore) -> None:
        self._store = store
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=select_autoescape(default=True),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["markdown"] = to_html
        # Read once: a reader that goes away in the middle leaves no file open.
        self._files = {path.name: path.read_bytes() for path in (_HERE / "static").iterdir()}

    async def show_file(self, request: Request) -> Response:
        """One of the page's own files."""
        name = request.path_params["name"]
        if name not in self._files:
            return Response(status_code=404)
        kind, _ = guess_type(name)
        return Response(self._files[name], media_type=kind, headers=_HEADERS)

    async def take_card(self, request: Request) -> Response:
        """Answer as a Workflows webhook does: 202 without a body, or an error with a code."""
        if (fault := self._fault(Part.TEAMS)) is not None:
            return fault
        try:
            card = check_message(await _read_json(request))
        except RejectedInput as refusal:
            error = {"code": refusal.reason, "message": refusal.detail}
            return JSONResponse({"error": error}, status_code=400)
        self._store.add(Part.TEAMS, card)
        return Response(status_code=202)

    async def take_page(self, request: Request) -> Response:
        """Answer as Events v2 does: 202 with the dedup key, or 400 with every mistake."""
        if (fault := self._fault(Part.PAGER)) is not None:
            return fault
        try:
            event = _as_object(await _read_json(request))
        except RejectedInput as refusal:
            return _invalid_event([refusal.detail])
        if mistakes := find_mistakes(event):
            return _invalid_event(mistakes)
        event.setdefault("dedup_key", f"generated-{self._store.changes}")
        self._store.add(Part.PAGER, event)
        accepted = {"status": "success", "message": "Event processed"}
        return JSONResponse(accepted | {"dedup_key": event["dedup_key"]}, status_code=202)

    async def take_webhook(self, request: Request) -> Response:
        """Take any JSON object."""
        if (fault := self._fault(Part.WEBHOOK)) is not None:
            return fault
        try:
            body = _as_object(await _read_json(request))
        except RejectedInput as refusal:
            return JSONResponse({"error": refusal.detail}, status_code=400)
        self._store.add(Part.WEBHOOK, body)
        return JSONResponse({"status": "ok"})

    async def list_cards(self, _: Request) -> Response:
        """The cards as JSON, the newest first."""
        return _json({"cards": self._store.cards()})

    async def list_pages(self, _: Request) -> Response:
        """The pager's alerts and what came by the webhook, the newest first."""
        return _json({"alerts": self._store.alerts(), "webhooks": self._store.webhooks()})

    async def set_faults(self, request: Request) -> Response:
        """GET tells which parts fail; PUT {"teams": "outage"} changes it."""
        if request.method == "PUT":
            try:
                wanted = msgspec.convert(await _read_json(request), dict[Part, Fault])
            except (RejectedInput, msgspec.ValidationError) as mistake:
                return JSONResponse({"error": str(mistake)}, status_code=400)
            for part, fault in wanted.items():
                self._store.set_fault(part, fault)
        return _json(self._store.faults)

    async def page(self, _: Request) -> Response:
        """The page for people."""
        return self._html("index.html", _HEADERS)

    async def board(self, request: Request) -> Response:
        """The part of the page that changes; 304 where it has not."""
        tag = f'"{id(self._store):x}-{self._store.changes}"'
        headers = _HEADERS | {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == tag:
            return Response(status_code=304, headers=headers)
        return self._html("board.html", headers)

    def _html(self, name: str, headers: Mapping[str, str]) -> Response:
        faults = {part: fault for part, fault in self._store.faults.items() if fault != Fault.NONE}
        html = self._templates.get_template(name).render(
            cards=self._store.cards(),
            alerts=self._store.alerts(),
            webhooks=self._store.webhooks(),
            faults=faults,
        )
        return HTMLResponse(html, headers=headers)

    def _fault(self, part: Part) -> Response | None:
        fault = self._store.faults[part]
        if fault is Fault.OUTAGE:
            return JSONResponse({"error": "out of order"}, status_code=503)
        if fault is Fault.THROTTLE:
            return JSONResponse(
                {"error": "too many requests"}, status_code=429, headers={"Retry-After": "7"}
            )
        return None


def _invalid_event(mistakes: list[str]) -> Response:
    said = {"status": "invalid event", "message": "Event object is invalid", "errors": mistakes}
    return JSONResponse(said, status_code=400)


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _as_object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RejectedInput("not-an-object", "the body must be a JSON object")
    return value


async def _read_json(request: Request) -> object:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise RejectedInput("too-large", f"the body is larger than {_LARGEST} bytes")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise RejectedInput("not-json", "the body is not JSON") from None
