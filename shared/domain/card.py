"""Cards: what the incident's channel in Teams sees. At most one of each kind an incident.

`card_for` says whether an event makes a card, `render_card` draws it from the state at that moment.
A posted card cannot be changed, so it is short and links to the incident's page. Every card has the
same order: what customers feel; how bad and why; what Backstop did or refused; before and after;
the time left and who has command; details while there is room; at most three buttons.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from shared.domain import briefing
from shared.domain.catalog import Service
from shared.domain.decision import Decision, Verdict
from shared.domain.diagnosis import Diagnosis, Signal
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incident import Incident, Severity, State
from shared.domain.wording import clip, escape, moment, plain, share, weight

CAP = 18 * 1024  # expanded bytes; Teams drops messages above 28 KB after it has accepted them
_URL_CAP = 4096
_DROP_ORDER = ("unanswered", "ruled out", "suspect", "findings", "runbook")
type Element = dict[str, Any]


class CardKind(StrEnum):
    """The five cards that an incident may have. The value is the name under which it is claimed."""

    OPENED = "opened"
    DECISION = "decision"
    OUTCOME = "outcome"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


class CardView(msgspec.Struct, frozen=True, kw_only=True):
    """All that a card is drawn from. Shares from 0 to 1; an empty URL means no such button.

    `bad_share_after` is the share of bad requests since the traffic was moved.
    """

    incident: Incident
    service: Service | None
    diagnosis: Diagnosis | None = None
    decision: Decision | None = None
    bad_share_after: float | None = None
    now: datetime
    incident_url: str
    acknowledge_url: str = ""
    approval_url: str = ""
    runbook_url: str = ""


def card_for(event: ChangeEvent, incident: Incident) -> CardKind | None:
    """Which card an event makes, or None: most make none, and no card is made twice."""
    kind = _CARDS.get(event.kind)
    if kind is None or kind.value in incident.cards:
        return None
    if kind is CardKind.DECISION and incident.state is not State.HELD:
        return None  # it acts on its own or has moved on: the outcome tells
    return kind


_CARDS = {
    EventKind.INCIDENT_OPENED: CardKind.OPENED,
    EventKind.DECIDED: CardKind.DECISION,
    EventKind.MITIGATED: CardKind.OUTCOME,
    EventKind.INTENT_ABORTED: CardKind.OUTCOME,
    EventKind.INTENT_ESCALATED: CardKind.ESCALATED,
    EventKind.ESCALATED: CardKind.ESCALATED,
    EventKind.RESOLVED: CardKind.RESOLVED,
}


def render_card(kind: CardKind, view: CardView) -> dict[str, Any]:
    """Draw an Adaptive Card 1.5 in the envelope that a Workflows webhook takes, within the cap."""
    for count in range(len(_DROP_ORDER)):
        message = _message(kind, view, _DROP_ORDER[:count])
        if weight(message) <= CAP:
            return message
    return _message(kind, view, _DROP_ORDER)


def _message(kind: CardKind, view: CardView, dropped: tuple[str, ...]) -> dict[str, Any]:
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "msteams": {"width": "Full"},
        "body": [
            _heading(kind, view),
            _severity(view),
            _text(briefing.deed(view.incident, view.decision), 900),
            _before_and_after(view),
            _facts(view),
            *_details(view, dropped),
        ],
        "actions": _buttons(kind, view, dropped),
    }
    content_type = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": content_type, "content": card}]}


def _text(text: str, limit: int, **looks: object) -> Element:
    return {"type": "TextBlock", "text": escape(clip(text, limit)), "wrap": True, **looks}


def _heading(kind: CardKind, view: CardView) -> Element:
    incident, service = view.incident, view.service
    felt = briefing.feeling(incident, service, view.diagnosis, view.now)
    title = plain(service.title if service else incident.service) or "No owning service"
    opened = moment(incident.opened_at, service.time_zone if service else "UTC", view.now)
    line = f"{_label(kind, view)} · {clip(title, 300)} · {incident.id} · opened {opened}"
    return {
        "type": "Container",
        "style": _style(kind, view),
        "bleed": True,
        "items": [
            _text(felt, 900, size="Medium", weight="Bolder"),
            _text(line, 700, size="Small", spacing="Small"),
        ],
    }


def _label(kind: CardKind, view: CardView) -> str:
    if kind is CardKind.DECISION:
        asks = view.decision is not None and view.decision.verdict is Verdict.NEEDS_APPROVAL
        return "Decision needed" if asks else "Decision"
    labels = {
        CardKind.OPENED: "Incident opened",
        CardKind.OUTCOME: "Outcome",
        CardKind.ESCALATED: "Needs a person now",
        CardKind.RESOLVED: "Resolved",
    }
    return labels[kind]


def _style(kind: CardKind, view: CardView) -> str:
    if kind is CardKind.RESOLVED or view.incident.state is State.MITIGATED:
        return "good"
    if kind is CardKind.ESCALATED:
        return "attention"
    loud = {Severity.SEV0: "attention", Severity.SEV1: "attention", Severity.SEV2: "warning"}
    return loud.get(view.incident.severity, "accent")


def _severity(view: CardView) -> Element:
    reasons = escape(clip(briefing.gravity(view.incident), 700))
    return {"type": "TextBlock", "text": f"**{view.incident.severity}** {reasons}", "wrap": True}


def _before_and_after(view: CardView) -> Element:
    found, incident, decision = view.diagnosis, view.incident, view.decision
    measured = found.bad_share if found and found.requests else None
    label, split = briefing.target_split(incident, decision)
    columns = [
        _column("Before", briefing.origin_split(incident, decision), measured),
        _column(label, split, view.bad_share_after),
    ]
    return {"type": "ColumnSet", "columns": columns, "separator": True}


def _column(title: str, split: str, bad: float | None) -> Element:
    errors = "not measured" if bad is None else share(bad)
    items = [
        _text(title, 60, isSubtle=True, size="Small"),
        _text(f"Traffic: {split}", 400, weight="Bolder", spacing="None"),
        _text(f"Bad answers: {errors}", 60, spacing="None"),
    ]
    return {"type": "Column", "width": "stretch", "items": items}


def _facts(view: CardView) -> Element:
    facts = {
        "RTO": briefing.time_left(view.incident, view.service, view.now),
        "Command": briefing.command(view.incident),
    }
    listed = [{"title": name, "value": escape(clip(said, 300))} for name, said in facts.items()]
    return {"type": "FactSet", "facts": listed}


def _details(view: CardView, dropped: tuple[str, ...]) -> list[Element]:
    """What was found, the most useful first; it goes in `_DROP_ORDER` when room is short."""
    found = view.diagnosis
    if found is None:
        return []
    bad = [f.sentence for f in found.findings if f.signal is Signal.BAD]
    details = {
        "findings": ("Found", bad[:3]),
        "suspect": ("Likeliest change", [s.what for s in found.suspects[:1]]),
        "ruled out": ("Ruled out", list(found.ruled_out[:3])),
        "unanswered": ("Not answered", list(found.unanswered[:3])),
    }
    shown = (detail for name, detail in details.items() if name not in dropped)
    return [_detail(title, sentences) for title, sentences in shown if sentences]


def _detail(title: str, sentences: list[str]) -> Element:
    said = "; ".join(clip(plain(sentence), 800).rstrip(".") for sentence in sentences)
    return _text(f"{title}: {said}.", 2000, size="Small", isSubtle=True, spacing="Small")


def _buttons(kind: CardKind, view: CardView, dropped: tuple[str, ...]) -> list[Element]:
    runbook = view.runbook_url or (view.service.runbook if view.service else "")
    buttons = [
        ("Open the incident", view.incident_url),
        _call_to_act(kind, view),
        ("Runbook", "" if "runbook" in dropped else runbook),
    ]
    return [
        {"type": "Action.OpenUrl", "title": title, "url": url}
        for title, url in buttons
        if _is_link(url)
    ]


def _call_to_act(kind: CardKind, view: CardView) -> tuple[str, str]:
    asks = view.decision is not None and view.decision.verdict is Verdict.NEEDS_APPROVAL
    if kind is CardKind.DECISION and asks and view.approval_url:
        return "Review the plan", view.approval_url
    waits = view.incident.state.is_open() and not view.incident.acknowledged_by
    return "Acknowledge", view.acknowledge_url if waits else ""


def _is_link(url: str) -> bool:
    """Whether a button may lead there: complete, secure or on this machine. Never cut."""
    local = url.startswith(("http://127.0.0.1:", "http://localhost:"))
    printable = url.isascii() and url.isprintable() and not set(url) & set(' "<>\\')
    return (url.startswith("https://") or local) and printable and len(url) <= _URL_CAP
