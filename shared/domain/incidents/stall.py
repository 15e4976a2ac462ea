"""Stall: a step of Backstop's own that does not come is asked for again, then told to a person.

A command is lost where it was dead-lettered, or where its app does not run. The incident stays
where it is then, and no alert tells of it. How long a step may take follows from what it waits for
on purpose; beyond that none takes minutes while every part answers, and asking twice is harmless.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.catalog import Service
from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, State, Step, tell
from shared.domain.incidents.patience import Patience
from shared.domain.incidents.steps import AUTOMATION, escalate
from shared.domain.wording import duration

STEPS = {State.OPENED: "diagnose", State.DIAGNOSED: "enforce", State.VERIFYING: "verify"}
SLOW = timedelta(minutes=3)  # beyond what it waits for on purpose: the slowest takes one
LONGEST_RETRY = timedelta(minutes=5)  # what could not be done is tried again after that at last


def push(incident: Incident, service: Service, patience: Patience, now: datetime) -> Step:
    """Ask again for the step that the incident waits for, or for a person where that did not help.

    `service` is its own, or what stands in for one whose file is gone; `patience` is how long a
    diagnosis may be looked for, and how late the logs are. Nothing where nobody but a person is to
    do anything, or it is not time yet.
    """
    subject = STEPS.get(incident.state)
    waits = now - (incident.progressed_at or incident.opened_at)
    if subject is None or not incident.service:
        return Step(incident=None, reason="no step of Backstop's own is due")
    if waits < _allowed(incident, service, patience):
        return Step(incident=None, reason=f"{subject} is still on its way")
    if incident.reminders:
        why = (
            f"Backstop's own step {subject!r} did not finish: asked for twice, and nothing came of"
            f" it for {duration(waits)}."
        )
        return escalate(incident, why, "", now)
    asked = tell(
        incident,
        EventKind.REMINDED,
        actor=AUTOMATION,
        what=f"asked for {subject!r} again",
        why=f"nothing came of it for {duration(waits)}",
        now=now,
        changes={"reminders": incident.reminders + 1},
    )
    return msgspec.structs.replace(asked, commands=(subject,))


def _allowed(incident: Incident, service: Service, patience: Patience) -> timedelta:
    """How long the incident may stay as it is before something is done about it."""
    on_purpose = {
        State.OPENED: patience.whole,
        State.VERIFYING: timedelta(seconds=service.policy.verify_after_s) + patience.lag,
    }
    first = on_purpose.get(incident.state, timedelta(0)) + SLOW
    return first + LONGEST_RETRY + SLOW if incident.reminders else first
