"""Escalation: the right contact at the right time, and never twice for one step."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.incidents.escalation import (
    ESCALATED,
    EVERYBODY,
    OPENED,
    UNACKNOWLEDGED,
    next_page,
    page_reason,
)
from shared.domain.incidents.incident import Incident, Page, Severity, State
from tests.shared.domain.decisions.worked_case import INCIDENT, NOW, SERVICE, alter

WAIT = timedelta(seconds=SERVICE.policy.acknowledge_within_s)
MINOR = alter(INCIDENT, severity=Severity.SEV2)


def page_until_quiet(incident: Incident, ticks: int, step: timedelta) -> list[tuple[str, str, int]]:
    """Tick and store each page as the shell does: (contact, reason, tick) of every page."""
    sent = []
    for tick in range(ticks):
        now = NOW + tick * step
        contact = next_page(incident, SERVICE, now)
        while contact is not None:
            reason = page_reason(incident, SERVICE)
            sent.append((contact.name, reason, tick))
            incident = paged(incident, contact.name, now, reason)
            contact = next_page(incident, SERVICE, now)
    return sent


def paged(incident: Incident, contact: str, at: datetime, reason: str) -> Incident:
    return alter(incident, pages=(*incident.pages, Page(contact=contact, at=at, reason=reason)))


def name_of(incident: Incident, now: datetime) -> str:
    contact = next_page(incident, SERVICE, now)
    return contact.name if contact is not None else ""


@pytest.mark.parametrize("severity", [Severity.SEV0, Severity.SEV1])
def test_a_grave_incident_pages_the_first_contact_at_once(severity: Severity) -> None:
    incident = alter(INCIDENT, severity=severity)
    assert name_of(incident, NOW) == "Ada"
    assert page_reason(incident, SERVICE) == OPENED


@pytest.mark.parametrize("severity", [Severity.SEV2, Severity.SEV3])
def test_others_wake_nobody(severity: Severity) -> None:
    assert next_page(alter(INCIDENT, severity=severity), SERVICE, NOW) is None


def test_an_escalated_one_wakes_somebody_whatever_its_severity() -> None:
    escalated = alter(MINOR, state=State.ESCALATED)
    assert name_of(escalated, NOW) == "Ada"
    assert page_reason(escalated, SERVICE) == ESCALATED


def test_the_next_contact_is_paged_when_the_first_does_not_answer_in_time() -> None:
    incident = paged(INCIDENT, "Ada", NOW, OPENED)
    assert name_of(incident, NOW + WAIT - timedelta(seconds=1)) == ""
    assert name_of(incident, NOW + WAIT) == "Ben"
    assert page_reason(incident, SERVICE) == UNACKNOWLEDGED


def test_an_escalation_does_not_wait_for_the_first_contact() -> None:
    incident = alter(paged(INCIDENT, "Ada", NOW, OPENED), state=State.ESCALATED)
    assert name_of(incident, NOW) == "Ben"


def test_an_escalation_is_paged_once() -> None:
    incident = paged(alter(INCIDENT, state=State.ESCALATED), "Ada", NOW, ESCALATED)
    assert name_of(incident, NOW + timedelta(seconds=1)) == ""
    assert name_of(incident, NOW + WAIT) == "Ben"


def test_two_rounds_then_everybody_then_silence() -> None:
    sent = page_until_quiet(INCIDENT, ticks=20, step=WAIT)
    assert sent == [
        ("Ada", OPENED, 0),
        ("Ben", UNACKNOWLEDGED, 1),
        ("Cleo", UNACKNOWLEDGED, 2),
        ("Ada", UNACKNOWLEDGED, 3),
        ("Ben", UNACKNOWLEDGED, 4),
        ("Cleo", UNACKNOWLEDGED, 5),
        ("Ada", EVERYBODY, 6),
        ("Ben", EVERYBODY, 6),
        ("Cleo", EVERYBODY, 6),
    ]


@pytest.mark.parametrize("state", [State.OPENED, State.ESCALATED])
def test_who_has_acknowledged_is_left_alone(state: State) -> None:
    seen = alter(INCIDENT, state=state, acknowledged_at=NOW, acknowledged_by="t/o")
    assert next_page(seen, SERVICE, NOW + 9 * WAIT) is None


def test_an_acknowledged_page_counts_as_well() -> None:
    page = Page(contact="Ada", at=NOW, reason=OPENED, acknowledged_at=NOW)
    assert next_page(alter(INCIDENT, pages=(page,)), SERVICE, NOW + 9 * WAIT) is None


@pytest.mark.parametrize("state", [State.MITIGATED, State.RESOLVED])
def test_nobody_is_paged_for_what_is_over(state: State) -> None:
    assert next_page(alter(INCIDENT, state=state), SERVICE, NOW) is None


@given(
    st.sampled_from(Severity),
    st.sampled_from(State),
    st.integers(1, 600),
    st.integers(0, 4),
)
@settings(max_examples=100, deadline=None)
def test_however_often_it_is_asked_no_step_is_paged_twice(
    severity: Severity, state: State, step_s: int, pages: int
) -> None:
    before = tuple(
        Page(contact="Ada", at=NOW - WAIT * (pages - n), reason=OPENED) for n in range(pages)
    )
    incident = alter(INCIDENT, severity=severity, state=state, pages=before)
    sent = page_until_quiet(incident, ticks=60, step=timedelta(seconds=step_s))
    reasons = [reason for _, reason, _ in sent]
    assert len(before) + len(sent) <= 3 * len(SERVICE.contacts)
    assert reasons.count(ESCALATED) <= 1
    waiting = [tick for _, reason, tick in sent if reason == UNACKNOWLEDGED]
    gaps = [(later - earlier) * step_s for earlier, later in pairwise(waiting)]
    assert all(gap >= WAIT.total_seconds() for gap in gaps)


def test_a_page_that_was_refused_woke_nobody_so_the_next_contact_is_due_at_once() -> None:
    refused = alter(paged(INCIDENT, "Ada", NOW, OPENED).pages[0], refused=True)
    assert name_of(paged(INCIDENT, "Ada", NOW, OPENED), NOW) == ""
    assert name_of(alter(INCIDENT, pages=(refused,)), NOW) == "Ben"
