"""The door of the ARM server: it keeps the journal, and makes trouble on demand.

Trouble happens here, on the wire, so that the resources behind know nothing of it: an answer can be
lost before or after the request was applied, late, or replaced by the error of a tired service.
"""

import asyncio
import re
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DROPPED = 0  # the status that the journal shows for an answer that was never sent


class Entry(msgspec.Struct, kw_only=True):
    """One request as it arrived (`at`: epoch seconds), and the status of the answer that left."""

    at: float
    method: str
    path: str
    status: int = DROPPED


@dataclass(kw_only=True)
class Fault:
    """What goes wrong with the next `times` requests whose "METHOD path" matches `match`.

    The request is held for `delay_s`; with `applied` it takes effect all the same; then the
    connection is dropped (`lost`), or the answer is `status`. With `status` None and not `lost` the
    request is only late.
    """

    match: str = ""
    times: int = 1
    status: int | None = 503
    code: str = "ServiceUnavailable"
    retry_after_s: int | None = None
    delay_s: float = 0.0
    applied: bool = False
    lost: bool = False

    @property
    def only_late(self) -> bool:
        """Whether the true answer is sent, late."""
        return self.status is None and not self.lost


def outage() -> Fault:
    """Let nothing through until the fault is taken from the list."""
    return Fault(times=10**9)


def throttled(match: str = "", *, times: int = 1, retry_after_s: int = 7) -> Fault:
    """Answer 429 with Retry-After."""
    return Fault(
        match=match, times=times, status=429, code="TooManyRequests", retry_after_s=retry_after_s
    )


def lost_answer(match: str, *, applied: bool, times: int = 1) -> Fault:
    """Drop the connection before or after the request took effect."""
    return Fault(match=match, times=times, lost=True, applied=applied)


def in_flight(match: str = "^PUT", *, times: int = 1) -> Fault:
    """Answer 409 although the state reads Succeeded: an operation that a reader cannot see."""
    return Fault(match=match, times=times, status=409, code="Conflict")


@dataclass(kw_only=True)
class Door:
    """ASGI middleware, outermost: it needs the server's own `send` to drop a connection."""

    app: ASGIApp
    clock: Callable[[], float]
    faults: list[Fault] = field(default_factory=list)
    journal: list[Entry] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the request down, then let it through or spoil it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        entry = Entry(at=self.clock(), method=scope["method"], path=scope["path"])
        self.journal.append(entry)
        fault = self._take(f"{entry.method} {entry.path}")
        if fault is None:
            await self.app(scope, receive, _noting(entry, send))
        else:
            await self._spoil(fault, entry, scope, receive, send)

    def _take(self, line: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.match, line):
                fault.times -= 1
                return fault
        return None

    async def _spoil(
        self, fault: Fault, entry: Entry, scope: Scope, receive: Receive, send: Send
    ) -> None:
        await asyncio.sleep(fault.delay_s)
        if fault.only_late:
            await self.app(scope, receive, _noting(entry, send))
            return
        if fault.applied:
            await self.app(scope, receive, _nowhere)
        if fault.lost:
            await _hang_up(receive, send)
        else:
            await _answer(fault, _noting(entry, send))


def _noting(entry: Entry, send: Send) -> Send:
    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            entry.status = message["status"]
        await send(message)

    return noting


async def _nowhere(message: MutableMapping[str, Any]) -> None:
    """Swallow the answer of a request that took effect."""


async def _hang_up(receive: Receive, send: Send) -> None:
    # uvicorn's `send` is a method of the request's cycle, which knows the socket.
    cycle = getattr(send, "__self__", None)
    if cycle is None:
        raise RuntimeError("an answer can be lost only if the door is the server's own app")
    cycle.transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(fault: Fault, send: Send) -> None:
    headers = [(b"content-type", b"application/json")]
    if fault.retry_after_s is not None:
        headers.append((b"retry-after", str(fault.retry_after_s).encode()))
    body = {"error": {"code": fault.code, "message": "the service is not itself today"}}
    await send({"type": "http.response.start", "status": fault.status, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(body)})
