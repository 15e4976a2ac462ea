"""Patience: what is found seconds after the onset is looked for again before it counts.

Between the diagnosis and its record. A metric's alert or a signal comes before the logs know of it,
so all looks well; then a bin or two hold a few bad requests, so nothing is sure yet, or nobody can
be blamed. For a while waiting costs only time, because whoever is to be woken by the severity is
woken meanwhile; after that what was found counts, whatever it is.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.diagnosis.diagnosis import Cause, Diagnosis, Health
from shared.domain.incidents.incident import Incident, Step
from shared.domain.incidents.severity import raise_severity
from shared.domain.incidents.steps import AUTOMATION, change_severity

LOOKS = 3
"""So often each request for a diagnosis looks again, at most; each wait is twice the one before."""


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long the logs are looked at once they must know: `lag` is by how much they are late.

    That is their lag and a bin. Signals and metrics tell of a trouble that the logs know nothing of
    yet; a rule over the logs tells of its first bin.
    """

    lasts: timedelta
    lag: timedelta

    @property
    def whole(self) -> timedelta:
        """From the opening on."""
        return self.lasts + self.lag


def next_look(
    found: Diagnosis,
    incident: Incident,
    *,
    minimum_requests: int,
    patience: Patience,
    look: int,
    now: datetime,
) -> datetime | None:
    """When to look again; None where what was found counts. `look` counts them from 1.

    The last look comes when the patience ends, so that nobody waits longer; most of what is learned
    at all is learned soon, and every look asks all queries.
    """
    allowed = patience.whole
    ends = (incident.progressed_at or incident.opened_at) + allowed
    is_asked_for = incident.request is not None  # a person has decided, and is not kept waiting
    if is_asked_for or look > LOOKS or now >= ends:
        return None
    early = _is_unsure(found, minimum_requests) or _is_unattributed(found, patience)
    return min(now + first_wait(allowed) * (1 << (look - 1)), ends) if early else None


def first_wait(allowed: timedelta) -> timedelta:
    """Of waits that double and together last as long as `allowed`, the first."""
    return allowed / ((1 << LOOKS) - 1)


def _is_unsure(found: Diagnosis, minimum_requests: int) -> bool:
    """Whether too little was seen: something told of a trouble, and the logs look well at first."""
    return found.health is not Health.BREACHED or found.requests < minimum_requests


def _is_unattributed(found: Diagnosis, patience: Patience) -> bool:
    """Whether nobody can be blamed for what has just begun; of what is older enough is known."""
    if found.health is not Health.BREACHED or found.attribution.cause is not Cause.UNKNOWN:
        return False
    age = found.made_at - (found.onset_at or found.made_at)
    return age < patience.whole


def wake_meanwhile(incident: Incident, found: Diagnosis, now: datetime) -> Step:
    """Raise the severity while it is looked again, if only that wakes somebody.

    It is the one time that a diagnosis may: the one that counts raises nothing any more.
    """
    choice = raise_severity(incident, found)
    if choice is None or incident.severity.pages() or not choice.severity.pages():
        return Step(incident=None, reason="nobody is to be woken by what is known so far")
    raised = msgspec.structs.replace(incident, raised=True)
    return change_severity(raised, choice, who=AUTOMATION, now=now)
