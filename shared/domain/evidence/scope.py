"""The scope that somebody asks for: one incident, or a period, checked at the door.

What a scope takes of the ledger is the bundle's own format and is told in `shared.domain.ledger`.
"""

import re
from datetime import UTC, datetime, timedelta

from shared.domain.keys import shard_of_incident
from shared.domain.ledger.export import Scope
from shared.domain.ledger.record import moment
from shared.errors import RejectedInput

LONGEST = timedelta(days=366)
_ID = re.compile(r"INC-\d\d-\d{6}-[0-9A-F]{8}")


def make_scope(
    now: datetime,
    *,
    incident: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Scope:
    """The scope of a request. Raises RejectedInput that says what is wrong with it."""
    if incident:
        if since or until:
            raise RejectedInput("two-scopes", "give an incident or a period, and not both")
        if not _ID.fullmatch(incident) or not shard_of_incident(incident):
            raise RejectedInput("wrong-incident", "incident must be an id, such as INC-07-...")
        return Scope(incident=incident)
    if since is None or until is None:
        raise RejectedInput("no-scope", "give an incident, or a period by since and until")
    if since.tzinfo is None or until.tzinfo is None:
        raise RejectedInput("no-zone", "since and until need their time zone, such as Z")
    if not timedelta(0) < until - since <= LONGEST:
        raise RejectedInput("wrong-period", f"a period has at most {LONGEST.days} days, and an end")
    if until > now:
        raise RejectedInput("not-over", "until lies in the future: what is not over is no evidence")
    return Scope(since=moment(since.astimezone(UTC)), until=moment(until.astimezone(UTC)))


def sentence_of(scope: Scope) -> str:
    """What a bundle is about, for people."""
    if scope.incident:
        return f"incident {scope.incident}"
    return f"all that was recorded from {scope.since} to {scope.until}"
