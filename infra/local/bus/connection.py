"""One socket: protocol headers, sign-in, heartbeats, and the dispatch of what the peer says.

Bytes come in here and leave as calls to `attach`, `session`, `transfers` and `settlement`.
"""

import asyncio
import logging
from typing import cast

from infra.local.bus.attach import open_link
from infra.local.bus.broker import Broker
from infra.local.bus.frames import (
    FRAME_SASL,
    MAX_FRAME_SIZE,
    PROTOCOL_AMQP,
    PROTOCOL_SASL,
    Frame,
    take_frames,
    write_frame,
)
from infra.local.bus.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    Performative,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Transfer,
    parse,
    write,
)
from infra.local.bus.refusals import Refusal
from infra.local.bus.session import WINDOW, Session, error_value
from infra.local.bus.settlement import on_disposition
from infra.local.bus.transfers import on_transfer
from infra.local.bus.values import AmqpArray, DecodeError, Symbol, UByte, UInt, UShort

_logger = logging.getLogger(__name__)
_HEADER_SIZE = len(PROTOCOL_AMQP)
_SMALLEST_FRAME = 512
_IDLE_TIMEOUT_MS = UInt(240_000)
_MECHANISMS = AmqpArray(map(Symbol, ("MSSBCBS", "ANONYMOUS", "PLAIN", "EXTERNAL")))


class Connection(asyncio.Protocol):
    """A peer's connection; it is in `connections` for as long as it is open."""

    def __init__(self, broker: Broker, connections: "set[Connection]") -> None:
        self.peer_frame_size = _SMALLEST_FRAME
        self._broker = broker
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self._expects_header = True
        self._heartbeat: asyncio.TimerHandle | None = None
        self._sessions: dict[int, Session] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the peer."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the peer; what it holds stays locked until the locks run out."""
        self._connections.discard(self)
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the peer; one that sends nonsense loses its connection."""
        self._incoming += data
        try:
            self._consume()
        except Exception as error:  # the outermost loop: a broken peer must not stop the broker
            if not isinstance(error, DecodeError):
                _logger.exception("a connection is closed")
            self._close(Refusal("amqp:decode-error", repr(error)))

    def write(self, data: bytes) -> None:
        """Send `data` with whatever else is written in this turn of the event loop."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing += data

    def abort(self) -> None:
        """Break the connection, as a network does."""
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        if self._transport is not None and self._outgoing and not self._transport.is_closing():
            self._transport.write(bytes(self._outgoing))
        self._outgoing.clear()

    def _close(self, refusal: Refusal | None = None) -> None:
        self._incoming.clear()
        self.write(write(0, Close(error_value(refusal) if refusal else None)))
        self._hang_up()

    def _hang_up(self) -> None:
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _consume(self) -> None:
        while self._expects_header and len(self._incoming) >= _HEADER_SIZE:
            header = bytes(self._incoming[:_HEADER_SIZE])
            del self._incoming[:_HEADER_SIZE]
            self._on_header(header)
        if self._expects_header:
            return
        for frame in take_frames(self._incoming):
            self._on_frame(frame)
            if self._expects_header:  # sign-in is done: the next bytes are a header again
                self._consume()
                return

    def _on_header(self, header: bytes) -> None:
        if header == PROTOCOL_SASL:
            offer = write(0, SaslMechanisms(_MECHANISMS), kind=FRAME_SASL)
            self.write(PROTOCOL_SASL + offer)
        elif header == PROTOCOL_AMQP:
            self.write(PROTOCOL_AMQP)
        else:  # the answer of the standard: the header that we would have understood
            self.write(PROTOCOL_SASL)
            self._hang_up()
        self._expects_header = False

    def _on_frame(self, frame: Frame) -> None:
        if not frame.body:
            return
        performative, payload = parse(frame.body)
        session = self._sessions.get(frame.channel)
        if session is not None and isinstance(performative, Transfer):
            on_transfer(session, self._broker, performative, payload)
        elif session is not None and self._on_session(session, performative):
            return
        else:
            self._on_connection(frame.channel, performative)

    def _on_session(self, session: Session, performative: Performative) -> bool:
        """Handle what belongs to an open session, or say that it does not."""
        match performative:
            case Flow():
                session.on_flow(performative)
            case Disposition():
                on_disposition(session, self._broker, performative)
            case Attach():
                open_link(session, self._broker, performative)
            case Detach():
                session.close_link(performative.handle)
            case _:
                return False
        return True

    def _on_connection(self, channel: int, performative: Performative) -> None:
        """Handle what opens and closes; late frames of an ended session fall through."""
        match performative:
            case SaslInit():
                self.write(write(0, SaslOutcome(UByte(0)), kind=FRAME_SASL))
                self._expects_header = True
            case Open():
                self._on_open(performative)
            case Begin():
                self._sessions[channel] = Session(self, channel, performative)
                self.write(write(channel, Begin(UShort(channel), UInt(1), WINDOW, WINDOW)))
            case End():
                self._on_end(channel)
            case Close():
                self._close()
            case _:
                pass

    def _on_open(self, opened: Open) -> None:
        self.peer_frame_size = max(_SMALLEST_FRAME, min(opened.max_frame_size, MAX_FRAME_SIZE))
        ours = Open("bus", None, UInt(MAX_FRAME_SIZE), UShort(4999), _IDLE_TIMEOUT_MS)
        self.write(write(0, ours))
        if opened.idle_timeout:
            self._beat(opened.idle_timeout / 2000)

    def _on_end(self, channel: int) -> None:
        session = self._sessions.pop(channel, None)
        if session is not None:
            session.close()
        self.write(write(channel, End()))

    def _beat(self, every_s: float) -> None:
        """Send heartbeats twice as often as the peer needs them."""
        self.write(write_frame(0, b""))
        loop = asyncio.get_running_loop()
        self._heartbeat = loop.call_later(every_s, self._beat, every_s)
