"""Storm: counted are different troubles of one service within minutes, never one that repeats."""

from datetime import timedelta
from itertools import permutations

import pytest

from shared.domain.alerts.alert import Alert
from shared.domain.event import EventKind
from shared.domain.incidents.incident import Severity, State
from shared.domain.keys import shard_of_incident
from shared.domain.noise.storm import WINDOW, Storm, calm, count, open_storm
from tests.shared.domain.incidents.incidents import NOW, SERVICE, SHARD, at, fired

EMPTY = Storm(service=SERVICE.name)
MINUTE = timedelta(minutes=1)


def storm_of(*alerts: Alert, most: int = 3) -> Storm:
    storm = EMPTY
    for alert in alerts:
        storm = count(storm, alert, most, max(at(60), NOW))
    return storm


def different(number: int, *, every: float = 1.0) -> list[Alert]:
    """So many alerts of different rules, so many minutes apart."""
    return [fired(every * n, rule=f"rule-{n}") for n in range(number)]


def test_fewer_different_alerts_are_no_storm() -> None:
    assert storm_of(*different(2)).until is None


def test_so_many_different_alerts_within_five_minutes_are_one() -> None:
    storm = storm_of(*different(3))
    assert storm.until == at(0) + 2 * WINDOW
    assert storm.rages(at(2))


def test_the_same_number_over_a_longer_time_is_none() -> None:
    assert storm_of(*different(3, every=2.5)).until is None


def test_one_noisy_rule_is_no_storm_however_often_it_fires() -> None:
    assert storm_of(*(fired(n / 10, rule="noisy") for n in range(100))).until is None


def test_a_key_that_repeats_itself_within_seconds_is_not_worth_another_write() -> None:
    storm = storm_of(fired(0))
    assert count(storm, fired(0.1), 3, at(1)) is storm
    assert count(storm, fired(1), 3, at(1)) is not storm


def test_an_alert_of_tomorrow_neither_hides_a_storm_nor_makes_it_last() -> None:
    storm = EMPTY
    for minute, alert in enumerate([fired(23 * 60, rule="ahead"), *different(2)]):
        storm = count(storm, alert, 3, at(minute))
    assert storm.until == at(0) + 2 * WINDOW


def test_a_storm_ends_when_it_has_been_below_the_count_for_as_long() -> None:
    storm = storm_of(*different(3))
    below = at(0) + WINDOW  # the first of the three leaves the window
    assert storm.rages(below + WINDOW - MINUTE)
    assert not storm.rages(below + WINDOW)


def test_what_comes_on_top_makes_it_last_longer() -> None:
    assert storm_of(*different(5)).until == at(2) + 2 * WINDOW


def test_alerts_of_long_ago_freeze_nothing_now() -> None:
    assert not storm_of(*different(3)).rages(at(120))


def test_no_more_is_kept_than_makes_a_storm() -> None:
    storm = storm_of(*different(40, every=0.5), most=5)
    assert [one.at for one in storm.seen] == [at(n / 2) for n in (39, 38, 37, 36, 35)]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_of_the_alerts_does_not_matter(order: tuple[int, ...]) -> None:
    alerts = different(4)
    assert storm_of(*(alerts[n] for n in order)) == storm_of(*alerts)


def test_a_storm_has_an_incident_that_pages_and_says_what_is_frozen() -> None:
    step = open_storm(SERVICE, storm_of(*different(3)), SHARD, NOW)
    incident = step.incident
    assert incident is not None
    assert incident.storm
    assert (incident.state, incident.severity) == (State.ESCALATED, Severity.SEV1)
    assert shard_of_incident(incident.id) == SHARD
    assert incident.sentence == (
        "A storm: 3 different alerts of one service within 5 min. Nothing of fnol-summary is moved"
        " automatically until it has been calm for 5 min, and this page stands for all of them."
    )
    assert [event.kind for event in step.events] == [EventKind.INCIDENT_OPENED]


def test_when_it_is_calm_the_incident_ends_by_itself() -> None:
    incident = open_storm(SERVICE, storm_of(*different(3)), SHARD, NOW).incident
    assert incident is not None
    step = calm(incident, NOW)
    assert step.incident is not None
    assert step.incident.state is State.RESOLVED
    assert step.events[0].why == "fewer different alerts than make a storm, for 5 min"
