"""The line: what lies between the bus and its client, spoiled for the next connections as planned.

AMQP keeps its connections, so it is they that meet a trouble, and what was open is cut before.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum


class Mishap(StrEnum):
    """What goes wrong with one connection."""

    HUNG_UP = "the connection is closed as soon as it is made"
    SILENT = "the connection is made, and nobody says anything"
    DRIPPING = "the first bytes come one by one, and lead nowhere"
    GARBAGE = "an answer that is not AMQP"
    MALFORMED = "an AMQP of another version"


_HEADER = b"AMQP\x03\x01\x00\x00"
_SPOKEN = {Mishap.GARBAGE: b"HTTP/1.1 400 Bad Request\r\n\r\n", Mishap.MALFORMED: b"AMQP\0\x09\0\0"}


class Line:
    """A port in front of another. `mishaps` are those of the next connections."""

    def __init__(self, behind: int) -> None:
        self.port = 0
        self.mishaps: deque[Mishap] = deque()
        self._behind = behind
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Be there."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break everything that is open."""
        assert self._server is not None
        self._server.abort_clients()

    async def leave(self) -> None:
        """Be there no more."""
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mishap = self.mishaps.popleft() if self.mishaps else None
        with suppress(OSError):
            if mishap is None:
                await self._connect(reader, writer)
            else:
                await _spoil(mishap, reader, writer)
        writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, to_them = await asyncio.open_connection("127.0.0.1", self._behind)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, to_them))
                both.create_task(_pump(theirs, writer))
        except* OSError:
            pass
        finally:
            to_them.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65_536):
        writer.write(part)
        await writer.drain()
    writer.transport.abort()


async def _spoil(
    mishap: Mishap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    match mishap:
        case Mishap.HUNG_UP:
            return
        case Mishap.SILENT:
            await reader.read(-1)
        case Mishap.DRIPPING:
            for byte in _HEADER * 1_000:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)
        case _:
            writer.write(_SPOKEN[mishap])
            await writer.drain()
            await reader.read(-1)


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    """A line that is there until the block ends."""
    line = Line(port)
    await line.listen()
    try:
        yield line
    finally:
        await line.leave()
