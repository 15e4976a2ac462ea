"""Opening links: which entity an address means, and whether one may send to it or receive from it.

A refused link is attached without a terminus and detached at once with the error, as AMQP 1.0
(2.6.3) wants it; the client library raises the error that belongs to the condition.
"""

from urllib.parse import unquote, urlsplit

from infra.local.bus.broker import MAX_MESSAGE_SIZE, Broker
from infra.local.bus.performatives import Attach, Terminus
from infra.local.bus.refusals import Refusal
from infra.local.bus.session import Link, LinkKind, Session
from infra.local.bus.values import Described, UInt, ULong

_TOKENS = "$cbs"
_MANAGEMENT = "/$management"
_RECEIVE_AND_DELETE = 1


def open_link(session: Session, broker: Broker, attach: Attach) -> None:
    """Open the link that the peer asks for, or refuse it."""
    try:
        link = _new_link(session, broker, attach)
    except Refusal as refusal:
        _refuse(session, attach, refusal)
        return
    session.links[attach.handle] = link
    session.send(_reply(attach))
    if link.queue is not None:
        link.queue.attach(link)
    if not link.peer_receives:
        link.grant_credit()


def _new_link(session: Session, broker: Broker, attach: Attach) -> Link:
    address = _address(attach)
    if address == _TOKENS:
        return Link(session, attach, LinkKind.TOKENS, address)
    if address.lower().endswith(_MANAGEMENT):
        path = address[: -len(_MANAGEMENT)]
        broker.check_entity(path)
        return Link(session, attach, LinkKind.MANAGEMENT, path)
    if attach.receives:
        return _receiving_link(session, broker, attach)
    broker.topic(address)
    return Link(session, attach, LinkKind.SEND, address)


def _receiving_link(session: Session, broker: Broker, attach: Attach) -> Link:
    link = Link(session, attach, LinkKind.RECEIVE, _address(attach))
    link.queue = broker.queue(link.path)
    link.deletes = attach.sender_settle_mode == _RECEIVE_AND_DELETE
    return link


def _address(attach: Attach) -> str:
    """Return the path of the entity; clients send it bare or as a URL."""
    terminus = attach.source if attach.receives else attach.target
    address = str(terminus.value[0]) if terminus is not None and terminus.value else ""
    if "://" in address:
        address = urlsplit(address).path
    return unquote(address).strip("/")


def _reply(attach: Attach) -> Attach:
    return attach._replace(
        handle=UInt(attach.handle),
        receives=not attach.receives,
        source=attach.source or Described(Terminus.SOURCE, []),
        target=attach.target or Described(Terminus.TARGET, []),
        unsettled=None,
        initial_delivery_count=UInt(0) if attach.receives else None,
        max_message_size=ULong(MAX_MESSAGE_SIZE),
        offered_capabilities=None,
        desired_capabilities=None,
        properties=None,
    )


def _refuse(session: Session, attach: Attach, refusal: Refusal) -> None:
    session.links[attach.handle] = Link(session, attach, LinkKind.SEND, "")
    reply = _reply(attach)
    session.send(reply._replace(source=None) if attach.receives else reply._replace(target=None))
    session.close_link(attach.handle, refusal)
