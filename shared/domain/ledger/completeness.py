"""Completeness: what an event must say before it may be recorded; the rest is refused.

Who, what, why and when are asked of every event, and of a person or a program the role by which
they did it. What was before and what is after is asked of those that tell of a change, and the
policy with its hash of those that rest on one. `responders.evidence.record` refuses and quarantines
what lacks something.
"""

from shared.domain.event import ChangeEvent, EventKind

# What comes into being has an `after`; what is changed has a `before` as well.
COMES_TO_BE = frozenset(
    {
        EventKind.INCIDENT_OPENED,
        EventKind.KNOWN_GOOD_EARNED,
        EventKind.REVIEW_OPENED,
    }
)
CHANGES = frozenset(
    {
        EventKind.RELEASE_REGISTERED,
        EventKind.CONFIGURATION_CHANGED,
        EventKind.KILL_SWITCH_CHANGED,
        EventKind.LEGAL_HOLD_CHANGED,
        EventKind.FREEZE_CHANGED,
        EventKind.SEVERITY_CHANGED,
        EventKind.ROLLBACK_REQUESTED,
        EventKind.INTENT_OPENED,
        EventKind.INTENT_CONFIRMED,
        EventKind.INTENT_ABORTED,
        EventKind.INTENT_ESCALATED,
        EventKind.MITIGATED,
        EventKind.ESCALATED,
        EventKind.COMMANDED,
        EventKind.RESOLVED,
        EventKind.REPORTED,
        EventKind.APPROVAL_OUTDATED,
        EventKind.OVERRIDDEN,
        EventKind.APPROVAL_REQUESTED,
        EventKind.APPROVAL_GIVEN,
        EventKind.APPROVAL_REFUSED,
        EventKind.APPROVAL_EXPIRED,
        EventKind.LEDGER_PURGED,
        EventKind.PROMOTED,
        EventKind.CHANGE_UNATTRIBUTED,
        EventKind.REVIEW_CLOSED,
    }
)
RESTS_ON_POLICY = frozenset(
    {
        EventKind.APPROVAL_REQUESTED,
        EventKind.APPROVAL_GIVEN,
        EventKind.APPROVAL_REFUSED,
        EventKind.INTENT_OPENED,
    }
)


def complete(event: ChangeEvent) -> tuple[str, ...]:
    """Name what is missing; a time without its zone is missing."""
    zoned = event.happened_at.tzinfo is not None and event.recorded_at.tzinfo is not None
    present = {
        "who": bool(event.actor.strip()),
        "role": bool(event.role) or not _needs_role(event),
        "what": bool(event.what.strip()),
        "why": bool(event.why.strip()),
        "when": zoned,
        "policy": bool(event.policy and event.policy_hash) or event.kind not in RESTS_ON_POLICY,
        "before": bool(event.before) or event.kind not in CHANGES,
        "after": bool(event.after) or event.kind not in CHANGES | COMES_TO_BE,
    }
    return tuple(name for name, there in present.items() if not there)


def _needs_role(event: ChangeEvent) -> bool:
    """Whether a person or a program did it, who has a role unless they were refused."""
    return "/" in event.actor and event.kind is not EventKind.ACCESS_REFUSED
