"""What must hold of the write protocol once nobody has anything left to do."""

from shared.domain.decisions.intent import Intent, IntentState, late_write
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import State
from tests.fakes.scene import SHARD
from tests.simulation.writing.parts import Outside
from tests.simulation.writing.scene import incident_of, is_over, record_of
from tests.simulation.writing.schedule import LEASE_S, MOST_SKEW_S, Kind, Schedule
from tests.simulation.writing.witness import Witness

ENDS_WITHIN_S = 120.0  # behind the lease
ENDINGS = {EventKind.INTENT_CONFIRMED, EventKind.INTENT_ABORTED, EventKind.INTENT_ESCALATED}
INCIDENTS = {
    IntentState.CONFIRMED: State.VERIFYING,
    IntentState.ABORTED: State.ESCALATED,
    IntentState.ESCALATED: State.ESCALATED,
}


def check_rest(outside: Outside, witness: Witness, schedule: Schedule) -> str:
    """The first thing that does not hold, in words; empty where all does."""
    if not is_over(outside, schedule.plans):
        return "an incident was left to nobody: its change neither happened nor was given up"
    found = [_check_plan(outside, witness, schedule, number) for number in range(schedule.plans)]
    if record_of(outside).lease is not None:
        found.append("the lease of the endpoint was never released")
    if any(row.startswith("~intent|") for row in outside.state.partitions[SHARD]):
        found.append("an intent that has ended is still marked as open")
    return next((problem for problem in found if problem), "")


def _check_plan(outside: Outside, witness: Witness, schedule: Schedule, number: int) -> str:
    incident = incident_of(outside, number)
    rows = outside.state.partitions[SHARD]
    intents = [row.value for row in rows.values() if isinstance(row.value, Intent)]
    mine = [intent for intent in intents if intent.plan.incident == incident.id]
    if len(mine) != 1:
        return f"one incident has {len(mine)} intents"
    plan = mine[0].plan.id
    if incident.state is not INCIDENTS.get(mine[0].state):
        return f"the intent is {mine[0].state.value}, but its incident is {incident.state.value}"
    took = witness.ended[plan] - witness.opened[plan]
    if took > _longest(schedule):
        return f"an intent took {took:.0f} s to end, longer than lease and two minutes"
    return _check_late(outside, witness, mine[0]) or _check_told(outside, incident.id)


def _check_late(outside: Outside, witness: Witness, intent: Intent) -> str:
    """What came after the end is found by the check that follows every change, and paged."""
    live, paged = outside.endpoints.live, intent.state is not IntentState.CONFIRMED
    put_right = not live.serves(intent.plan.after)  # the pipeline has deployed once more
    if intent.plan.id not in witness.late or paged or put_right or late_write(intent, live):
        return ""
    return "a write that came late overwrote a deploy, and nothing tells of it"


def _longest(schedule: Schedule) -> float:
    """Each worker that is stopped with the lease in its hands costs a lease, a wrong clock more.

    Where two plans want one endpoint, either may have to wait for the other's leases.
    """
    stopped = len([fault for fault in schedule.faults if fault.kind not in HARMLESS])
    skewed = any(schedule.skews) or any(f.kind is Kind.SKEW for f in schedule.faults)
    return (
        schedule.plans * LEASE_S * max(1, stopped)
        + ENDS_WITHIN_S
        + (2 * MOST_SKEW_S if skewed else 0.0)
    )


HARMLESS = {Kind.MOVED, Kind.BACK, Kind.TOUCHED, Kind.STALE, Kind.SWITCH, Kind.SKEW}


def _check_told(outside: Outside, incident: str) -> str:
    rows = outside.state.partitions[SHARD]
    events = [row.value for row in rows.values() if isinstance(row.value, ChangeEvent)]
    told = [event for event in events if event.incident == incident]
    endings = [event for event in told if event.kind in ENDINGS]
    if len(told) != 2 or len(endings) != 1:
        return f"the timeline tells of {[event.kind.value for event in told]}"
    published = {message.message_id for message in outside.bus.published["changes"]}
    lost = [e.id for e in told if e.id not in published and f"~out|{e.id}" not in rows]
    return f"an event was neither sent nor kept to be sent: {lost}" if lost else ""
