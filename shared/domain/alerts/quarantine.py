"""Quarantine: input that could not be taken, kept until a person has put it right.

Three kinds come here: a body that the webhook refused, a message that its consumer refused, and a
dead letter, which failed ten times. What is kept says where it came from, so that it can take the
very same road again. Events tell of the reason and the size, never of what was in it.
"""

import hashlib
from datetime import datetime
from enum import StrEnum
from functools import cached_property

import msgspec

from shared.domain.alerts.payload import MAX_BODY
from shared.domain.authority.caller import Caller
from shared.domain.event import ITSELF, ChangeEvent, EventKind, happened
from shared.domain.keys import digest
from shared.domain.redaction.redactor import BARE, Redactor
from shared.domain.wording import plain

LONGEST_BODY = MAX_BODY  # bytes; what is longer is refused for its length, now and later
LONGEST_NAME = 100
LONGEST_DETAIL = 500
LONGEST_LOOK = 4_000  # characters that are redacted before the rest is cut off

# What Azure Monitor's bodies hold, of whatever schema and however broken, and noise does not.
_MARKS = (
    b'"schemaid"',
    b'"essentials"',
    b'"alertcontext"',
    b'"alertrulename"',
    b'"subscriptionid"',
    b"azuremonitor",
    b"/subscriptions/",
)


class InputKind(StrEnum):
    """Which road the input came along."""

    ALERT = "alert"
    MESSAGE = "message"
    DEAD_LETTER = "dead-letter"


class KeptState(StrEnum):
    """Whether somebody still has to do with it."""

    KEPT = "kept"
    RESUBMITTED = "resubmitted"
    DISCARDED = "discarded"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where on the bus a message came from; all "" for a body of the webhook."""

    topic: str = ""
    subject: str = ""
    subscription: str = ""
    message_id: str = ""


class BadInput(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Input as it was refused. `source` is the route or the subscription, `seen_at` when."""

    kind: InputKind
    source: str
    reason: str
    detail: str
    body: bytes
    address: Address = Address()
    seen_at: datetime

    @cached_property
    def id(self) -> str:
        """The same for the same input from the same place, so that it is kept and told once.

        The body may be huge, so it is read once and never copied.
        """
        letter = self.address.message_id if self.kind is InputKind.DEAD_LETTER else ""
        return digest(self.kind, self.source, letter, hashlib.sha256(self.body).hexdigest())

    @property
    def may_be_lost_alert(self) -> bool:
        """Whether somebody must be woken: something that matters may not have been heard.

        Whatever stands on the bus is our own. The webhook is public: what does not even look like
        an alert there is noise, and noise pages nobody.
        """
        if self.kind is not InputKind.ALERT:
            return True
        body = self.body[:LONGEST_BODY].lower()
        return any(mark in body for mark in _MARKS)


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What was in the input, apart from what is said about it: lists need not read it."""

    content: bytes


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about kept input. `times` counts how often it was kept; `size` is in bytes.

    `by` and `role` are who ended it, as events have them. `became` says what a resubmit made of it;
    `delivery` is the alert's, `incident` what paged.
    """

    id: str
    kind: InputKind
    source: str
    reason: str
    detail: str
    size: int
    at: datetime
    address: Address = Address()
    times: int = 1
    state: KeptState = KeptState.KEPT
    incident: str = ""
    by: str = ""
    role: str = ""
    resubmitted_at: datetime | None = None
    discarded_at: datetime | None = None
    became: str = ""
    delivery: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all of its body is kept."""
        return self.size <= LONGEST_BODY


def is_known(was: Quarantined | None, bad: BadInput) -> bool:
    """Whether this very input is kept and told already, or was put right after it was seen."""
    if was is None:
        return False
    if was.state is KeptState.KEPT:
        return True
    ended_at = was.resubmitted_at or was.discarded_at
    return ended_at is not None and ended_at > bad.seen_at


def keep(
    bad: BadInput, was: Quarantined | None, now: datetime, redactor: Redactor = BARE
) -> Quarantined:
    """Keep bad input; `was` is the same input's row, where it was resubmitted and is back."""
    return Quarantined(
        id=bad.id,
        kind=bad.kind,
        source=plain(redactor.text(bad.source[:LONGEST_LOOK])[:LONGEST_NAME]),
        reason=plain(redactor.text(bad.reason[:LONGEST_LOOK])[:LONGEST_NAME]) or "unknown",
        detail=plain(redactor.text(bad.detail[:LONGEST_LOOK])[:LONGEST_DETAIL]),
        size=len(bad.body),
        at=now,
        address=bad.address,
        times=was.times + 1 if was else 1,
    )


def put_right(
    kept: Quarantined, caller: Caller, became: str, now: datetime, *, delivery: str = ""
) -> Quarantined:
    """The input after it was resubmitted."""
    return msgspec.structs.replace(
        kept,
        state=KeptState.RESUBMITTED,
        by=caller.id,
        role=caller.role,
        resubmitted_at=now,
        became=became,
        delivery=delivery,
    )


def throw_away(kept: Quarantined, caller: Caller, now: datetime) -> Quarantined:
    """The input after somebody said that nothing is to be done with it."""
    return msgspec.structs.replace(
        kept, state=KeptState.DISCARDED, by=caller.id, role=caller.role, discarded_at=now
    )


def tell_kept(kept: Quarantined) -> ChangeEvent:
    """The event of input that was kept."""
    again = " again" if kept.times > 1 else ""
    return happened(
        EventKind.QUARANTINED,
        _event_id(kept),
        ITSELF,
        kept.at,
        actor=ITSELF,
        what=f"kept {_name(kept)} of {kept.size:,} bytes in quarantine{again}",
        why=kept.reason,
        after={"state": kept.state.value},
        evidence={"input": kept.id, "source": kept.source, "incident": kept.incident},
    )


def tell_resubmitted(kept: Quarantined, why: str) -> ChangeEvent:
    """The event of input that somebody resubmitted and that was taken."""
    what = f"resubmitted {_name(kept)}: {kept.became}"
    return _tell_ended(kept, EventKind.RESUBMITTED, kept.resubmitted_at, what, why or _MENDED)


def tell_discarded(kept: Quarantined, why: str) -> ChangeEvent:
    """The event of input that nothing is to be done with."""
    what = f"discarded {_name(kept)}"
    return _tell_ended(kept, EventKind.DISCARDED, kept.discarded_at, what, why)


def _tell_ended(
    kept: Quarantined, kind: EventKind, at: datetime | None, what: str, why: str
) -> ChangeEvent:
    """The event of input that does not wait any more, by whoever ended that."""
    assert at is not None, "only what was ended is told so"
    return happened(
        kind,
        f"{_event_id(kept)}-{kept.state}",
        ITSELF,
        at,
        actor=kept.by,
        role=kept.role,
        what=what,
        why=why,
        before={"state": KeptState.KEPT.value},
        after={"state": kept.state.value},
        evidence={"input": kept.id, "source": kept.source, "delivery": kept.delivery},
    )


_MENDED = "what kept it out is mended"


def _event_id(kept: Quarantined) -> str:
    return f"quarantine-{kept.id}-{kept.times}"


_NAMES = {
    InputKind.ALERT: "a body that was posted to {source}",
    InputKind.MESSAGE: "a message of {source}",
    InputKind.DEAD_LETTER: "a dead letter of {source}",
}


def _name(kept: Quarantined) -> str:
    return _NAMES[kept.kind].format(source=kept.source)
