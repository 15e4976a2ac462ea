"""Messages that come in: to a topic, to the token endpoint, to the management endpoint.

Any token is accepted: the emulator listens on this machine only.
"""

from typing import Any
from uuid import uuid4

from infra.local.bus.broker import Broker
from infra.local.bus.content import Content, Property, Section
from infra.local.bus.encode import encode, encode_section
from infra.local.bus.faults import Fault
from infra.local.bus.management import answer
from infra.local.bus.performatives import Disposition, Outcome, Transfer
from infra.local.bus.refusals import Refusal
from infra.local.bus.session import Link, LinkKind, Session, error_value
from infra.local.bus.values import Described, Int, UInt, ULong

_BATCH = 0x80013700  # the message format in which each data section is a message of its own
_ACCEPTED = Described(Outcome.ACCEPTED, [])


def on_transfer(session: Session, broker: Broker, transfer: Transfer, payload: bytes) -> None:
    """Collect the frames of a delivery; when it is whole, store or answer it."""
    session.count_incoming()
    link = session.links.get(transfer.handle)
    if link is None:
        return
    first, collected = link.partial or (transfer, bytearray())
    collected += payload
    link.partial = (first, collected) if transfer.more else None
    if not transfer.more:
        link.took_delivery()
        _on_delivery(link, broker, first, bytes(collected))


def _on_delivery(link: Link, broker: Broker, first: Transfer, raw: bytes) -> None:
    if link.kind is LinkKind.SEND:
        _store(link, broker, first, raw)
        return
    _settle(link, first, _ACCEPTED)
    request = Content(raw)
    if link.kind is LinkKind.TOKENS:
        welcome = {"status-code": Int(202), "status-description": "Accepted"}
        _respond(link, request, welcome, None)
    else:
        _respond(link, request, *answer(link, broker, request))


def _store(link: Link, broker: Broker, first: Transfer, raw: bytes) -> None:
    if broker.faults.take(Fault.DROP_BEFORE_SEND, link.path):
        link.session.abort()
        return
    batch = first.message_format == _BATCH
    try:
        broker.send(link.path, Content(raw).data_sections() if batch else [raw])
    except Refusal as refusal:
        _settle(link, first, Described(Outcome.REJECTED, [error_value(refusal)]))
        return
    if broker.faults.take(Fault.DROP_AFTER_SEND, link.path):
        link.session.abort()
        return
    _settle(link, first, _ACCEPTED)


def _settle(link: Link, first: Transfer, state: Described) -> None:
    if first.settled:
        return
    delivery = UInt(first.delivery_id or 0)
    link.session.send(Disposition(True, delivery, delivery, settled=True, state=state))


def _respond(link: Link, request: Content, application: dict[str, Any], value: Any) -> None:
    """Send an answer down the receiving half of the link pair on which the request came."""
    for other in link.session.links.values():
        if other.peer_receives and (other.kind, other.path) == (link.kind, link.path):
            link.session.send_delivery(
                other,
                _response(request, application, value),
                tag=uuid4().bytes_le,
                settled=True,
            )
            return


def _response(request: Content, application: dict[str, Any], value: Any) -> bytes:
    properties: list[Any] = [None] * Property.CORRELATION_ID
    properties.append(request.standard(Property.MESSAGE_ID))
    return b"".join(
        (
            encode_section(Section.PROPERTIES, *properties),
            encode(Described(ULong(Section.APPLICATION_PROPERTIES), application)),
            encode(Described(ULong(Section.VALUE), value)),
        )
    )
