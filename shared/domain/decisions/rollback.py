"""Rollback: what an intent makes of its incident, and the words in which that is told.

Pure. `shared.protocol.acting.act` stores the beginning with the intent and the lease, the actor
stores the end with the released lease; each in one transaction.
"""

from datetime import datetime

from shared.domain.decisions.decision import Plan
from shared.domain.decisions.intent import Intent, IntentState
from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, State, Step, tell

_ENDS = {
    IntentState.CONFIRMED: (EventKind.INTENT_CONFIRMED, State.VERIFYING),
    IntentState.ABORTED: (EventKind.INTENT_ABORTED, State.ESCALATED),
    IntentState.ESCALATED: (EventKind.INTENT_ESCALATED, State.ESCALATED),
}
_UNKNOWN = {"traffic": "unknown"}  # nothing at all would be no record of a change


def tell_intent(incident: Incident, intent: Intent) -> Step:
    """The incident once the intent is durable: from here on it is acting."""
    plan = intent.plan
    return tell(
        incident,
        EventKind.INTENT_OPENED,
        actor="backstop",
        what=f"is moving all traffic of {_endpoint(plan)} from {plan.bad} to {plan.good}",
        why=incident.sentence,
        now=intent.opened_at,
        policy=intent.policy,
        policy_hash=intent.policy_hash,
        before=plan.before,
        after=plan.after,
        evidence={
            "plan": plan.id,
            "plan_hash": plan.hash,
            "fence": intent.fence,
            "authority": intent.authority.value,
        },
        changes={
            "state": State.ACTING,
            "plan": plan.id,
            "request": None,
            "automatic_rollbacks": incident.automatic_rollbacks + 1,
        },
    )


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
        policy=intent.policy,
        policy_hash=intent.policy_hash,
        before=plan.before,
        after=traffic or _UNKNOWN,
        evidence={
            "plan": plan.id,
            "plan_hash": plan.hash,
            "writes": intent.writes,
            "fence": intent.fence,
        },
        changes={"state": state, "before": plan.before, "after": traffic, "sentence": sentence},
    )


def _endpoint(plan: Plan) -> str:
    """The endpoint's own name, for sentences."""
    return plan.target.rsplit("/", 1)[-1]


def _sentence(intent: Intent) -> str:
    plan, why = intent.plan, intent.detail
    name = _endpoint(plan)
    match intent.state:
        case IntentState.CONFIRMED:
            return f"moved all traffic of {name} from {plan.bad} back to {plan.good}"
        case IntentState.ABORTED:
            return f"did not touch the traffic of {name}: {why}"
        case _:
            return f"could not finish moving the traffic of {name}: {why}"
