"""Ending: what the end of an intent makes of its incident, and the words in which it is told.

Pure. The actor stores it with the intent and the released lease, in one transaction.
"""

from datetime import datetime

from shared.domain.decision import Plan
from shared.domain.event import EventKind
from shared.domain.incident import Incident, State, Step, tell
from shared.domain.intent import Intent, IntentState

_ENDS = {
    IntentState.CONFIRMED: (EventKind.INTENT_CONFIRMED, State.VERIFYING),
    IntentState.ABORTED: (EventKind.INTENT_ABORTED, State.ESCALATED),
    IntentState.ESCALATED: (EventKind.INTENT_ESCALATED, State.ESCALATED),
}


def tell_end(incident: Incident, intent: Intent, traffic: dict[str, int], now: datetime) -> Step:
    """The incident after its intent ended; `traffic` is what was read last, empty if unknown."""
    kind, state = _ENDS[intent.state]
    plan, sentence = intent.plan, _sentence(intent)
    return tell(
        incident,
        kind,
        actor="backstop",
        what=sentence,
        why=incident.sentence,
        now=now,
        before=plan.before,
        after=traffic,
        evidence={"plan": plan.id, "writes": intent.writes, "fence": intent.fence},
        changes={"state": state, "before": plan.before, "after": traffic, "sentence": sentence},
    )


def endpoint_name(plan: Plan) -> str:
    """The endpoint's own name, for sentences."""
    return plan.target.rsplit("/", 1)[-1]


def _sentence(intent: Intent) -> str:
    plan, why = intent.plan, intent.detail
    name = endpoint_name(plan)
    match intent.state:
        case IntentState.CONFIRMED:
            return f"moved all traffic of {name} from {plan.bad} back to {plan.good}"
        case IntentState.ABORTED:
            return f"did not touch the traffic of {name}: {why}"
        case _:
            return f"could not finish moving the traffic of {name}: {why}"
