"""The steps after triage, each from the state before to the state and the event after."""

from collections.abc import Callable
from datetime import datetime

import msgspec
import pytest

from shared.domain.catalog import Mode
from shared.domain.decisions.decision import Decision, RuleResult, Verdict
from shared.domain.diagnosis.diagnosis import Attribution, Cause, Diagnosis, Health
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import Incident, Severity, SeverityChoice, State, Step
from shared.domain.incidents.steps import (
    change_severity,
    escalate,
    mitigate,
    page_sent,
    record_check,
    record_decision,
    record_diagnosis,
    resolve,
)
from tests.shared.domain.incidents.incidents import NOW, at, opened

DIAGNOSIS = Diagnosis(
    incident="INC-07-261120-0A1B2C3D",
    made_at=NOW,
    health=Health.BREACHED,
    sentence="v2 fails 46 % of requests in swedencentral",
    attribution=Attribution(cause=Cause.VERSION, version="v2"),
    onset_at=at(1),
    requests=400,
    bad_requests=46,
)
WORSE = SeverityChoice(severity=Severity.SEV0, reasons=("60% of requests fail",))


def decided(verdict: Verdict) -> Decision:
    return Decision(
        incident="INC-07-261120-0A1B2C3D",
        verdict=verdict,
        would_be=Verdict.ROLL_BACK,
        mode=Mode.OBSERVE,
        reason="the service is observed only",
        rules=(RuleResult(rule="mode", passed=False, observed="observe", required="automatic"),),
        policy="default",
        policy_hash="abc",
        decided_at=NOW,
        hash="d1",
    )


def in_state(state: State) -> Incident:
    return msgspec.structs.replace(opened(), state=state)


def result(step: Step) -> tuple[Incident, ChangeEvent]:
    assert step.incident is not None
    return step.incident, step.events[-1]


def test_a_diagnosis_is_kept_and_asks_for_a_decision() -> None:
    step = record_diagnosis(opened(), DIAGNOSIS, None, NOW)
    incident, event = result(step)
    assert (incident.state, incident.onset_at) == (State.DIAGNOSED, at(1))
    assert step.commands == ("enforce",)
    assert event.what == DIAGNOSIS.sentence
    assert event.why == "breached; cause: version"
    assert event.evidence["bad_requests"] == 46


def test_a_diagnosis_without_an_onset_keeps_the_one_that_was_found() -> None:
    before = msgspec.structs.replace(opened(), onset_at=at(1))
    unsure = msgspec.structs.replace(DIAGNOSIS, onset_at=None)
    incident, _ = result(record_diagnosis(before, unsure, None, NOW))
    assert incident.onset_at == at(1)


@pytest.mark.parametrize(
    ("onset", "recovered"), [(at(9), None), (at(8), None), (at(1), at(7)), (None, at(7))]
)
def test_a_second_breach_has_not_recovered_and_an_old_one_has(
    onset: datetime | None, recovered: datetime | None
) -> None:
    woken = msgspec.structs.replace(
        opened(), state=State.ESCALATED, onset_at=at(1), recovered_at=at(7), unexplained=True
    )
    found = msgspec.structs.replace(DIAGNOSIS, onset_at=onset)
    step = record_diagnosis(woken, found, None, NOW)
    incident, _ = result(step)
    assert (incident.onset_at, incident.recovered_at) == (onset or at(1), recovered)
    assert (incident.state, incident.unexplained) == (State.ESCALATED, False)
    assert step.commands == (), "a person has it"


def test_a_diagnosis_raises_the_severity_once() -> None:
    step = record_diagnosis(opened(), DIAGNOSIS, WORSE, NOW)
    incident, event = result(step)
    assert (incident.severity, incident.raised) == (Severity.SEV0, True)
    assert incident.severity_reasons[-1] == "60% of requests fail"
    assert event.kind is EventKind.SEVERITY_CHANGED
    assert event.before == {"severity": "SEV1"}
    assert step.commands == ("enforce",)


@pytest.mark.parametrize("state", [State.ACTING, State.VERIFYING, State.MITIGATED, State.ESCALATED])
def test_a_diagnosis_amid_or_after_a_change_decides_nothing_anew(state: State) -> None:
    step = record_diagnosis(in_state(state), DIAGNOSIS, None, NOW)
    incident, _ = result(step)
    assert incident.state is state
    assert step.commands == ()


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.ROLL_BACK])
def test_a_decision_that_moves_nothing_holds_the_incident(verdict: Verdict) -> None:
    incident, event = result(record_decision(in_state(State.DIAGNOSED), decided(verdict), NOW))
    assert incident.state is State.HELD
    assert incident.sentence == event.why == "the service is observed only"
    assert (event.policy, event.policy_hash) == ("default", "abc")
    assert event.evidence["failed_rules"] == ["mode"]
    assert event.evidence["decision_hash"] == "d1"


def test_a_rollback_is_decided_and_leaves_the_state_to_the_act() -> None:
    before = in_state(State.DIAGNOSED)
    incident, event = result(record_decision(before, decided(Verdict.ROLL_BACK), NOW))
    assert incident.state is State.DIAGNOSED
    assert event.what == "decided: roll back"


def test_a_check_is_counted() -> None:
    incident, event = result(record_check(in_state(State.VERIFYING), "2 of 300 fail", NOW))
    assert (incident.checks, incident.state) == (1, State.VERIFYING)
    assert (event.what, event.why) == ("check 1 after the change", "2 of 300 fail")


def test_mitigation_tells_when_customers_were_served_again() -> None:
    step = mitigate(in_state(State.VERIFYING), "it held", recovered_at=at(9), now=NOW)
    incident, event = result(step)
    assert (incident.state, incident.recovered_at) == (State.MITIGATED, at(9))
    assert incident.sentence == event.why == "it held"


@pytest.mark.parametrize(("crowded", "ended"), [(False, State.RESOLVED), (True, State.MITIGATED)])
def test_mitigation_resolves_where_every_alert_ended_meanwhile(crowded: bool, ended: State) -> None:
    quiet = msgspec.structs.replace(in_state(State.VERIFYING), firing=(), crowded=crowded)
    step = mitigate(quiet, "it held", recovered_at=at(9), now=NOW)
    assert step.incident is not None
    assert (step.incident.state, step.incident.sentence) == (ended, "it held")
    kinds = [EventKind.MITIGATED, EventKind.RESOLVED]
    assert [event.kind for event in step.events] == kinds[: len(step.events)]
    assert len(step.events) == 1 + (ended is State.RESOLVED)


def test_an_escalation_names_the_contact_and_the_reason() -> None:
    incident, event = result(escalate(opened(), "the logs do not answer", "On call", NOW))
    assert incident.state is State.ESCALATED
    assert (event.what, event.why) == ("escalated to On call", "the logs do not answer")


def test_an_escalation_to_nobody_says_so() -> None:
    _, event = result(escalate(opened(), "the logs do not answer", "", NOW))
    assert event.what == "asks for a person"


def test_a_page_is_kept_with_contact_and_time() -> None:
    incident, event = result(page_sent(opened(), "On call", "SEV1", NOW))
    assert [(page.contact, page.at, page.reason) for page in incident.pages] == [
        ("On call", NOW, "SEV1")
    ]
    assert event.kind is EventKind.PAGED


def test_the_same_severity_again_is_no_step() -> None:
    same = SeverityChoice(severity=Severity.SEV1, reasons=("as before",))
    assert change_severity(opened(), same, who="oid", now=NOW).incident is None


GRADES = [
    ((("ana", Severity.SEV0),), ""),  # it was found to be one before
    ((("ana", Severity.SEV2), ("ana", Severity.SEV0)), "ana"),
    ((("ana", Severity.SEV2), ("ana", Severity.SEV1), ("ben", Severity.SEV0)), "ana"),
    ((("ana", Severity.SEV2), ("ben", Severity.SEV1), ("ben", Severity.SEV3)), ""),
    ((("ana", Severity.SEV2), ("ana", Severity.SEV1), ("backstop", Severity.SEV0)), ""),
]


@pytest.mark.parametrize(("said", "by"), GRADES)
def test_it_is_kept_by_whose_word_alone_it_is_grave(
    said: tuple[tuple[str, Severity], ...], by: str
) -> None:
    incident = opened()
    for who, severity in said:
        choice = SeverityChoice(severity=severity, reasons=("so it is",))
        incident, _ = result(change_severity(incident, choice, who=who, now=NOW))
    assert incident.graded_by == by


def test_a_person_may_lower_the_severity() -> None:
    lower = SeverityChoice(severity=Severity.SEV3, reasons=("a test tenant only",))
    incident, event = result(change_severity(opened(), lower, who="oid", now=NOW))
    assert incident.severity is Severity.SEV3
    assert (event.actor, event.why) == ("oid", "a test tenant only")


def test_the_end_leaves_nothing_firing() -> None:
    incident, event = result(resolve(opened(), who="oid", why="fixed upstream", now=NOW))
    assert (incident.state, incident.firing, incident.resolved_at) == (State.RESOLVED, (), NOW)
    assert event.why == "fixed upstream"


LATE: list[Callable[[Incident], Step]] = [
    lambda incident: record_diagnosis(incident, DIAGNOSIS, None, NOW),
    lambda incident: record_decision(incident, decided(Verdict.HOLD), NOW),
    lambda incident: mitigate(incident, "it held", recovered_at=NOW, now=NOW),
    lambda incident: escalate(incident, "why", "On call", NOW),
    lambda incident: change_severity(incident, WORSE, who="oid", now=NOW),
    lambda incident: resolve(incident, who="oid", why="again", now=NOW),
]


@pytest.mark.parametrize("step", LATE)
def test_what_comes_after_the_end_changes_nothing(step: Callable[[Incident], Step]) -> None:
    answer = step(in_state(State.RESOLVED))
    assert (answer.incident, answer.events) == (None, ())
    assert "resolved already" in answer.reason
