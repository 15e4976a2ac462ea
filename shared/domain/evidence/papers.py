"""Papers: what a bundle holds beside the records, one line of JSON for everything that is told.

Each is made from the events in scope, as they come, so that none is longer in memory than a line.
Approvals, plans and diagnostics are read from the state as well; the events' hashes prove them.
"""

from typing import Any

import msgspec

from shared.domain.decisions.decision import Decision
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.event import ChangeEvent, EventKind

TIMELINE = "timeline.jsonl"
APPROVALS = "approvals.jsonl"
CHANGES = "changes.jsonl"
NOTIFICATIONS = "notifications.jsonl"
PLANS = "plans.jsonl"
DIAGNOSTICS = "diagnostics.jsonl"
CARDS = "cards.jsonl"
CONTROLS = "controls.json"
PAPERS = (TIMELINE, APPROVALS, CHANGES, NOTIFICATIONS, PLANS, DIAGNOSTICS, CARDS)

_APPROVALS = {
    EventKind.DECIDED,
    EventKind.ROLLBACK_REQUESTED,
    EventKind.OVERRIDDEN,
    EventKind.APPROVAL_REQUESTED,
    EventKind.APPROVAL_GIVEN,
    EventKind.APPROVAL_REFUSED,
    EventKind.APPROVAL_EXPIRED,
    EventKind.APPROVAL_OUTDATED,
    EventKind.REVIEW_OPENED,
    EventKind.REVIEW_OVERDUE,
    EventKind.REVIEW_CLOSED,
}
_NOTIFICATIONS = {
    EventKind.PAGED,
    EventKind.PAGED_DIRECTLY,
    EventKind.PAGE_REFUSED,
    EventKind.ACKNOWLEDGED,
    EventKind.ESCALATED,
    EventKind.REMINDED,
}


def lines_of(event: ChangeEvent) -> dict[str, bytes]:
    """The lines that an event makes, by the paper."""
    who = {"event": event.id, "at": event.happened_at, "by": event.actor, "role": event.role}
    told = {**who, "incident": event.incident, "what": event.what, "why": event.why}
    papers: dict[str, dict[str, Any]] = {TIMELINE: {**told, "service": event.service}}
    if event.kind in _APPROVALS:
        policy = {"policy": event.policy, "policy_hash": event.policy_hash}
        papers[APPROVALS] = {**told, "kind": event.kind, **policy, "evidence": event.evidence}
    if event.kind in _NOTIFICATIONS:
        papers[NOTIFICATIONS] = {**told, "kind": event.kind, "evidence": event.evidence}
    if event.before or event.after:
        papers[CHANGES] = {**told, "before": event.before, "after": event.after}
    return {name: line(paper) for name, paper in papers.items()}


def plan_line(event: str, decision: Decision) -> bytes:
    """A decision with every rule and its plan, whose hash is what events and approvals name."""
    plan = decision.plan
    return line({"event": event, "plan_hash": plan.hash if plan else "", "decision": decision})


def diagnostics_line(event: str, found: Diagnosis, queries: dict[str, str]) -> bytes:
    """A diagnosis, with the SHA-256 of the text of every query that it may rest on."""
    return line({"event": event, "diagnosis": found, "queries": queries})


def line(paper: Any) -> bytes:  # noqa: ANN401 - whatever JSON can say
    """One line, the same for the same content."""
    return msgspec.json.encode(paper, order="deterministic") + b"\n"
