"""The incident's own words: what its events say, and when a claim is on."""

import pytest

from shared.domain.event import EventKind
from shared.domain.incidents.incident import Claim, Severity, State, Step, tell
from tests.shared.domain.incidents.incidents import NOW, at, opened


def told(**telling: object) -> Step:
    said = {"actor": "backstop", "what": "did", "why": "because", **telling}
    return tell(opened(), EventKind.NOTED, now=NOW, **said)  # type: ignore[arg-type]


def test_each_event_has_the_next_number_and_an_id_of_its_own() -> None:
    first = told()
    assert first.incident is not None
    second = tell(first.incident, EventKind.NOTED, actor="a", what="b", why="c", now=NOW)
    assert [event.sequence for event in (*first.events, *second.events)] == [2, 3]
    assert first.events[0].id == "INC-07-261120-0A1B2C3D-0002"
    assert second.events[0].id == "INC-07-261120-0A1B2C3D-0003"


def test_the_incident_changes_with_its_event() -> None:
    step = told(changes={"state": State.ACTING, "plan": "p1"})
    assert step.incident is not None
    assert (step.incident.state, step.incident.plan) == (State.ACTING, "p1")
    assert (step.incident.sequence, step.incident.changed_at) == (2, NOW)


def test_before_and_after_tell_what_changed() -> None:
    (event,) = told(changes={"state": State.ACTING}).events
    assert (event.before, event.after) == ({"state": "opened"}, {"state": "acting"})


def test_of_what_fires_only_the_number_is_told() -> None:
    (event,) = told(changes={"firing": ("a" * 32, "b" * 32)}).events
    assert (event.before, event.after) == ({"firing": 1}, {"firing": 2})


def test_before_and_after_that_are_given_stand() -> None:
    step = told(changes={"state": State.ACTING}, before={"v2": 100}, after={"v1": 100})
    assert (step.events[0].before, step.events[0].after) == ({"v2": 100}, {"v1": 100})


def test_what_is_personal_is_not_told() -> None:
    (event,) = told(changes={"notes": (), "acknowledged_by": "oid"}).events
    assert (event.before, event.after) == ({}, {})


def test_an_event_happens_now_unless_it_is_said_when() -> None:
    assert told().events[0].happened_at == NOW
    assert told(happened_at=at(1)).events[0].happened_at == at(1)
    assert told(happened_at=at(1)).events[0].recorded_at == NOW


def test_two_steps_are_one_with_the_later_state_and_all_events() -> None:
    first = told(changes={"alerts": 2})
    assert first.incident is not None
    second = tell(
        first.incident,
        EventKind.MITIGATED,
        actor="a",
        what="b",
        why="c",
        now=NOW,
        changes={"state": State.MITIGATED},
    )
    both = first.then(second)
    assert both.incident == second.incident
    assert [event.kind for event in both.events] == [EventKind.NOTED, EventKind.MITIGATED]


@pytest.mark.parametrize(
    ("fired", "resolved", "is_firing"),
    [(None, None, False), (1, None, True), (None, 1, False), (2, 1, True), (1, 2, False)],
)
def test_a_claim_is_on_while_its_beginning_is_later(
    fired: int | None, resolved: int | None, is_firing: bool
) -> None:
    claim = Claim(
        correlation_key="k",
        fired_at=None if fired is None else at(fired),
        resolved_at=None if resolved is None else at(resolved),
    )
    assert claim.is_firing is is_firing


def test_a_tie_is_resolved() -> None:
    assert not Claim(correlation_key="k", fired_at=at(1), resolved_at=at(1)).is_firing


def test_the_two_worst_severities_wake_somebody() -> None:
    assert [severity.pages() for severity in Severity] == [True, True, False, False]
