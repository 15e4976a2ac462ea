"""The wire: a server on loopback that spoils the next answers as planned, and is well after that.

It speaks HTTP itself, one request a connection, so that every kind of trouble can be made on the
wire: nobody there, silence, a hang-up after the effect, an answer that never ends, or none of HTTP.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from enum import StrEnum

from infra.local.ports import free_port

type Answer = Callable[[bytes], Awaitable[bytes]]


class Trouble(StrEnum):
    """What goes wrong with one request."""

    REFUSED = "nobody listens"
    SILENT = "no answer at all"
    DRIPPING = "an answer of which a byte comes now and then, without an end"
    LOST = "the request takes effect, its answer is lost"
    GARBAGE = "an answer that is not HTTP"
    MALFORMED = "200 with something else than what was asked for"
    THROTTLED = "429 with Retry-After"
    BROKEN = "500"
    OUT = "503"
    EXPIRED = "401"
    FORBIDDEN = "403"


STATUSES = {
    Trouble.THROTTLED: "429 Too Many Requests\r\nRetry-After: 2",
    Trouble.BROKEN: "500 Internal Server Error",
    Trouble.OUT: "503 Service Unavailable",
    Trouble.EXPIRED: "401 Unauthorized",
    Trouble.FORBIDDEN: "403 Forbidden",
}
MALFORMED = (
    *(b"", b"<html><body>maintenance</body></html>", b'{"value": [', b"\xff\xfe\x00", b"[]"),
    *(b"null", b"7", b"{}", b'{"value": 7}', b'{"value": [7]}', b'{"tables": [{}]}'),
    *(b'{"properties": []}', b'{"properties": {"traffic": []}}', b'{"id": 1, "name": {}}'),
    *(b'{"RowKey": "row", "body00": "{"}', b'{"RowKey": "row", "body00": "{\\"x\\": 1}"}'),
)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CONNECTION = re.compile(rb"\r\nconnection: *[^\r]*", re.IGNORECASE)
_NOT_HTTP = b"\x15\x03\x01\x00\x02\x02\x0a nonsense\r\n\r\n"
_DATE = "Date: Mon, 23 Nov 2026 09:00:00 GMT"


def http(status: str, body: bytes = b"", *, kind: str = "application/json") -> bytes:
    """One HTTP answer; `status` may hold further header lines."""
    head = f"HTTP/1.1 {status}\r\n{_DATE}\r\nContent-Type: {kind}\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Wire:
    """One port. `troubles` are those of the next requests; `seen` counts the requests."""

    def __init__(self, well: Answer) -> None:
        self.port = free_port()
        self.troubles: deque[Trouble] = deque()
        self.malformed: deque[bytes] = deque(MALFORMED)
        self.seen = 0
        self._well = well
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def listen(self) -> None:
        """Be there."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def leave(self) -> None:
        """Be there no more: connections are refused."""
        if self._server is not None:
            self._server.close()
            self._server.abort_clients()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            request = await _request(reader)
            self.seen += 1
            trouble = self.troubles.popleft() if self.troubles else None
            await self._answer(trouble, request, reader, writer)
            await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def _answer(
        self,
        trouble: Trouble | None,
        request: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        match trouble:
            case None:
                writer.write(await self._well(request))
            case Trouble.SILENT:
                await reader.read()
            case Trouble.DRIPPING:
                await _drip(writer)
            case Trouble.LOST:
                await self._well(request)
                writer.transport.abort()
            case Trouble.GARBAGE:
                writer.write(_NOT_HTTP)
            case Trouble.MALFORMED:
                self.malformed.rotate(-1)
                writer.write(http("200 OK", self.malformed[-1]))
            case _:
                writer.write(http(STATUSES[trouble], b'{"error": {"code": "No", "message": "no"}}'))


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(http("200 OK", b" " * 100_000)[:-99_999])
    while not writer.is_closing():
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(b" ")


def saying(status: str, body: bytes = b"") -> Answer:
    """Always the same answer."""

    async def say(_: bytes) -> bytes:
        return http(status, body)

    return say


def behind(port: int) -> Answer:
    """What a real server on another port answers."""

    async def ask(request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head, rest = _CONNECTION.sub(b"", request, count=1).split(b"\r\n", 1)
        writer.write(head + b"\r\nConnection: close\r\n" + rest)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    return ask


@asynccontextmanager
async def listening(well: Answer) -> AsyncIterator[Wire]:
    """A wire that is there until the block ends."""
    wire = Wire(well)
    await wire.listen()
    try:
        yield wire
    finally:
        await wire.leave()
