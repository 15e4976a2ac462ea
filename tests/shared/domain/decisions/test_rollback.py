"""What an intent makes of its incident: acting, then verifying or a person's."""

from datetime import timedelta

import msgspec
import pytest

from shared.domain.decisions.intent import (
    EndpointRecord,
    Intent,
    IntentState,
    Lease,
    Rollback,
    claimed_for,
    freed_by,
)
from shared.domain.decisions.rollback import tell_end, tell_intent
from shared.domain.event import EventKind
from shared.domain.incidents.incident import State
from shared.domain.ledger.completeness import complete
from tests.fakes.scene import INCIDENT, NOW, PLAN, RECORD

INTENT = Intent(plan=PLAN, fence=3, opened_at=NOW, policy="default", policy_hash="9a")
DECIDED = msgspec.structs.replace(INCIDENT, sentence="All rules passed.")
LEASE = Lease(holder="one", fence=3, expires_at=NOW + timedelta(seconds=60), plan=PLAN.id)


def test_an_open_intent_is_an_incident_that_acts_and_counts_it() -> None:
    step = tell_intent(INCIDENT, INTENT)

    assert step.incident is not None
    assert (step.incident.state, step.incident.plan) == (State.ACTING, PLAN.id)
    assert step.incident.automatic_rollbacks == INCIDENT.automatic_rollbacks + 1
    (event,) = step.events
    assert (event.kind, event.before, event.after) == (
        EventKind.INTENT_OPENED,
        PLAN.before,
        PLAN.after,
    )
    assert event.evidence == {
        "plan": PLAN.id,
        "plan_hash": PLAN.hash,
        "fence": 3,
        "authority": "policy",
    }


@pytest.mark.parametrize(
    ("state", "kind", "then", "said"),
    [
        (IntentState.CONFIRMED, EventKind.INTENT_CONFIRMED, State.VERIFYING, "moved all traffic"),
        (IntentState.ABORTED, EventKind.INTENT_ABORTED, State.ESCALATED, "did not touch"),
        (IntentState.ESCALATED, EventKind.INTENT_ESCALATED, State.ESCALATED, "could not finish"),
    ],
)
def test_its_end_says_what_became_of_the_traffic(
    state: IntentState, kind: EventKind, then: State, said: str
) -> None:
    ended = msgspec.structs.replace(INTENT, state=state, detail="so it was")
    step = tell_end(DECIDED, ended, {"v1": 100}, NOW)

    assert step.incident is not None
    assert (step.incident.state, step.incident.after) == (then, {"v1": 100})
    assert step.incident.sentence.startswith(said)
    assert step.events[0].kind is kind
    assert complete(step.events[0]) == ()


def test_an_end_of_which_nobody_knows_the_traffic_says_so_and_can_be_recorded() -> None:
    over = msgspec.structs.replace(INTENT, state=IntentState.ESCALATED, detail="nobody answered")

    step = tell_end(DECIDED, over, {}, NOW)

    assert step.incident is not None
    assert step.incident.after == {}
    assert step.events[0].after == {"traffic": "unknown"}
    assert complete(step.events[0]) == ()


def test_a_claimed_endpoint_keeps_the_rollbacks_of_the_last_day_and_adds_its_own() -> None:
    def ago(**since: float) -> Rollback:
        at = NOW - timedelta(**since)
        return Rollback(incident="i", plan="p", at=at, away_from="v2", back_to="v1")

    record = msgspec.structs.replace(RECORD, rollbacks=(ago(days=1), ago(hours=23)))
    claimed: EndpointRecord = claimed_for(INTENT, record, LEASE)

    assert (claimed.lease, claimed.fence) == (LEASE, 3)
    own = Rollback(incident=INCIDENT.id, plan=PLAN.id, at=NOW, away_from="v2", back_to="v1")
    assert claimed.rollbacks == (ago(hours=23), own)


@pytest.mark.parametrize(
    ("state", "writes", "counts"),
    [
        (IntentState.CONFIRMED, 1, True),
        (IntentState.CONFIRMED, 0, True),
        (IntentState.ESCALATED, 1, True),
        (IntentState.ESCALATED, 0, False),
        (IntentState.ABORTED, 0, False),
    ],
)
def test_an_end_frees_the_endpoint_and_forgets_what_moved_nothing(
    state: IntentState, writes: int, counts: bool
) -> None:
    other = Rollback(incident="i", plan="other", at=NOW, away_from="v3", back_to="v1")
    before = msgspec.structs.replace(RECORD, rollbacks=(other,))
    claimed = claimed_for(INTENT, before, LEASE)
    over = msgspec.structs.replace(INTENT, fence=LEASE.fence, state=state, writes=writes)

    freed = freed_by(over, claimed)

    assert freed.lease is None
    assert freed.rollbacks == (claimed.rollbacks if counts else (other,))


def test_an_end_that_comes_late_takes_no_other_plan_s_lease() -> None:
    claimed = claimed_for(INTENT, RECORD, LEASE)
    over = msgspec.structs.replace(INTENT, fence=LEASE.fence - 1, state=IntentState.ABORTED)

    assert freed_by(over, claimed).lease == LEASE
