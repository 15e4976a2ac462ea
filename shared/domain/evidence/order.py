"""The order for a bundle: who asked for which scope, how far it has come, and what it came to.

The responder takes it and shows it, the executor collects: only that app reads seals and signs. The
id carries the time, so that newer ones are listed first and each is found by its id alone.
"""

import re
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from shared.domain.event import ITSELF, ChangeEvent, EventKind, happened
from shared.domain.evidence.scope import sentence_of
from shared.domain.keys import digest
from shared.domain.ledger.export import Scope

FAR = 10**12  # seconds; makes newer keys sort first
PREFIX = "evidence|"
_ID = re.compile(r"EV-(\d{8}T\d{6})Z-[0-9A-F]{8}")


class OrderState(StrEnum):
    """Where an order stands."""

    WAITING = "waiting"  # to begin, or for the next seal
    COLLECTING = "collecting"
    DONE = "done"
    FAILED = "failed"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order. `events` of `records` read so far are in its scope.

    Once done: `sha256` and `size` (bytes) of the bundle, the fingerprint of the key that sealed it,
    and whether the records verified (`problem` says what did not).
    """

    id: str
    scope: Scope
    asked_by: str
    role: str
    asked_at: datetime
    state: OrderState = OrderState.WAITING
    events: int = 0
    records: int = 0
    sha256: str = ""
    size: int = 0
    key: str = ""
    verified: bool = False
    problem: str = ""
    detail: str = ""
    ended_at: datetime | None = None

    @property
    def row(self) -> str:
        """Where it lies in the shard of Backstop's own; newest first."""
        return f"{PREFIX}{FAR - int(self.asked_at.timestamp()):012d}|{self.id}"


def new_order(scope: Scope, asked_by: str, role: str, now: datetime) -> Order:
    """The order of somebody who asks now."""
    at = now.astimezone(UTC)
    unique = digest(asked_by, now.isoformat(), msgspec.json.encode(scope).decode())[:8].upper()
    name = f"EV-{at:%Y%m%dT%H%M%S}Z-{unique}"
    return Order(id=name, scope=scope, asked_by=asked_by, role=role, asked_at=at)


def row_of(order_id: str) -> str:
    """The row of an order by its id; "" where it is no such id."""
    found = _ID.fullmatch(order_id)
    if found is None:
        return ""
    try:
        at = datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return ""
    return f"{PREFIX}{FAR - int(at.timestamp()):012d}|{order_id}"


def tell_ordered(order: Order) -> ChangeEvent:
    """The event of an order: who asks for what was recorded. So there is something to seal, too."""
    return happened(
        EventKind.EVIDENCE_ORDERED,
        f"ordered-{order.id}",
        ITSELF,
        order.asked_at,
        actor=order.asked_by,
        role=order.role,
        what=f"ordered evidence: {sentence_of(order.scope)}",
        why="asked for by an auditor",
        evidence={"order": order.id},
    )


def tell_exported(order: Order, now: datetime) -> ChangeEvent:
    """The event of a bundle that was made: who has what was recorded, and about what."""
    return happened(
        EventKind.EVIDENCE_EXPORTED,
        f"evidence-{order.id}",
        ITSELF,
        now,
        actor=order.asked_by,
        role=order.role,
        what=f"exported evidence: {sentence_of(order.scope)}",
        why="asked for by an auditor",
        after={"sha256": order.sha256, "size": order.size, "verified": order.verified},
        evidence={"order": order.id, "events": order.events, "key": order.key},
    )
