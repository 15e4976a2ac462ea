"""Handle: what people do with an incident, by API or by a button of its page."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from shared.domain.incidents.handling import acknowledge, add_note, take_command
from shared.domain.incidents.incident import Incident, Severity, SeverityChoice, Step
from shared.domain.incidents.steps import change_severity, resolve
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import Conflict, RejectedInput
from shared.protocol.revise import Revision, revise
from shared.services import Services

LONGEST_NOTE = 4_000


class Handling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says: who they are, and what the action needs beside it."""

    who: str
    why: str = ""
    text: str = ""
    severity: Severity | None = None


type Action = Callable[[Incident, Handling, datetime], Step]


def _severity(incident: Incident, said: Handling, now: datetime) -> Step:
    if said.severity is None or not said.why:
        raise RejectedInput("missing-field", "severity and why are needed")
    choice = SeverityChoice(severity=said.severity, reasons=(said.why,))
    return change_severity(incident, choice, who=said.who, now=now)


def _note(incident: Incident, said: Handling, now: datetime) -> Step:
    if not 0 < len(said.text) <= LONGEST_NOTE:
        raise RejectedInput("wrong-text", f"text must have 1 to {LONGEST_NOTE} characters")
    return add_note(incident, said.text, who=said.who, now=now)


def _resolve(incident: Incident, said: Handling, now: datetime) -> Step:
    if not said.why:
        raise RejectedInput("missing-field", "why is needed to resolve an incident")
    return resolve(incident, who=said.who, why=said.why, now=now)


ACTIONS: dict[str, Action] = {
    "acknowledge": lambda incident, said, now: acknowledge(incident, who=said.who, now=now),
    "command": lambda incident, said, now: take_command(incident, who=said.who, now=now),
    "notes": _note,
    "severity": _severity,
    "resolve": _resolve,
}


async def handle(services: Services, request: Request) -> Answer:
    """Do what the path names with the incident. Raises RejectedInput, NotFound, Conflict."""
    action = ACTIONS.get(request.path["action"])
    if action is None:
        raise RejectedInput("unknown-action", f"known: {', '.join(sorted(ACTIONS))}")
    said = request.read(Handling)
    if not said.who.strip():
        raise RejectedInput("missing-field", "who is needed: every action is recorded")
    return json_answer(await change(services, request.path["id"], action, said))


async def change(services: Services, incident_id: str, action: Action, said: Handling) -> Incident:
    """Apply an action to the incident as it is now.

    Raises Conflict with the reason where the action does not apply any more.
    """
    step = await revise(
        services, incident_id, lambda i: Revision(step=action(i, said, services.now()))
    )
    if step.incident is None:
        raise Conflict(step.reason)
    return step.incident
