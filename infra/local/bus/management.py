"""The `$management` endpoint: requests that are answered instead of being stored."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from infra.local.bus.broker import Broker
from infra.local.bus.content import Content
from infra.local.bus.messages import StoredMessage
from infra.local.bus.queue import DESCRIPTION, REASON, Queue
from infra.local.bus.receiving import Settlement
from infra.local.bus.refusals import Refusal, not_emulated
from infra.local.bus.session import Link
from infra.local.bus.values import AmqpArray, Int, Long, Symbol, Timestamp

_PREFIX = "com.microsoft:"
_RECEIVE_AND_DELETE = 0
_NO_LOCK = UUID(int=0)
_SETTLEMENTS = {
    "completed": Settlement.COMPLETE,
    "abandoned": Settlement.ABANDON,
    "defered": Settlement.DEFER,  # the service's own spelling
    "suspended": Settlement.DEAD_LETTER,
}
_DEAD_LETTER_FIELDS = {"deadletter-reason": REASON, "deadletter-description": DESCRIPTION}


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the entity `path`; `body` has the operation's own fields."""

    broker: Broker
    path: str
    body: dict[str, Any]

    @property
    def queue(self) -> Queue:
        """The subscription's queue; raises Refusal on a topic."""
        return self.broker.queue(self.path)


def answer(link: Link, broker: Broker, request: Content) -> tuple[dict[str, Any], dict[str, Any]]:
    """Carry a request out, and return the answer's properties and body."""
    operation = str(request.application.get("operation", ""))
    try:
        perform = _OPERATIONS.get(operation.removeprefix(_PREFIX))
        if perform is None:
            raise not_emulated(operation)
        value = perform(Request(broker, link.path, request.value() or {}))
    except Refusal as refusal:
        condition = {"errorCondition": Symbol(refusal.condition)}
        return {**_status(refusal.status, refusal.description), **condition}, {}
    return (_status(204, "No Content"), {}) if value is None else (_status(200, "OK"), value)


def _status(code: int, description: str) -> dict[str, Any]:
    return {"statusCode": Int(code), "statusDescription": description}


def _renew_lock(request: Request) -> dict[str, Any]:
    ends = [request.queue.renew(token) for token in request.body["lock-tokens"]]
    return {"expirations": AmqpArray(Timestamp(int(end * 1000)) for end in ends)}


def _schedule(request: Request) -> dict[str, Any]:
    contents = [Content(entry["message"]) for entry in request.body["messages"]]
    numbers = [request.broker.schedule(request.path, content) for content in contents]
    return {"sequence-numbers": AmqpArray(map(Long, numbers))}


def _cancel(request: Request) -> dict[str, Any]:
    request.broker.cancel(request.body["sequence-numbers"])
    return {}


def _peek(request: Request) -> dict[str, Any] | None:
    start, limit = request.body["from-sequence-number"], request.body["message-count"]
    found = request.queue.peek(start, limit)
    return {"messages": [{"message": message.encode()} for message in found]} if found else None


def _receive_deferred(request: Request) -> dict[str, Any]:
    delete = request.body.get("receiver-settle-mode", 1) == _RECEIVE_AND_DELETE
    found = request.queue.receive_deferred(request.body["sequence-numbers"], delete=delete)
    return {"messages": [_locked_message(message) for message in found]}


def _locked_message(message: StoredMessage) -> dict[str, Any]:
    return {"message": message.encode(), "lock-token": message.token or _NO_LOCK}


def _settle(request: Request) -> dict[str, Any]:
    body = request.body
    settlement = _SETTLEMENTS[body["disposition-status"]]
    properties = dict(body.get("properties-to-modify") or {})
    for field, name in _DEAD_LETTER_FIELDS.items():
        if body.get(field) is not None:
            properties[name] = body[field]
    for token in body["lock-tokens"]:
        request.queue.settle(token, settlement, properties)
    return {}


_OPERATIONS: dict[str, Callable[[Request], dict[str, Any] | None]] = {
    "renew-lock": _renew_lock,
    "schedule-message": _schedule,
    "cancel-scheduled-message": _cancel,
    "peek-message": _peek,
    "receive-by-sequence-number": _receive_deferred,
    "update-disposition": _settle,
}
