"""What people's decisions make of the incident: it waits, goes on, or becomes a person's."""

from datetime import timedelta

import pytest

from shared.domain.approvals.asking import ask_for_rollback, open_for_rollback
from shared.domain.approvals.steps import lapse, rule, wait
from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, Severity, State, Step
from shared.domain.incidents.requests import RollbackRequest
from tests.shared.domain.approvals.waiting import (
    ALICE,
    BOB,
    CHIEF,
    LATER,
    PLAN,
    REQUEST,
    incident,
    request,
    ruled,
    waiting,
    with_rulings,
)
from tests.shared.domain.decisions.worked_case import INCIDENT, NOW, SERVICE, TARGET, alter

ASKED = RollbackRequest(by=BOB.id, role="Responder", reason="customers call", at=NOW)


def changed(step: Step) -> Incident:
    assert step.incident is not None, step.reason
    return step.incident


def test_waiting_tells_who_asks_for_what_and_until_when() -> None:
    step = wait(INCIDENT, REQUEST, NOW)
    (event,) = step.events
    assert (changed(step).state, changed(step).awaited) == (State.WAITING, REQUEST.awaited)
    assert (event.kind, event.actor) == (EventKind.APPROVAL_REQUESTED, "backstop")
    assert event.evidence["plan_hash"] == PLAN.hash
    assert event.evidence["expires_at"] == REQUEST.expires_at.isoformat()
    assert (event.before, event.after) == (PLAN.before, PLAN.after)
    assert REQUEST.key not in str(event)


def test_enough_approvals_let_it_be_decided_anew() -> None:
    given = ruled(waiting(), ALICE, reason="fine")
    step = rule(incident(), with_rulings(waiting(), given), given)
    (event,) = step.events
    assert (changed(step).state, step.commands) == (State.DIAGNOSED, ("enforce",))
    assert (event.kind, event.actor, event.role) == (
        EventKind.APPROVAL_GIVEN,
        ALICE.id,
        "Approver",
    )
    assert (event.why, event.evidence["plan_hash"]) == ("fine", PLAN.hash)


def test_a_part_of_the_quorum_is_told_and_waits_on() -> None:
    two = waiting(quorum=2)
    given = ruled(two, ALICE)
    step = rule(incident(), with_rulings(two, given), given)
    assert (changed(step).state, step.commands) == (State.WAITING, ())
    assert "1 of 2" in step.events[0].what


def test_a_refusal_is_a_persons_with_its_reason() -> None:
    no = ruled(waiting(), ALICE, approve=False, reason="the index moved")
    asked = incident(request=ASKED)
    step = rule(asked, with_rulings(waiting(), no), no)
    assert [event.kind for event in step.events] == [
        EventKind.APPROVAL_REFUSED,
        EventKind.ESCALATED,
    ]
    assert (changed(step).state, changed(step).request) == (State.ESCALATED, None)
    assert "the index moved" in changed(step).sentence


@pytest.mark.parametrize(
    "changes", [{"state": State.RESOLVED}, {"state": State.DIAGNOSED}, {"awaited": None}]
)
def test_a_plan_that_does_not_wait_any_more_is_not_decided_about(
    changes: dict[str, object],
) -> None:
    given = ruled(waiting(), ALICE)
    over = alter(incident(), **changes)
    assert rule(over, with_rulings(waiting(), given), given).incident is None


def test_an_answer_to_an_earlier_request_is_none_to_this_one() -> None:
    given = ruled(waiting(nonce="earlier"), ALICE)
    earlier = with_rulings(waiting(nonce="earlier"), given)
    assert request(nonce="earlier").id == REQUEST.id
    assert rule(incident(), earlier, given).incident is None


def test_nobody_in_time_is_told_and_is_a_persons() -> None:
    at_the_end = lapse(incident(), REQUEST.expires_at)
    assert [event.kind for event in at_the_end.events] == [
        EventKind.APPROVAL_EXPIRED,
        EventKind.ESCALATED,
    ]
    assert changed(at_the_end).state is State.ESCALATED
    assert lapse(incident(), REQUEST.expires_at - timedelta(seconds=1)).incident is None
    assert lapse(alter(incident(), state=State.HELD), REQUEST.expires_at).incident is None


@pytest.mark.parametrize(
    "state",
    [State.OPENED, State.DIAGNOSED, State.HELD, State.WAITING, State.ESCALATED, State.MITIGATED],
)
def test_a_persons_request_has_everything_looked_at_anew(state: State) -> None:
    step = ask_for_rollback(alter(INCIDENT, state=state), ASKED)
    (event,) = step.events
    assert (changed(step).state, changed(step).request) == (State.OPENED, ASKED)
    assert step.commands == ("diagnose",)
    assert (event.kind, event.actor, event.role, event.why) == (
        EventKind.ROLLBACK_REQUESTED,
        BOB.id,
        "Responder",
        "customers call",
    )


@pytest.mark.parametrize("state", [State.ACTING, State.VERIFYING, State.RESOLVED])
def test_nobody_asks_while_traffic_is_moved_or_it_is_over(state: State) -> None:
    assert ask_for_rollback(alter(INCIDENT, state=state), ASKED).incident is None


def test_a_request_opens_an_incident_that_wakes_nobody() -> None:
    step = open_for_rollback(SERVICE, TARGET, "07", ASKED)
    opened = changed(step)
    assert (opened.service, opened.target, opened.severity) == (
        SERVICE.name,
        TARGET,
        Severity.SEV2,
    )
    assert opened.id.startswith("INC-07-261123-")
    assert [event.kind for event in step.events] == [
        EventKind.INCIDENT_OPENED,
        EventKind.ROLLBACK_REQUESTED,
    ]
    assert step.commands == ("diagnose",)


def test_a_commander_alone_is_told_as_such() -> None:
    two = waiting(quorum=2)
    given = ruled(two, CHIEF, alone=True, reason="customers wait")
    (event,) = rule(incident(), with_rulings(two, given), given).events
    assert (event.evidence["alone"], event.evidence["settled"], event.role) == (
        True,
        True,
        "Commander",
    )
    assert event.happened_at == LATER
