"""Patience: what is looked for again, until when, and who is woken meanwhile."""

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.diagnosis.diagnosis import Attribution, Cause, Diagnosis, Health
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.incidents.patience import LOOKS, Patience, next_look, wake_meanwhile
from shared.domain.incidents.requests import RollbackRequest
from tests.shared.domain.incidents.incidents import NOW, opened

LEAST = 50
PATIENCE = Patience(lasts=timedelta(seconds=30), lag=timedelta(seconds=40))
INCIDENT = msgspec.structs.replace(opened(), opened_at=NOW)
UNATTRIBUTED = Diagnosis(
    incident=INCIDENT.id,
    made_at=NOW,
    health=Health.BREACHED,
    sentence="v2 fails 40 % of requests.",
    onset_at=NOW - timedelta(seconds=2),
    attribution=Attribution(cause=Cause.UNKNOWN),
    requests=LEAST,
    bad_requests=20,
    bad_share=0.4,
    regions_hit=("swedencentral",),
)
NAMED = [cause for cause in Cause if cause is not Cause.UNKNOWN]


def found(*, cause: Cause = Cause.UNKNOWN, **changes: object) -> Diagnosis:
    return msgspec.structs.replace(UNATTRIBUTED, attribution=Attribution(cause=cause), **changes)


def looked(
    diagnosis: Diagnosis, incident: Incident = INCIDENT, *, after_s: float = 0, look: int = 1
) -> datetime | None:
    return next_look(
        diagnosis,
        incident,
        minimum_requests=LEAST,
        patience=PATIENCE,
        look=look,
        now=NOW + timedelta(seconds=after_s),
    )


@pytest.mark.parametrize(
    ("diagnosis", "again"),
    [
        (found(), True),
        (found(onset_at=None), True),
        (found(onset_at=NOW - timedelta(seconds=69)), True),
        (found(onset_at=NOW - timedelta(seconds=70)), False),
        (found(cause=Cause.VERSION), False),
        (found(cause=Cause.VERSION, requests=LEAST - 1), True),
        (found(cause=Cause.REGION, requests=LEAST - 1), True),
        (found(health=Health.INCONCLUSIVE), True),
        (found(health=Health.INCONCLUSIVE, onset_at=NOW - timedelta(hours=1)), True),
        (found(health=Health.HEALTHY, cause=Cause.NONE), True),
    ],
    ids=[
        "a breach that nobody can be blamed for",
        "one of which it is not known since when",
        "one of which the logs can know little",
        "one of which the logs know enough",
        "a version is to blame",
        "a version is, of which few customers felt it",
        "a region is, of which few customers felt it",
        "inconclusive",
        "inconclusive, however old",
        "healthy, though an alert says otherwise",
    ],
)
def test_what_a_moment_later_may_tell_better_is_looked_for_again(
    diagnosis: Diagnosis, again: bool
) -> None:
    assert (looked(diagnosis) is not None) is again


@pytest.mark.parametrize("cause", NAMED)
def test_a_cause_that_is_named_counts_at_once(cause: Cause) -> None:
    assert looked(found(cause=cause)) is None


@pytest.mark.parametrize(
    ("after_s", "due_s"), [(0, 10), (12.5, 22.5), (59, 69), (65, 70), (69.9, 70), (70, None)]
)
def test_nobody_waits_longer_than_the_patience(after_s: float, due_s: float | None) -> None:
    due = None if due_s is None else NOW + timedelta(seconds=due_s)

    assert looked(found(), after_s=after_s) == due


def test_each_wait_is_twice_the_one_before_until_the_patience_ends() -> None:
    dues, after_s = list[float](), 0.0
    while due := looked(found(), after_s=after_s, look=len(dues) + 1):
        after_s = (due - NOW).total_seconds()
        dues.append(after_s)

    assert dues == [10, 30, 70]


def test_a_person_who_asks_for_the_rollback_is_not_kept_waiting() -> None:
    asked = RollbackRequest(by="t/bob", role="Responder", reason="customers call", at=NOW)
    incident = msgspec.structs.replace(INCIDENT, request=asked)

    assert looked(found(health=Health.HEALTHY), incident) is None


def test_the_patience_begins_anew_with_an_incident_that_is_opened_anew() -> None:
    again = msgspec.structs.replace(INCIDENT, progressed_at=NOW + timedelta(seconds=300))

    assert looked(found(made_at=NOW + timedelta(seconds=1)), again, after_s=301) is not None


DIAGNOSES = st.builds(
    found,
    cause=st.sampled_from(Cause),
    health=st.sampled_from(Health),
    requests=st.integers(0, 2 * LEAST),
    onset_at=st.none() | st.floats(0, 600).map(lambda age_s: NOW - timedelta(seconds=age_s)),
)


@given(DIAGNOSES, st.floats(-600, 600), st.integers(1, 2 * LOOKS))
def test_it_looks_again_only_in_time_and_so_often(
    diagnosis: Diagnosis, after_s: float, look: int
) -> None:
    due = looked(diagnosis, after_s=after_s, look=look)

    if due is not None:
        assert look <= LOOKS
        assert NOW + timedelta(seconds=after_s) < due <= NOW + PATIENCE.whole


@given(query_s=st.floats(0, 30), early_s=st.floats(0, 0.05))
def test_one_request_comes_to_its_end_however_slow_the_logs_are(
    query_s: float, early_s: float
) -> None:
    """`early_s` is by how much the bus is ahead of the clock that judges."""
    after_s, look = query_s, 1
    while due := looked(found(), after_s=after_s, look=look):
        after_s = (due - NOW).total_seconds() - early_s + query_s
        look += 1

    assert look <= LOOKS + 1
    assert after_s <= PATIENCE.whole.total_seconds() + query_s


@pytest.mark.parametrize(
    ("severity", "raised"),
    [
        (Severity.SEV0, None),
        (Severity.SEV1, None),
        (Severity.SEV2, Severity.SEV1),
        (Severity.SEV3, Severity.SEV1),
    ],
)
def test_who_is_to_be_woken_is_not_kept_waiting(
    severity: Severity, raised: Severity | None
) -> None:
    incident = msgspec.structs.replace(INCIDENT, severity=severity)

    step = wake_meanwhile(incident, found(), NOW)

    assert (step.incident.severity if step.incident else None) is raised


def test_what_is_raised_meanwhile_stays_undiagnosed_and_is_raised_once() -> None:
    incident = msgspec.structs.replace(INCIDENT, severity=Severity.SEV2)

    step = wake_meanwhile(incident, found(), NOW)

    assert step.incident is not None
    assert (step.incident.state, step.incident.raised) == (State.OPENED, True)
    assert [event.kind for event in step.events] == ["incident.severity-changed"]
    lowered = msgspec.structs.replace(step.incident, severity=Severity.SEV2)
    assert wake_meanwhile(lowered, found(), NOW).incident is None


@pytest.mark.parametrize(
    "mild",
    [found(bad_share=0.1), found(requests=19), found(health=Health.INCONCLUSIVE)],
    ids=["a minor one", "of a few requests", "not to be told"],
)
def test_what_wakes_nobody_waits_for_the_diagnosis_that_counts(mild: Diagnosis) -> None:
    incident = msgspec.structs.replace(INCIDENT, severity=Severity.SEV3)

    assert wake_meanwhile(incident, mild, NOW).incident is None
