"""The legal hold: what may not be purged, however old it is, because a person ordered so.

It covers an incident, a service or everything, and of that all records or those of a period. It
ends by a person only. `responders.evidence.purge` asks `is_held` for every body whose time is over.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from shared.domain.coverage import covers, say_scope, telling
from shared.domain.event import ChangeEvent, EventKind, happened
from shared.domain.keys import digest
from shared.domain.ledger.record import LedgerRow


class LegalHold(msgspec.Struct, frozen=True, kw_only=True):
    """What may not be purged. `scope` is an incident, a service, or "*".

    `since` and `until` are the period in which it was recorded, the latter not included; None for
    no bound. `service` is whose the scope is ("*" for all), `by` and `role` who turned it last.
    """

    scope: str
    service: str
    by: str
    role: str
    reason: str
    at: datetime
    since: datetime | None = None
    until: datetime | None = None
    on: bool = True

    @property
    def id(self) -> str:
        """Equal for holds on the same records, so that one is never placed twice."""
        bounds = (one.isoformat() if one else "" for one in (self.since, self.until))
        return f"HOLD-{digest(self.scope, *bounds)[:8].upper()}"

    @property
    def sentence(self) -> str:
        """What it covers, for people."""
        period = _from(self.since) + _up_to(self.until)
        return f"the records of {say_scope(self.scope)}{period}"

    def keeps(self, about: "_About", recorded_at: datetime) -> bool:
        """Whether it keeps a body that is about this and was recorded then."""
        meant = covers(self.scope, about.service) or self.scope == about.incident
        begun = self.since is None or self.since <= recorded_at
        return self.on and meant and begun and (self.until is None or recorded_at < self.until)


class _About(msgspec.Struct, frozen=True):
    """What a body is about."""

    service: str
    incident: str = ""


def is_held(row: LedgerRow, holds: Sequence[LegalHold]) -> bool:
    """Whether somebody ordered that the body is kept; what was touched and says nothing is, too."""
    if not holds:
        return False
    try:
        about = msgspec.json.decode(row.body, type=_About)
    except msgspec.MsgspecError:
        return True
    recorded_at = datetime.fromisoformat(row.recorded_at)
    return any(hold.keeps(about, recorded_at) for hold in holds)


def tell_hold(was: LegalHold | None, hold: LegalHold) -> ChangeEvent:
    """The event of a legal hold that is placed or lifted."""
    what = f"{'placed' if hold.on else 'lifted'} a legal hold on {hold.sentence}"
    name = f"legal-hold-{digest(hold.id, hold.at.isoformat())}"
    told = telling(what, was, hold)
    told["evidence"] = {"hold": hold.id}
    return happened(EventKind.LEGAL_HOLD_CHANGED, name, hold.service, hold.at, **told)


def _from(since: datetime | None) -> str:
    return f" since {since:%Y-%m-%d %H:%M} UTC" if since else ""


def _up_to(until: datetime | None) -> str:
    return f" up to {until:%Y-%m-%d %H:%M} UTC" if until else ""
