"""The evidence page as values: what was ordered, how far it has come, and what is held."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from shared.domain.catalog import Service
from shared.domain.coverage import EVERYTHING
from shared.domain.evidence.order import Order, OrderState
from shared.domain.evidence.scope import sentence_of
from shared.domain.ledger.hold import LegalHold
from shared.domain.stamp import Stamp, stamp
from shared.domain.views.chart import Tone
from shared.domain.wording import plain

KILO = 1_000


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """One order. `progress` is a sentence; `href` leads to the bundle, "" as long as it is none."""

    id: str
    about: str
    tone: Tone
    state: str
    progress: str
    at: Stamp
    who: str
    href: str
    key: str


class HoldLine(msgspec.Struct, frozen=True, kw_only=True):
    """One legal hold that is in force."""

    id: str
    covers: str
    reason: str
    by: str
    at: Stamp


class EvidencePage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the page. `today` is the last day that may be asked for.

    `scopes` are what may be held, each with its title.
    """

    orders: tuple[OrderLine, ...]
    holds: tuple[HoldLine, ...]
    scopes: tuple[tuple[str, str], ...]
    today: str


def present_evidence(
    orders: Sequence[Order],
    holds: Sequence[LegalHold],
    services: Mapping[str, Service],
    now: datetime,
) -> EvidencePage:
    """Say what became of each order, and what is held."""
    named = ((service.name, service.title) for service in services.values())
    return EvidencePage(
        orders=tuple(_line(one) for one in orders),
        holds=tuple(_hold(one) for one in holds if one.on),
        scopes=((EVERYTHING, "All services"), *named),
        today=f"{now:%Y-%m-%d}",
    )


def _hold(hold: LegalHold) -> HoldLine:
    return HoldLine(
        id=hold.id,
        covers=_capital(hold.sentence),
        reason=plain(hold.reason),
        by=plain(hold.by),
        at=stamp(hold.at, "UTC"),
    )


_TONES = {
    OrderState.WAITING: Tone.PLAIN,
    OrderState.COLLECTING: Tone.PLAIN,
    OrderState.DONE: Tone.GOOD,
    OrderState.FAILED: Tone.BAD,
}


def _line(order: Order) -> OrderLine:
    done = order.state is OrderState.DONE
    spoiled = done and not order.verified
    return OrderLine(
        id=order.id,
        about=_capital(sentence_of(order.scope)),
        tone=Tone.BAD if spoiled else _TONES[order.state],
        state="does not verify" if spoiled else order.state,
        progress=plain(_progress(order)),
        at=stamp(order.asked_at, "UTC"),
        who=order.asked_by,
        href=f"/api/evidence/{order.id}" if done else "",
        key=order.key,
    )


def _progress(order: Order) -> str:
    match order.state:
        case OrderState.WAITING if order.detail:
            return f"Waits: {order.detail}."
        case OrderState.WAITING:
            return "Begins in a moment."
        case OrderState.COLLECTING:
            return f"Read {order.records:,} records, {order.events:,} events of them are in scope."
        case OrderState.FAILED:
            return f"It could not be collected: {order.detail}. Order it again."
        case OrderState.DONE:
            pass
    found = f"{order.events:,} events, {max(order.size // KILO, 1):,} kB, SHA-256 {order.sha256}."
    return f"{found} {order.problem}." if order.problem else found


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
