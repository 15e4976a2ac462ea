"""Refusals: what one process did not let in lately, counted by its source and by its reason.

Beside the door, which asks two things of it: whether a source has been refused so often that it
is told to wait, and which refusals are to be told of now. One event a minute tells of all refusals
of a kind: whoever knocks a thousand times must not fill the ledger.
"""

from collections import OrderedDict
from datetime import datetime, timedelta

import msgspec

from shared.domain.authority.refused import Reason
from shared.domain.event import ITSELF, ChangeEvent, EventKind, happened
from shared.domain.keys import digest

MINUTE = timedelta(minutes=1)
PATIENCE = 30  # refusals a minute from one source; then it is told to wait
SOURCES = 4096  # that are remembered
NAMED = 20  # callers that one event names
NOBODY = "anonymous"  # the actor where no token proved anybody


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one route that were refused for one reason. `callers` are those who are known."""

    route: str
    reason: Reason
    count: int = 0
    callers: tuple[str, ...] = ()
    first_at: datetime | None = None

    def and_another(self, caller: str, now: datetime) -> "Refused":
        """The same with one more call."""
        new = bool(caller) and caller not in self.callers and len(self.callers) < NAMED
        return msgspec.structs.replace(
            self,
            count=self.count + 1,
            callers=(*self.callers, caller) if new else self.callers,
            first_at=self.first_at or now,
        )


class Refusals:
    """The counts of one process; lost with it, which costs the count of a minute at most."""

    def __init__(self) -> None:
        self._sources: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        self._untold: dict[tuple[str, Reason], Refused] = {}
        self._told_at: dict[tuple[str, Reason], datetime] = {}

    def count(self, source: str, now: datetime) -> float:
        """Count one refusal of a source; the seconds that it must wait, 0 where it need not."""
        since, times = self._sources.pop(source, (now, 0))
        if now - since >= MINUTE:
            since, times = now, 0
        self._sources[source] = (since, times + 1)
        while len(self._sources) > SOURCES:
            self._sources.popitem(last=False)
        return (since + MINUTE - now).total_seconds() if times >= PATIENCE else 0.0

    def note(self, route: str, reason: Reason, caller: str, now: datetime) -> None:
        """Keep that a call was refused until it is told."""
        kind = (route, reason)
        known = self._untold.get(kind, Refused(route=route, reason=reason))
        self._untold[kind] = known.and_another(caller, now)

    def take_due(self, now: datetime) -> list[Refused]:
        """What is to be told now; each kind once a minute at most."""
        due = [
            kind for kind in self._untold if now - self._told_at.get(kind, now - MINUTE) >= MINUTE
        ]
        for kind in due:
            self._told_at[kind] = now
        return [self._untold.pop(kind) for kind in due]

    def put_back(self, refused: Refused) -> None:
        """Keep what could not be told for the next time."""
        kind = (refused.route, refused.reason)
        later = self._untold.get(kind)
        count = refused.count + (later.count if later else 0)
        self._untold[kind] = msgspec.structs.replace(refused, count=count)

    @property
    def are_untold(self) -> bool:
        """Whether something is still to be told."""
        return bool(self._untold)


def tell_refused(refused: Refused, instance: str, now: datetime) -> ChangeEvent:
    """The event of refused calls. It never holds a token, nor anything that one claimed."""
    calls = "1 call" if refused.count == 1 else f"{refused.count} calls"
    evidence = {"count": refused.count, "route": refused.route, "callers": list(refused.callers)}
    return happened(
        EventKind.ACCESS_REFUSED,
        f"refused-{digest(refused.route, refused.reason, instance, now.isoformat())}",
        ITSELF,
        now,
        actor=refused.callers[0] if refused.callers else NOBODY,
        what=f"refused {calls} of {refused.route}",
        why=refused.reason.value,
        happened_at=refused.first_at or now,
        evidence=evidence,
    )
