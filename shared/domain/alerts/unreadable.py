"""Unreadable: rows of Backstop's own that it cannot read, so a person is woken once that lasts.

A newer version wrote them, or somebody damaged them. Each costs itself only, so one incident of
Backstop's own tells of all: a person's from the beginning. Rows that are found later are in the log
until that incident is a day old.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from shared.domain.event import ITSELF
from shared.domain.incidents.incident import Incident, Severity, State, Step, tell_opening
from shared.domain.keys import digest

LASTS = timedelta(minutes=5)  # longer than a deployment has changed one app and not the other
FORGOTTEN = timedelta(minutes=2)  # each partition is read more often than that
NAMED = 20  # rows that an incident names
REASON = "what those rows hold is not done: a page, a card, a message, a change that has not ended"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """When one process found a row for the first time and for the last."""

    first: datetime
    last: datetime

    def is_over(self, now: datetime) -> bool:
        """It was put right, or is gone."""
        return now - self.last > FORGOTTEN

    def lasts(self, now: datetime) -> bool:
        """It is there, and was found again when a deployment would have been over."""
        return not self.is_over(now) and self.last - self.first >= LASTS


def open_unreadable(places: Sequence[str], shard: str, now: datetime) -> Step:
    """Open the incident that wakes the duty contact; places are `TABLE/PARTITION/ROW`."""
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    incident = Incident(
        id=f"INC-{shard}-{now:%y%m%d}-{digest('unreadable', now.isoformat())[:8].upper()}",
        service=ITSELF,
        target="",
        title=f"Backstop cannot read the row {places[0]} of its tables{more}",
        severity=Severity.SEV2,
        severity_reasons=(REASON,),
        state=State.ESCALATED,
        opened_at=now,
        changed_at=now,
        sentence=(
            "All other rows are read. Deploy the version that wrote it, or put the row right by"
            " hand: see what to look at in the operations guide."
        ),
    )
    return tell_opening(
        incident, incident.title, happened_at=now, evidence={"rows": list(places[:NAMED])}
    )
