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

from shared.domain.catalog import Mode, Service
from shared.domain.decisions.decision import Decision, Verdict
from shared.domain.diagnosis.diagnosis import Diagnosis, Health, Sign, Suspect
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.views import briefing
from shared.domain.views.card_elements import (
    Element,
    banner,
    columns,
    envelope,
    fact_set,
    link_button,
    text_block,
)
from shared.domain.wording import clip, moment, plain, share, weight

CAP = 18 * 1024  # expanded bytes; Teams drops messages above 28 KB after it has accepted them
# Without details a card fits by construction: its texts are clipped to 5 KB, three URLs have 12.
_DROP_ORDER = ("unanswered", "ruled out", "suspect", "findings")


class CardKind(StrEnum):
    """The five cards that an incident may have. The value is the name under which it is claimed."""

    OPENED = "opened"
    DECISION = "decision"
    OUTCOME = "outcome"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


class CardView(msgspec.Struct, frozen=True, kw_only=True):
    """All that a card is drawn from. Shares from 0 to 1; an empty URL means no such button."""

    incident: Incident
    service: Service | None
    diagnosis: Diagnosis | None = None
    decision: Decision | None = None
    now: datetime
    incident_url: str
    acknowledge_url: str = ""
    approval_url: str = ""
    runbook_url: str = ""


def card_for(event: ChangeEvent, incident: Incident) -> CardKind | None:
    """Which card an event makes, or None: most make none."""
    kind = _CARDS.get(event.kind)
    if kind is None:
        return None
    if kind is CardKind.DECISION and incident.state not in (State.HELD, State.WAITING):
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
    body = [
        _heading(kind, view),
        text_block(briefing.gravity(view.incident), 700, bold=view.incident.severity),
        text_block(briefing.deed(view.incident, view.decision), 900),
        _before_and_after(view),
        _facts(view),
        *_details(kind, view, dropped),
    ]
    return envelope(body, _buttons(kind, view))


def _heading(kind: CardKind, view: CardView) -> Element:
    incident, service = view.incident, view.service
    felt = briefing.feeling(incident, service, view.diagnosis, view.now)
    title = plain(service.title if service else incident.service) or "No owning service"
    opened = moment(incident.opened_at, service.time_zone if service else "UTC", view.now)
    line = f"{_label(kind, view)} · {clip(title, 300)} · {incident.id} · opened {opened}"
    items = [
        text_block(felt, 900, size="Medium", weight="Bolder"),
        text_block(line, 700, size="Small", spacing="Small"),
    ]
    return banner(_style(kind, view), items)


_LABELS = {
    CardKind.OPENED: "Incident opened",
    CardKind.DECISION: "Decision",
    CardKind.OUTCOME: "Outcome",
    CardKind.ESCALATED: "Needs a person now",
    CardKind.RESOLVED: "Resolved",
}


def _label(kind: CardKind, view: CardView) -> str:
    return "Decision needed" if kind is CardKind.DECISION and _asks(view) else _LABELS[kind]


def _asks(view: CardView) -> bool:
    return view.decision is not None and view.decision.verdict is Verdict.NEEDS_APPROVAL


def _recommends(view: CardView) -> bool:
    """Whether only a person's word is missing; a service that is observed is never touched."""
    decided = view.decision
    return decided is not None and decided.mode is Mode.RECOMMEND and decided.plan is not None


def _style(kind: CardKind, view: CardView) -> str:
    if kind is CardKind.RESOLVED or view.incident.state is State.MITIGATED:
        return "accent" if _still_hurt(view) else "good"
    if kind is CardKind.ESCALATED:
        return "attention"
    loud = {Severity.SEV0: "attention", Severity.SEV1: "attention", Severity.SEV2: "warning"}
    return loud.get(view.incident.severity, "accent")


def _still_hurt(view: CardView) -> bool:
    """Whether customers were hurt when it was last measured, and nobody saw them recover."""
    found = view.diagnosis
    hurt = found is not None and found.health is Health.BREACHED
    return hurt and view.incident.recovered_at is None


def _before_and_after(view: CardView) -> Element:
    found = view.diagnosis
    bad = share(found.bad_share) if found and found.requests else "not measured"
    splits = briefing.splits(view.incident, view.decision)
    if splits is None:
        moved = "see the incident" if view.incident.plan else "not moved"
        return text_block(f"Traffic: {moved}. Bad answers: {bad}.", 120, separator=True)
    before, after, label = splits
    bad_share = view.incident.bad_share_after
    bad_after = "not measured yet" if bad_share is None else share(bad_share)
    done = view.incident.after != {}
    return columns(_side("Before", before, bad), _side(label, after, bad_after if done else ""))


def _side(title: str, split: str, bad: str) -> list[Element]:
    lines = [
        text_block(title, 60, isSubtle=True, size="Small"),
        text_block(f"Traffic: {split}", 400, weight="Bolder", spacing="None"),
    ]
    return [*lines, text_block(f"Bad answers: {bad}", 60, spacing="None")] if bad else lines


def _facts(view: CardView) -> Element:
    left = briefing.time_left(view.incident, view.service, view.now)
    return fact_set({"RTO": left, "Command": briefing.command(view.incident)})


def _details(kind: CardKind, view: CardView, dropped: tuple[str, ...]) -> list[Element]:
    """What was found, the most useful first; it goes in `_DROP_ORDER` when room is short."""
    found = view.diagnosis
    if found is None:
        return []
    details = {
        "findings": ("Found", [f.sentence for f in found.findings if f.signal is Sign.BAD]),
        "suspect": ("Likeliest change", [_suspect(s, view) for s in found.suspects[:1]]),
        "ruled out": ("Ruled out", found.ruled_out),
        "unanswered": ("Not answered", found.unanswered),
    }
    past = kind in (CardKind.OUTCOME, CardKind.RESOLVED)  # only what it was still matters
    shown = ["suspect"] if past else list(details)
    told = [details[name] for name in shown if name not in dropped]
    return [_detail(title, list(sentences[:3])) for title, sentences in told if sentences]


def _suspect(suspect: Suspect, view: CardView) -> str:
    at = moment(suspect.at, view.service.time_zone if view.service else "UTC", view.now)
    who = f", by {plain(suspect.who)}" if suspect.who else ""
    return f"{clip(plain(suspect.what), 500)}{clip(who, 200)}, {at}"


def _detail(title: str, sentences: list[str]) -> Element:
    said = "; ".join(clip(plain(sentence), 800).rstrip(".") for sentence in sentences)
    return text_block(f"{title}: {said}.", 2000, size="Small", isSubtle=True, spacing="Small")


def _buttons(kind: CardKind, view: CardView) -> list[Element]:
    runbook = view.runbook_url or (view.service.runbook if view.service else "")
    return [
        *link_button("Open the incident", view.incident_url),
        *_call_to_act(kind, view),
        *link_button("Runbook", runbook),
    ]


def _call_to_act(kind: CardKind, view: CardView) -> list[Element]:
    if kind is CardKind.DECISION and _asks(view):
        return link_button("Review the plan", view.approval_url)
    if kind is CardKind.DECISION and _recommends(view):
        return link_button("Roll back", f"{view.incident_url}#rollback")
    waits = view.incident.state.is_open() and not view.incident.acknowledged_by
    return link_button("Acknowledge", view.acknowledge_url if waits else "")
