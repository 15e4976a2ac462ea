"""A step that does not come is asked for once more, and then a person is."""

from datetime import timedelta

import msgspec
import pytest

from shared.domain.catalog import UNOWNED
from shared.domain.incidents.handling import add_note
from shared.domain.incidents.incident import Incident, State, Step
from shared.domain.incidents.patience import Patience
from shared.domain.incidents.stall import LONGEST_RETRY, SLOW, STEPS, push
from shared.domain.incidents.steps import record_check
from shared.protocol.settle import LAST_RETRY_S
from tests.shared.domain.incidents.situations import INCIDENT, NOW, SERVICE

PATIENCE = Patience(lasts=timedelta(seconds=60), lag=timedelta(seconds=180))
VERIFY_AFTER = timedelta(seconds=SERVICE.policy.verify_after_s)
FIRST = {
    State.OPENED: PATIENCE.whole + SLOW,
    State.DIAGNOSED: SLOW,
    State.VERIFYING: VERIFY_AFTER + PATIENCE.lag + SLOW,
}
WAITING = [state for state in State if state not in STEPS]
JUST = timedelta(seconds=1)


def incident(state: State, **changes: object) -> Incident:
    return msgspec.structs.replace(INCIDENT, state=state, progressed_at=NOW, **changes)


def after(found: Incident, waited: timedelta) -> Step:
    return push(found, SERVICE, PATIENCE, NOW + waited)


@pytest.mark.parametrize("state", STEPS)
def test_what_takes_its_time_is_left_alone(state: State) -> None:
    assert after(incident(state), FIRST[state] - JUST).incident is None


@pytest.mark.parametrize(("state", "subject"), STEPS.items())
def test_the_step_is_asked_for_again_and_told(state: State, subject: str) -> None:
    step = after(incident(state), FIRST[state])

    assert step.commands == (subject,)
    assert step.incident is not None
    assert (step.incident.state, step.incident.reminders) == (state, 1)
    (event,) = step.events
    assert event.kind == "incident.reminded"
    assert subject in event.what


@pytest.mark.parametrize(("state", "subject"), STEPS.items())
def test_where_that_does_not_help_a_person_is_asked(state: State, subject: str) -> None:
    reminded = incident(state, reminders=1)
    last = FIRST[state] + LONGEST_RETRY + SLOW
    assert after(reminded, last - JUST).incident is None

    step = after(reminded, last)

    assert step.incident is not None
    assert step.incident.state is State.ESCALATED
    assert f"Backstop's own step '{subject}' did not finish" in step.incident.sentence
    assert step.commands == ()


@pytest.mark.parametrize("state", WAITING)
def test_what_waits_for_a_person_or_has_another_keeper_is_left_alone(state: State) -> None:
    assert after(incident(state), timedelta(days=1)).incident is None


def test_what_nobody_owns_is_never_diagnosed_so_nothing_is_asked_for() -> None:
    unowned = incident(State.OPENED, service="")
    assert push(unowned, UNOWNED, PATIENCE, NOW + timedelta(days=1)).incident is None


def test_a_service_whose_file_is_gone_is_not_forgotten() -> None:
    step = push(incident(State.VERIFYING), UNOWNED, PATIENCE, NOW + timedelta(hours=1))
    assert step.commands == ("verify",)


def test_an_incident_that_never_went_on_waits_since_it_was_opened() -> None:
    opened = incident(State.OPENED)
    never = msgspec.structs.replace(opened, progressed_at=None, opened_at=NOW)
    assert push(never, SERVICE, PATIENCE, NOW + FIRST[State.OPENED]).commands == ("diagnose",)


def test_notes_pages_and_alerts_are_no_progress_and_a_check_is() -> None:
    stalled = incident(State.VERIFYING, reminders=1)
    later = NOW + timedelta(minutes=2)

    noted = add_note(stalled, "hm", who="ada", now=later).incident
    checked = record_check(stalled, "too early to tell", later).incident

    assert noted is not None
    assert (noted.progressed_at, noted.reminders) == (NOW, 1)
    assert checked is not None
    assert (checked.progressed_at, checked.reminders) == (later, 0)


def test_the_longest_retry_is_that_of_the_bus_functions() -> None:
    assert LONGEST_RETRY.total_seconds() == LAST_RETRY_S
