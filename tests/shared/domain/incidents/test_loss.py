"""A known good that is lost is an incident of its own, a person's from the beginning."""

from datetime import timedelta

import pytest

from shared.domain.event import EventKind
from shared.domain.incidents.escalation import next_page
from shared.domain.incidents.incident import Incident, Severity, State, Step
from shared.domain.incidents.loss import open_loss
from shared.domain.keys import shard_of_incident
from shared.domain.ledger.completeness import complete
from tests.shared.domain.decisions.worked_case import KNOWN_GOOD, NOW, RECORD, SERVICE, alter

GONE = "deployment v1 does not exist"


def lose() -> Step:
    return open_loss(SERVICE, RECORD, GONE, "35", NOW)


def opened() -> Incident:
    incident = lose().incident
    assert incident is not None
    return incident


def test_it_says_what_is_gone_and_what_that_means() -> None:
    assert opened().sentence == (
        "v1 can serve no more: deployment v1 does not exist. No version is left to go back to."
    )


def test_it_wakes_somebody_although_customers_are_served() -> None:
    assert (opened().state, opened().severity) == (State.ESCALATED, Severity.SEV2)
    assert next_page(opened(), SERVICE, NOW) == SERVICE.contacts[0]


def test_opening_and_loss_are_told_in_order_and_completely() -> None:
    opening, losing = lose().events

    assert (opening.kind, losing.kind) == (EventKind.INCIDENT_OPENED, EventKind.KNOWN_GOOD_LOST)
    assert (opening.sequence, losing.sequence, opened().sequence) == (1, 2, 2)
    assert [complete(event) for event in (opening, losing)] == [(), ()]
    assert losing.before["deployment"] == "v1"


def test_the_same_loss_is_the_same_incident_whenever_it_is_seen() -> None:
    again = open_loss(SERVICE, RECORD, GONE, "35", NOW + timedelta(days=3))

    assert again.incident is not None
    assert again.incident.id == opened().id
    assert shard_of_incident(opened().id) == "35"


def test_a_later_trust_that_is_lost_is_another_incident() -> None:
    later = alter(RECORD, known_good=alter(KNOWN_GOOD, earned_at=NOW))
    another = open_loss(SERVICE, later, GONE, "35", NOW)

    assert another.incident is not None
    assert another.incident.id != opened().id


def test_what_was_never_earned_cannot_be_lost() -> None:
    with pytest.raises(AssertionError):
        open_loss(SERVICE, alter(RECORD, known_good=None), GONE, "35", NOW)
