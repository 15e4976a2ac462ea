"""An AMQP session and its links: credit, windows and the frames that go out.

A link that sends to the peer is the broker's Receiver. What comes in is handled elsewhere:
`attach` opens links, `transfers` takes messages, `settlement` takes dispositions.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID, uuid4

from infra.local.bus.frames import MAX_FRAME_SIZE
from infra.local.bus.messages import StoredMessage
from infra.local.bus.performatives import (
    ERROR,
    Attach,
    Begin,
    Detach,
    Flow,
    Performative,
    Transfer,
    write,
)
from infra.local.bus.refusals import Refusal
from infra.local.bus.values import Described, Symbol, UInt

if TYPE_CHECKING:
    from infra.local.bus.queue import Queue

WINDOW = UInt(2**31 - 1)
_CREDIT = 1000
_FRAME_OVERHEAD = 128  # more than a transfer's performative ever takes
_WRAP = 0xFFFFFFFF


class LinkKind(StrEnum):
    """What a link is for."""

    SEND = "send"
    RECEIVE = "receive"
    MANAGEMENT = "management"
    TOKENS = "tokens"


class Wire(Protocol):
    """What a session needs of its connection."""

    peer_frame_size: int

    def write(self, data: bytes) -> None:
        """Send bytes to the peer."""

    def abort(self) -> None:
        """Break the connection, as a network does."""


class Link:
    """One direction of messages between the peer and an entity.

    `queue` is there on links that receive from a subscription, `deletes` when those receive
    without locking. `partial` collects the frames of a delivery that is still coming in.
    """

    def __init__(self, session: "Session", attach: Attach, kind: LinkKind, path: str) -> None:
        self.session = session
        self.name = attach.name
        self.handle = UInt(attach.handle)
        self.peer_receives = attach.receives
        self.kind = kind
        self.path = path
        self.queue: Queue | None = None
        self.deletes = False
        self.credit = 0
        self.delivery_count = 0
        self.partial: tuple[Transfer, bytearray] | None = None
        self._open = True

    def wants(self) -> bool:
        """Whether the peer gave credit for one more message."""
        return self._open and self.credit > 0 and self.session.remote_window > 0

    def deliver(self, message: StoredMessage) -> None:
        """Send a message to the peer; unless `deletes`, its disposition is waited for."""
        tag = message.token or uuid4()
        delivery = self.session.send_delivery(
            self, message.encode(), tag=tag.bytes_le, settled=self.deletes
        )
        if message.token is not None:
            self.session.unsettled[delivery] = (self, message.token)

    def grant_credit(self) -> None:
        """Let the peer send more."""
        self.credit = _CREDIT
        self.session.send_flow(self)

    def took_delivery(self) -> None:
        """Count a whole delivery from the peer, and renew its credit in time."""
        self.delivery_count += 1
        self.credit -= 1
        if self.credit < _CREDIT // 2:
            self.grant_credit()

    def close(self) -> None:
        """Take no more from the queue."""
        self._open = False
        if self.queue is not None:
            self.queue.detach(self)


class Session:
    """One session: `unsettled` are the deliveries whose fate the peer has not told yet."""

    def __init__(self, wire: Wire, channel: int, begin: Begin) -> None:
        self._wire = wire
        self._channel = channel
        self._next_incoming = begin.next_outgoing_id
        self._next_outgoing = 1
        self._next_delivery = 1
        self.remote_window = begin.incoming_window
        self.links: dict[int, Link] = {}
        self.unsettled: dict[int, tuple[Link, UUID]] = {}

    def send(self, performative: Performative, payload: bytes = b"") -> None:
        """Write one frame on this session's channel."""
        self._wire.write(write(self._channel, performative, payload))

    def abort(self) -> None:
        """Break the connection."""
        self._wire.abort()

    def count_incoming(self) -> None:
        """Count one transfer frame from the peer."""
        self._next_incoming += 1

    def send_delivery(self, link: Link, payload: bytes, *, tag: bytes, settled: bool) -> int:
        """Send one message in as many frames as it needs, and return its delivery id."""
        delivery, self._next_delivery = self._next_delivery, self._next_delivery + 1
        link.credit -= 1
        link.delivery_count += 1
        size = min(self._wire.peer_frame_size, MAX_FRAME_SIZE) - _FRAME_OVERHEAD
        chunks = [payload[at : at + size] for at in range(0, len(payload), size)]
        for number, chunk in enumerate(chunks):
            transfer = Transfer(
                handle=link.handle,
                delivery_id=UInt(delivery),
                delivery_tag=tag,
                message_format=UInt(0),
                settled=settled,
                more=number < len(chunks) - 1,
            )
            self.send(transfer, chunk)
            self._next_outgoing += 1
            self.remote_window -= 1
        return delivery

    def send_flow(self, link: Link, *, drain: bool = False) -> None:
        """Tell the peer the windows of the session and the credit of `link`."""
        flow = Flow(
            next_incoming_id=UInt(self._next_incoming & _WRAP),
            incoming_window=WINDOW,
            next_outgoing_id=UInt(self._next_outgoing & _WRAP),
            outgoing_window=WINDOW,
            handle=link.handle,
            delivery_count=UInt(link.delivery_count & _WRAP),
            link_credit=UInt(link.credit),
            drain=drain,
        )
        self.send(flow)

    def on_flow(self, flow: Flow) -> None:
        """Take new credit; with drain, what cannot be used at once is given back."""
        self.remote_window = flow.next_incoming_id + flow.incoming_window - self._next_outgoing
        link = None if flow.handle is None else self.links.get(flow.handle)
        if link is None or not link.peer_receives:
            return
        if flow.link_credit is not None:
            link.credit = max(0, flow.delivery_count + flow.link_credit - link.delivery_count)
        if link.queue is not None:
            link.queue.pump()
        if flow.drain:
            link.delivery_count += link.credit
            link.credit = 0
        if flow.drain or flow.echo:
            self.send_flow(link, drain=flow.drain)

    def close_link(self, handle: int, refusal: Refusal | None = None) -> None:
        """Close a link, on the peer's wish or with the reason why."""
        link = self.links.pop(handle, None)
        if link is None:
            return
        link.close()
        error = error_value(refusal) if refusal else None
        self.send(Detach(link.handle, closed=True, error=error))

    def close(self) -> None:
        """Close all links silently: the session or the connection is over."""
        for link in self.links.values():
            link.close()
        self.links.clear()


def error_value(refusal: Refusal) -> Described:
    """Return a refusal as AMQP writes errors; clients expect all three fields."""
    return Described(ERROR, [Symbol(refusal.condition), refusal.description, {}])
