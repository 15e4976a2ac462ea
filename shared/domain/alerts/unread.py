"""Unread: input that could not be taken may be an alert that nobody heard, so somebody is woken.

One incident of Backstop's own a source and reason: a person's from the beginning, paged to the duty
contact until it is acknowledged. What follows of the same kind joins it without another page, so
that whoever posts much of it wakes nobody twice; the quarantine lists and counts each of them.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.alerts.quarantine import InputKind, Quarantined
from shared.domain.event import ITSELF, EventKind
from shared.domain.incidents.incident import Incident, Severity, State, Step, tell, tell_opening
from shared.domain.keys import digest

JOINS_FOR = timedelta(days=1)  # longer open and unmended, it is told anew
_WHY = {
    InputKind.ALERT: "an alert may be lost: what Azure Monitor sent could not be read",
    InputKind.MESSAGE: "a step of an incident may be missing: a message could not be taken",
    InputKind.DEAD_LETTER: "a step of an incident may be missing: a message failed every time",
}
_TITLES = {
    InputKind.ALERT: "Backstop cannot read what is posted to {source} ({reason})",
    InputKind.MESSAGE: "Backstop cannot take messages of {source} ({reason})",
    InputKind.DEAD_LETTER: "Backstop has dead letters in {source} ({reason})",
}


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """Which incident tells of one trouble."""

    incident: str


def trouble_of(kept: Quarantined) -> str:
    """The key of everything that was refused for the same reason at the same place."""
    return digest(kept.kind, kept.source, kept.reason)


def joins(told: Incident | None, now: datetime) -> bool:
    """Whether this incident still tells of what comes now."""
    return told is not None and told.state.is_open() and now - told.opened_at < JOINS_FOR


def tell_full(incident: Incident, source: str, most: int, now: datetime) -> Step:
    """Say in the incident that no more dead letters of a subscription can be seen; once."""
    said = (
        f"There are {most} dead letters or more in {source}: nobody sees what comes later until"
        " some are resubmitted or discarded."
    )
    if incident.sentence == said or not incident.state.is_open():
        return Step(incident=None, reason="that is said already")
    return tell(
        incident,
        EventKind.NOTED,
        actor=ITSELF,
        what=said,
        why="only so many of the oldest are looked at",
        now=now,
        changes={"sentence": said},
    )


def open_unread(kept: Quarantined, shard: str, now: datetime) -> Step:
    """Open the incident that wakes the duty contact for the first input of its kind."""
    unique = digest(trouble_of(kept), kept.id, now.isoformat())[:8].upper()
    incident = Incident(
        id=f"INC-{shard}-{now:%y%m%d}-{unique}",
        service=ITSELF,
        target="",
        title=_TITLES[kept.kind].format(source=kept.source, reason=kept.reason),
        severity=Severity.SEV2,
        severity_reasons=(_WHY[kept.kind],),
        state=State.ESCALATED,
        opened_at=now,
        changed_at=now,
        sentence="It is kept in quarantine, where it can be looked at and resubmitted.",
    )
    return tell_opening(incident, incident.title, happened_at=now, evidence={"input": kept.id})
