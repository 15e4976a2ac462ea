"""Handle: what people do with an incident, by API or by a button of its page."""

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

import msgspec

from shared.domain.authority.caller import Caller
from shared.domain.incidents.handling import acknowledge, add_note, report, take_command
from shared.domain.incidents.incident import Incident, Severity, SeverityChoice, Step
from shared.domain.incidents.steps import change_severity, resolve
from shared.domain.reviews.override import review_severity
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import Conflict, RejectedInput
from shared.protocol.revise import Revision, revise
from shared.services import Services

LONGEST_NOTE = 4_000
LONGEST_WHY = 1_000  # what the bus does not take the ledger never learns
LONGEST_REFERENCE = 200


class By(TypedDict):
    """Who acts, by which role, and when."""

    who: str
    role: str
    now: datetime


class Handling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says beside the action: what it needs."""

    why: str = ""
    text: str = ""
    severity: Severity | None = None
    reference: str = ""
    at: datetime | None = None


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What is said, by whom, by which role and when."""

    said: Handling
    caller: Caller
    now: datetime

    @property
    def by(self) -> By:
        """Who acts, as the steps take it."""
        return {"who": self.caller.id, "role": self.caller.role, "now": self.now}


type Action = Callable[[Incident, Act], Step]


def _severity(incident: Incident, act: Act) -> Step:
    if act.said.severity is None:
        raise RejectedInput("missing-field", "severity and why are needed")
    choice = SeverityChoice(severity=act.said.severity, reasons=(_why(act),))
    return change_severity(incident, choice, **act.by)


def _note(incident: Incident, act: Act) -> Step:
    said = act.said
    if not 0 < len(said.text) <= LONGEST_NOTE:
        raise RejectedInput("wrong-text", f"text must have 1 to {LONGEST_NOTE} characters")
    return add_note(incident, said.text, **act.by)


def _resolve(incident: Incident, act: Act) -> Step:
    return resolve(incident, why=_why(act), **act.by)


def _why(act: Act) -> str:
    """Why it is done. Raises RejectedInput where that says nothing, or too much."""
    why = act.said.why.strip()
    if not 0 < len(why) <= LONGEST_WHY:
        raise RejectedInput(
            "missing-field", f"why is needed, with at most {LONGEST_WHY} characters"
        )
    return why


def _report(incident: Incident, act: Act) -> Step:
    reference, at = act.said.reference.strip(), act.said.at or act.now
    if not 0 < len(reference) <= LONGEST_REFERENCE:
        allowed = f"reference must have 1 to {LONGEST_REFERENCE} characters"
        raise RejectedInput("wrong-reference", allowed)
    if at.tzinfo is None or not incident.opened_at <= at <= act.now:
        allowed = "at must have its time zone, and lie between the incident's opening and now"
        raise RejectedInput("wrong-time", allowed)
    return report(incident, reference, at=at, **act.by)


ACTIONS: dict[str, Action] = {
    "acknowledge": lambda incident, act: acknowledge(incident, **act.by),
    "command": lambda incident, act: take_command(incident, **act.by),
    "notes": _note,
    "severity": _severity,
    "resolve": _resolve,
    "reported": _report,
}


async def handle(services: Services, request: Request) -> Answer:
    """Do what the path names with the incident. Raises RejectedInput, NotFound, Conflict."""
    action = ACTIONS.get(request.path["action"])
    if action is None:
        raise RejectedInput("unknown-action", f"known: {', '.join(sorted(ACTIONS))}")
    said, caller = services.redactor.struct(request.read(Handling)), request.actor

    def take(incident: Incident) -> Revision:
        act = Act(said=said, caller=caller, now=services.now())
        step = action(incident, act)
        service = services.catalog.services.get(incident.service)
        reviewed = review_severity(incident, step, service)
        return Revision(step=reviewed.step, writes=reviewed.writes)

    return json_answer(await change(services, request.path["id"], take))


async def change(
    services: Services, incident_id: str, take: Callable[[Incident], Revision]
) -> Incident:
    """Apply an action to the incident as it is now.

    Raises Conflict with the reason where the action does not apply any more.
    """
    step = await revise(services, incident_id, take)
    if step.incident is None:
        raise Conflict(step.reason)
    return step.incident
