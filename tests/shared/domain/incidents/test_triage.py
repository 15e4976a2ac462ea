"""Triage: one trouble is one incident, whatever the order and the number of its alerts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.alerts.alert import Alert
from shared.domain.catalog import CatalogMistake, Target, TargetKind
from shared.domain.event import EventKind
from shared.domain.incidents.incident import DeliveryOutcome, Severity, State, Step
from shared.domain.incidents.joining import MOST_KEYS
from shared.domain.incidents.triage import triage
from tests.shared.domain.incidents.incidents import (
    ENDPOINT,
    NOW,
    SERVICE,
    SHARD,
    World,
    at,
    fired,
    opened,
    resolved,
)

FIRED_1, RESOLVED_1 = fired(1), resolved(5, began=1)
FIRED_2, RESOLVED_2 = fired(10), resolved(15, began=10)


def kinds(world: World) -> list[EventKind]:
    return [event.kind for step in world.steps for event in step.events]


def test_a_first_alert_opens_an_incident_and_asks_for_a_diagnosis() -> None:
    step = World().take(FIRED_1)
    assert step.outcome is DeliveryOutcome.OPENED
    assert step.commands == ("diagnose",)
    assert step.incident is not None
    assert step.incident.state is State.OPENED
    assert step.incident.severity is Severity.SEV1
    assert (step.incident.service, step.incident.target) == ("fnol-summary", ENDPOINT)
    assert step.incident.title == "First notice of loss: 5xx"
    titled = World().take(msgspec.structs.replace(fired(1), title="a fifth of the calls fail"))
    assert titled.incident is not None
    assert titled.incident.title == "First notice of loss: a fifth of the calls fail"


def test_the_opening_is_told_with_its_reason_at_the_time_of_the_alert() -> None:
    (event,) = World().take(FIRED_1).events
    assert event.kind is EventKind.INCIDENT_OPENED
    assert event.why == "Azure Sev1 on a tier 1 service: SEV1"
    assert (event.happened_at, event.recorded_at) == (at(1), NOW)
    assert event.after == {"state": "opened", "severity": "SEV1"}
    assert event.evidence["delivery"] == FIRED_1.delivery_key


def test_an_incident_carries_its_shard_and_day_and_is_the_same_when_taken_again() -> None:
    first, again = World().take(FIRED_1).incident, World().take(FIRED_1).incident
    assert first is not None
    assert first.id.startswith("INC-07-261120-")
    assert len(first.id) == len("INC-07-261120-0A1B2C3D")
    assert first == again


def test_a_target_that_a_broken_file_names_is_not_nobodys() -> None:
    mistake = CatalogMistake(
        file="fnol-summary.yaml",
        line=12,
        field="spec.rto",
        problem="'soon' is not allowed",
        service="fnol-summary",
    )

    step = triage(
        FIRED_1,
        service=None,
        claim=None,
        open_incident=None,
        now=NOW,
        shard=SHARD,
        mistakes=(mistake,),
    )

    assert step.incident is not None
    assert step.incident.state is State.ESCALATED
    assert step.incident.sentence == (
        "Nothing is done for fnol-summary until its file is in order: fnol-summary.yaml, line 12,"
        " spec.rto: 'soon' is not allowed."
    )
    assert (step.outcome, step.commands) == (DeliveryOutcome.OPENED, ())


def test_the_same_trouble_joins_and_opens_nothing() -> None:
    world = World().take_all([FIRED_1, FIRED_2])
    (incident,) = world.incidents.values()
    assert incident.alerts == 2
    assert world.steps[1].outcome is DeliveryOutcome.JOINED
    assert world.steps[1].commands == ()


def test_the_same_delivery_counts_once() -> None:
    world = World().take_all([FIRED_1, FIRED_1])
    assert world.steps[1].outcome is DeliveryOutcome.DUPLICATE
    assert (world.steps[1].incident, world.steps[1].events) == (None, ())
    assert next(iter(world.incidents.values())).alerts == 1


def test_the_end_of_the_only_alert_resolves_the_incident() -> None:
    world = World().take_all([FIRED_1, RESOLVED_1])
    (incident,) = world.incidents.values()
    assert (incident.state, incident.firing) == (State.RESOLVED, ())
    assert kinds(world)[1:] == [EventKind.ALERT_RESOLVED, EventKind.RESOLVED]
    assert world.steps[1].events[0].happened_at == at(5)


def test_the_events_of_an_incident_are_numbered_without_a_gap() -> None:
    world = World().take_all([FIRED_1, FIRED_2, RESOLVED_2])
    events = [event for step in world.steps for event in step.events]
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert [event.id[-4:] for event in events] == ["0001", "0002", "0003", "0004"]


@pytest.mark.parametrize("state", [State.ACTING, State.VERIFYING])
def test_an_end_amid_a_change_does_not_resolve_the_incident(state: State) -> None:
    world = World().take_all([FIRED_1])
    (incident,) = world.incidents.values()
    world.incidents[incident.id] = msgspec.structs.replace(incident, state=state)
    after = world.take(RESOLVED_1).incident
    assert after is not None
    assert (after.state, after.firing) == (state, ())


def test_an_end_before_its_beginning_is_remembered_and_the_beginning_opens_nothing() -> None:
    world = World().take_all([RESOLVED_1, FIRED_1])
    assert [step.outcome for step in world.steps] == ["remembered", "suppressed"]
    assert world.incidents == {}


def test_a_late_end_does_not_end_what_fired_after_it() -> None:
    world = World().take_all([FIRED_1, FIRED_2, RESOLVED_1])
    assert world.steps[2].outcome is DeliveryOutcome.REMEMBERED
    assert len(world.open()) == 1


def test_an_end_without_a_time_of_its_own_ends_its_own_firing_only() -> None:
    timeless = msgspec.structs.replace(RESOLVED_1, resolved_at=None)
    assert World().take_all([FIRED_1, timeless]).open() == []
    assert len(World().take_all([FIRED_2, timeless]).open()) == 1


def test_trouble_that_comes_back_opens_another_incident() -> None:
    world = World().take_all([FIRED_1, RESOLVED_1, FIRED_2])
    assert len(world.incidents) == 2
    assert len(world.open()) == 1


def test_another_alert_joins_the_incident_that_it_is_given_and_is_diagnosed() -> None:
    incident = opened(Severity.SEV2)
    latency = fired(2, rule="latency")
    step = triage(
        latency, service=SERVICE, claim=None, open_incident=incident, now=NOW, shard=SHARD
    )
    assert step.incident is not None
    assert step.claim is not None
    assert step.claim.incident == incident.id
    assert step.incident.firing == (*incident.firing, latency.correlation_key)
    assert step.incident.severity is Severity.SEV1
    assert [event.kind for event in step.events] == [
        EventKind.ALERT_JOINED,
        EventKind.SEVERITY_CHANGED,
    ]
    assert step.commands == ("diagnose",)


def test_an_incident_with_two_alerts_ends_with_the_second() -> None:
    incident = opened()
    both = msgspec.structs.replace(incident, firing=(*incident.firing, "other"))
    claim = World().take(fired(1)).claim
    step = triage(
        RESOLVED_1, service=SERVICE, claim=claim, open_incident=both, now=NOW, shard=SHARD
    )
    assert step.incident is not None
    assert step.incident.firing == ("other",)
    assert step.incident.state.is_open()


def crowd(count: int) -> World:
    """So many troubles of one target, all in one incident."""
    world = World()
    for number in range(count):
        world.take(fired(1, rule=f"rule {number}"))
    return world


def test_an_incident_of_thousands_of_troubles_stays_small_and_says_so() -> None:
    world = crowd(MOST_KEYS + 100)

    (incident,) = world.open()
    assert len(incident.correlation_keys) == len(incident.firing) == MOST_KEYS
    assert incident.alerts == MOST_KEYS + 100
    assert incident.crowded
    assert max(len(msgspec.json.encode(e)) for step in world.steps for e in step.events) < 4_000
    assert "more than are kept by name" in world.steps[-1].events[0].why
    assert (world.steps[MOST_KEYS - 1].commands, world.steps[-1].commands) == (("diagnose",), ())


def test_a_trouble_beyond_those_that_are_kept_still_raises_the_severity() -> None:
    kept = tuple(str(number) for number in range(MOST_KEYS))
    full = msgspec.structs.replace(opened(Severity.SEV2), correlation_keys=kept, firing=kept)

    step = triage(
        fired(2, rule="latency"),
        service=SERVICE,
        claim=None,
        open_incident=full,
        now=NOW,
        shard=SHARD,
    )

    assert step.incident is not None
    assert step.incident.severity is Severity.SEV1


def test_the_end_of_all_that_is_kept_ends_no_incident_that_has_more() -> None:
    incident = msgspec.structs.replace(opened(), crowded=True)
    claim = World().take(fired(1)).claim

    step = triage(
        RESOLVED_1, service=SERVICE, claim=claim, open_incident=incident, now=NOW, shard=SHARD
    )

    assert step.incident is not None
    assert (step.incident.firing, step.incident.state) == ((), incident.state)
    assert "a person resolves it" in step.events[0].why


def test_a_resolved_incident_is_not_joined() -> None:
    ended = msgspec.structs.replace(opened(), state=State.RESOLVED)
    step = triage(FIRED_2, service=SERVICE, claim=None, open_incident=ended, now=NOW, shard=SHARD)
    assert step.outcome is DeliveryOutcome.OPENED


def test_an_alert_that_nobody_owns_opens_an_incident_that_says_so() -> None:
    step = World(service=None).take(FIRED_1)
    assert step.incident is not None
    assert step.incident.service == ""
    assert step.incident.title == "Unowned: 5xx"
    assert "no service file" in step.incident.sentence
    assert step.commands == ()


# The order and the number of deliveries do not matter.


def state_of(world: World) -> tuple[object, ...]:
    """What is on: the open incidents, what fires in them, and the times that the claim keeps."""
    (claim,) = world.claims.values()
    firing = [incident.firing for incident in world.open()]
    return firing, claim.is_firing, claim.fired_at, claim.resolved_at


def sequences() -> list[tuple[Alert, ...]]:
    alerts = (FIRED_1, RESOLVED_1, FIRED_2, RESOLVED_2)
    return [chosen for length in range(1, 5) for chosen in product(alerts, repeat=length)]


def test_the_state_depends_on_the_set_of_alerts_alone() -> None:
    by_set: dict[frozenset[str], set[str]] = {}
    for sequence in sequences():
        taken = frozenset(alert.delivery_key for alert in sequence)
        by_set.setdefault(taken, set()).add(repr(state_of(World().take_all(sequence))))
    assert len(by_set) == 15
    assert all(len(states) == 1 for states in by_set.values())


@pytest.mark.parametrize(
    ("alerts", "is_on"),
    [
        ([FIRED_1], True),
        ([RESOLVED_1], False),
        ([FIRED_1, RESOLVED_1], False),
        ([FIRED_1, RESOLVED_2], False),
        ([FIRED_2, RESOLVED_1], True),
        ([FIRED_1, RESOLVED_1, FIRED_2], True),
        ([FIRED_1, RESOLVED_1, FIRED_2, RESOLVED_2], False),
    ],
)
def test_the_latest_event_says_whether_the_trouble_is_on(
    alerts: Sequence[Alert], is_on: bool
) -> None:
    assert bool(World().take_all(alerts).open()) is is_on


def test_there_is_never_more_than_one_open_incident_of_one_trouble() -> None:
    assert all(len(World().take_all(sequence).open()) <= 1 for sequence in sequences())


# One target is one incident, whichever rules tell of it.


SECOND = f"{ENDPOINT}-eu"
TWO = msgspec.structs.replace(
    SERVICE, targets=(*SERVICE.targets, Target(kind=TargetKind.ONLINE_ENDPOINT, id=SECOND))
)


def test_two_rules_about_one_target_are_one_incident() -> None:
    world = World().take_all([FIRED_1, fired(2, rule="latency")])
    (incident,) = world.incidents.values()
    assert world.steps[1].outcome is DeliveryOutcome.JOINED
    assert world.steps[1].reason == "grouping: another alert about the same target"
    assert len(incident.firing) == 2


def test_two_targets_under_one_rule_are_two_incidents() -> None:
    world = World(TWO).take_all([fired(1), fired(1, target=SECOND)])
    assert sorted(incident.target for incident in world.open()) == [ENDPOINT, SECOND]


def test_what_nobody_owns_is_grouped_by_its_target_too() -> None:
    world = World(None).take_all([fired(1), fired(2, rule="latency"), fired(3, target=SECOND)])
    assert sorted(incident.alerts for incident in world.open()) == [1, 2]


def test_an_incident_ends_when_no_rule_fires_any_more() -> None:
    both = [FIRED_1, fired(2, rule="latency"), RESOLVED_1]
    assert len(World().take_all(both).open()) == 1
    assert World().take_all([*both, resolved(6, began=2, rule="latency")]).open() == []


def test_a_target_whose_incident_was_resolved_opens_another_one() -> None:
    world = World().take_all([FIRED_1, RESOLVED_1, fired(6, rule="latency")])
    assert [incident.state for incident in world.incidents.values()] == ["resolved", "opened"]


def test_late_news_of_a_trouble_that_was_cured_wakes_nobody() -> None:
    cured = msgspec.structs.replace(opened(), state=State.MITIGATED, recovered_at=at(5))
    for alert, state in ((fired(5, rule="latency"), "mitigated"), (fired(6, "p95"), "escalated")):
        step = triage(alert, service=SERVICE, claim=None, open_incident=cured, now=NOW, shard=SHARD)
        assert step.incident is not None
        assert step.incident.state == state


def test_another_rule_that_fires_after_the_cure_is_named_and_not_called_the_same() -> None:
    cured = msgspec.structs.replace(opened(), state=State.MITIGATED, recovered_at=at(5), firing=())
    said = {}
    for alert in (fired(6), fired(6, rule="latency")):
        step = triage(alert, service=SERVICE, claim=None, open_incident=cured, now=NOW, shard=SHARD)
        assert step.incident is not None
        said[alert.rule] = (step.incident.sentence, step.incident.recovered_at)
    assert said["5xx"] == ("The trouble is back after customers were served well again.", None)
    assert said["latency"] == (
        f"Another alert has come after customers were served well again: {alert.summary}.",
        at(5),
    )


@pytest.mark.parametrize(("rule", "onset"), [("5xx", None), ("latency", at(1))])
def test_what_is_wrong_after_the_cure_is_diagnosed_for_the_person_who_is_woken(
    rule: str, onset: datetime | None
) -> None:
    cured = msgspec.structs.replace(
        opened(), state=State.MITIGATED, onset_at=at(1), recovered_at=at(5), firing=()
    )
    alert = fired(6, rule=rule)
    step = triage(alert, service=SERVICE, claim=None, open_incident=cured, now=NOW, shard=SHARD)
    assert step.incident is not None
    assert (step.incident.state, step.incident.unexplained) == (State.ESCALATED, True)
    assert step.commands == ("diagnose",)
    assert step.incident.onset_at == onset, "the time to recovery runs from the breach that is on"


def rejoined(**changes: Any) -> Step:
    """What another rule makes of an incident that was judged already."""
    judged = msgspec.structs.replace(opened(), **{"state": State.ESCALATED, **changes})
    alert = fired(2, rule="latency")
    return triage(alert, service=SERVICE, claim=None, open_incident=judged, now=NOW, shard=SHARD)


@pytest.mark.parametrize("state", [State.HELD, State.ESCALATED])
def test_what_could_not_be_cured_is_diagnosed_anew_when_another_rule_tells_of_it(
    state: State,
) -> None:
    step = rejoined(state=state)
    assert step.incident is not None
    assert (step.incident.state, step.commands) == (State.OPENED, ("diagnose",))
    assert step.reason.endswith("about the same target; it is diagnosed anew")


@pytest.mark.parametrize(
    "changes",
    [
        {"acknowledged_at": NOW, "acknowledged_by": "ada"},
        {"plan": "plan-1"},
        {"state": State.HELD, "deferred": True},
        {"state": State.VERIFYING},
        {"state": State.MITIGATED, "recovered_at": NOW},
    ],
)
def test_what_a_person_has_or_what_was_planned_is_left_as_it_is(changes: dict[str, Any]) -> None:
    step = rejoined(**changes)
    assert step.incident is not None
    assert step.incident.state is changes.get("state", State.ESCALATED)


def test_without_an_owner_there_is_nothing_to_diagnose_anew() -> None:
    judged = msgspec.structs.replace(opened(service=""), state=State.ESCALATED)
    step = triage(
        fired(2, rule="latency"),
        service=None,
        claim=None,
        open_incident=judged,
        now=NOW,
        shard=SHARD,
    )
    assert step.incident is not None
    assert (step.incident.state, step.commands) == (State.ESCALATED, ())


SEEN = {"acknowledged_at": NOW, "acknowledged_by": "ada"}


@pytest.mark.parametrize(
    "changes",
    [
        {"state": State.MITIGATED, "recovered_at": at(1)},
        {"state": State.MITIGATED, "firing": ()},
        {"severity": Severity.SEV3},
        {"acknowledged_at": NOW - timedelta(hours=12)},
    ],
)
def test_a_new_trouble_is_not_hidden_in_an_incident_that_somebody_has_acknowledged(
    changes: dict[str, Any],
) -> None:
    assert rejoined(**{**SEEN, **changes}).outcome is DeliveryOutcome.OPENED
    unseen = {**changes, "acknowledged_at": None}
    assert rejoined(**unseen).outcome is DeliveryOutcome.JOINED


@pytest.mark.parametrize("changes", [{}, {"severity": Severity.SEV0}])
def test_who_has_acknowledged_it_lately_has_what_else_is_told_of_it(
    changes: dict[str, Any],
) -> None:
    assert rejoined(**{**SEEN, **changes}).outcome is DeliveryOutcome.JOINED


def test_the_same_trouble_that_has_never_ended_stays_where_it_is() -> None:
    held = msgspec.structs.replace(opened(Severity.SEV3), **SEEN)
    step = triage(FIRED_2, service=SERVICE, claim=None, open_incident=held, now=NOW, shard=SHARD)
    assert step.outcome is DeliveryOutcome.JOINED


TROUBLES = [(rule, target) for rule in ("5xx", "latency") for target in (ENDPOINT, SECOND)]
EVENTS = [
    alert
    for rule, target in TROUBLES
    for minute in (1, 10)
    for alert in (
        fired(minute, rule=rule, target=target),
        resolved(minute + 4, began=minute, rule=rule, target=target),
    )
]


@given(st.lists(st.sampled_from(EVENTS), max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_whatever_the_order_what_fires_is_in_one_open_incident_of_its_target(
    alerts: list[Alert], random: Random
) -> None:
    shuffled = random.sample(alerts, len(alerts))
    first, second = World(TWO).take_all(alerts), World(TWO).take_all(shuffled)
    assert firing(first) == firing(second)
    for world in (first, second):
        targets = [incident.target for incident in world.open()]
        assert len(targets) == len(set(targets))
        on = {key for key, claim in world.claims.items() if claim.is_firing}
        assert {key for keys in firing(world).values() for key in keys} == on


def firing(world: World) -> dict[str, set[str]]:
    return {incident.target: set(incident.firing) for incident in world.open()}
