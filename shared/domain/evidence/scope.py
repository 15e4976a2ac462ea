"""The scope of a bundle: one incident, or a period of one service or of all.

Which partitions of the ledger may hold its events, and which events are its own. Everybody else's
records are in the bundle as hashes only: the chain is whole, and nothing is shown.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from shared.domain.event import ChangeEvent
from shared.domain.keys import shard_of, shard_of_incident, shards
from shared.errors import RejectedInput

LONGEST = timedelta(days=366)
_ID = re.compile(r"INC-\d\d-(\d{6})-[0-9A-F]{8}")


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What the bundle is about. A period is from `since` up to, and without, `until`."""

    incident: str = ""
    service: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def sentence(self) -> str:
        """What it is about, for people."""
        if self.incident or self.since is None or self.until is None:
            return f"Incident {self.incident}"
        whose = self.service or "all services"
        return f"{whose}, {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"

    def takes(self, event: ChangeEvent) -> bool:
        """Whether an event is in it."""
        if self.incident or self.since is None or self.until is None:
            return event.incident == self.incident
        ours = self.service in ("", event.service)
        return ours and self.since <= event.recorded_at < self.until

    def partitions(self, now: datetime) -> tuple[str, ...]:
        """The ledger's partitions that may hold its events, in their order."""
        if self.incident or self.since is None or self.until is None:
            opened = datetime.strptime(self.incident.split("-")[2], "%y%m%d").replace(tzinfo=UTC)
            months = _months(opened - timedelta(days=1), now)
            return tuple(f"{shard_of_incident(self.incident)}-{month}" for month in months)
        own = (shard_of(self.service),) if self.service else shards()
        months = _months(self.since, min(self.until, now))
        return tuple(sorted(f"{shard}-{month}" for shard in own for month in months))


def make_scope(
    now: datetime,
    *,
    incident: str = "",
    service: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Scope:
    """The scope that somebody asks for. Raises RejectedInput that says what is wrong with it."""
    if incident:
        if service or since or until:
            raise RejectedInput("two-scopes", "give an incident, or a period, and not both")
        if not _ID.fullmatch(incident) or not shard_of_incident(incident):
            raise RejectedInput(
                "wrong-incident", "incident must be an id such as INC-07-261123-..."
            )
        return Scope(incident=incident)
    if since is None or until is None:
        raise RejectedInput("no-scope", "give an incident, or a period by since and until")
    if since.tzinfo is None or until.tzinfo is None:
        raise RejectedInput("no-zone", "since and until need their time zone, such as Z")
    if not timedelta(0) < until - since <= LONGEST:
        raise RejectedInput(
            "wrong-period", f"a period has more than 0 and at most {LONGEST.days} days"
        )
    if until > now:
        raise RejectedInput("not-over", "until lies in the future: what is not over is no evidence")
    return Scope(service=service, since=since.astimezone(UTC), until=until.astimezone(UTC))


def _months(first: datetime, last: datetime) -> Iterator[str]:
    """The months from one time to another, such as "202611"."""
    year, month = first.astimezone(UTC).year, first.astimezone(UTC).month
    end = (last.astimezone(UTC).year, last.astimezone(UTC).month)
    while (year, month) <= end:
        yield f"{year}{month:02d}"
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
