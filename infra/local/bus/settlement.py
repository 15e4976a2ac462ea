"""Dispositions that come in: what receivers did with the messages they hold.

Service Bus answers each with the state it took effect with, or with the refusal, and the client
library waits for that answer.
"""

from typing import Any

from infra.local.bus.broker import Broker
from infra.local.bus.faults import Fault
from infra.local.bus.performatives import Disposition, Outcome
from infra.local.bus.receiving import Settlement
from infra.local.bus.refusals import Refusal, not_allowed
from infra.local.bus.session import Session, error_value
from infra.local.bus.values import Described, UInt


def on_disposition(session: Session, broker: Broker, disposition: Disposition) -> None:
    """Apply a disposition to every delivery that it covers."""
    if not disposition.from_receiver:
        return
    for delivery in _covered(session, disposition):
        if disposition.state is not None:
            _apply(session, broker, delivery, disposition.state, silent=disposition.settled)
        elif disposition.settled:
            del session.unsettled[delivery]


def _covered(session: Session, disposition: Disposition) -> list[int]:
    """Return the deliveries that are still open; the range is the peer's, so never walk it."""
    first = disposition.first
    last = first if disposition.last is None else disposition.last
    if first == last:
        return [first] if first in session.unsettled else []
    return [delivery for delivery in session.unsettled if first <= delivery <= last]


def _apply(
    session: Session, broker: Broker, delivery: int, state: Described, *, silent: bool
) -> None:
    link, token = session.unsettled[delivery]
    if broker.faults.take(Fault.DROP_BEFORE_SETTLE, link.path):
        session.abort()
        return
    reply = state
    try:
        settlement, properties = _meaning(state)
        if link.queue is not None:
            link.queue.settle(token, settlement, properties)
        if settlement is Settlement.DEAD_LETTER:
            reply = Described(Outcome.REJECTED, [])
    except Refusal as refusal:
        reply = Described(Outcome.REJECTED, [error_value(refusal)])
    if broker.faults.take(Fault.DROP_AFTER_SETTLE, link.path):
        session.abort()
        return
    del session.unsettled[delivery]
    if not silent:
        number = UInt(delivery)
        session.send(Disposition(False, number, number, settled=True, state=reply))


def _meaning(state: Described) -> tuple[Settlement, dict[str, Any]]:
    """Return what an outcome asks for, and the properties that it adds to the message."""
    match state.descriptor:
        case Outcome.ACCEPTED:
            return Settlement.COMPLETE, {}
        case Outcome.RELEASED:
            return Settlement.RELEASE, {}
        case Outcome.REJECTED:
            error = _field(state, 0)
            return Settlement.DEAD_LETTER, _texts(_field(error, 2) if error else None)
        case Outcome.MODIFIED:
            undeliverable = _field(state, 1)
            settlement = Settlement.DEFER if undeliverable else Settlement.ABANDON
            return settlement, _texts(_field(state, 2))
        case _:
            raise not_allowed(f"unknown outcome {state.descriptor!r}")


def _field(described: Described, position: int) -> Any:
    return described.value[position] if len(described.value) > position else None


def _texts(properties: dict[Any, Any] | None) -> dict[str, Any]:
    return {str(key): value for key, value in (properties or {}).items()}
