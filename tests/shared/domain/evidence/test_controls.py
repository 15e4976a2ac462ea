"""Each control passes on a clean story, and fails, naming the event, where its clause is broken."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from shared.domain.event import ChangeEvent, EventKind, happened
from shared.domain.evidence.control import Ground, Judged, Result
from shared.domain.evidence.controls import CONTROLS, judge_all
from shared.domain.evidence.trail import Trail

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
INCIDENT = "INC-07-261123-0A1B2C3D"
ANA, BEN = "tenant/ana", "tenant/ben"
PLAN = {"plan": "plan-1", "plan_hash": "aa11"}
ACTS = {"plan_hash": "aa11", "verdict": "roll_back"}
WAIVED = {**ACTS, "waived": "SEV1 and burn 12x >= 10x"}
FIRST = {**PLAN, "nonce": "n1"}
POLICY = {"policy": "p", "policy_hash": "9a"}
SPLITS = {**POLICY, "before": {"v2": 100}, "after": {"v1": 100}}
GROUND = Ground(
    as_of=START + timedelta(hours=1),
    ledger_ok=True,
    ledger_problem="",
    seals=3,
    key="f00d" * 16,
    retention=timedelta(days=365),
)


def told(kind: EventKind, minute: float, **said: Any) -> ChangeEvent:
    """One event of the story, so many minutes after its start."""
    at = START + timedelta(minutes=minute)
    defaults = {"actor": "backstop", "what": kind.value, "why": "so it was"}
    role = said.pop("role", "")
    event = happened(kind, f"{kind.value}-{minute:g}", "fnol-summary", at, **(defaults | said))
    return msgspec.structs.replace(event, incident=INCIDENT, role=role)


GRADED = {"after": {"state": "opened", "severity": "SEV1"}}
OWED = {"evidence": {"report_due_at": (START + timedelta(minutes=45)).isoformat()}}
OPENED = told(EventKind.INCIDENT_OPENED, 0, why="tier 1", **GRADED, **OWED)
REPORTED = told(
    EventKind.REPORTED, 40, actor=BEN, role="Commander", before={"reports": 0}, after={"reports": 1}
)
PAGED = told(EventKind.PAGED, 1)
DIAGNOSED = told(EventKind.DIAGNOSED, 2)
ASKED = told(EventKind.APPROVAL_REQUESTED, 3, actor=ANA, role="Responder", evidence=FIRST, **SPLITS)
APPROVED = told(
    EventKind.APPROVAL_GIVEN,
    4,
    actor=BEN,
    role="Approver",
    evidence={**FIRST, "settled": True},
    **SPLITS,
)
DECIDED = told(EventKind.DECIDED, 5, evidence=ACTS, **POLICY)
BEGUN = told(EventKind.INTENT_OPENED, 6, evidence={**PLAN, "authority": "approval"}, **SPLITS)
MOVED = told(EventKind.INTENT_CONFIRMED, 7, before={"v2": 100}, after={"v1": 100}, evidence=PLAN)
CHECKED = told(EventKind.VERIFIED, 8)
CURED = told(EventKind.MITIGATED, 9, before={"state": "verifying"}, after={"state": "mitigated"})
STORY = [OPENED, PAGED, DIAGNOSED, ASKED, APPROVED, DECIDED, BEGUN, MOVED, CHECKED, CURED, REPORTED]


def due(opened: float, *, days: int, by: str = "backstop", about: str = "plan-1") -> ChangeEvent:
    """A mandatory review that is opened."""
    due_at = (START + timedelta(days=days)).isoformat()
    after = {"review": "R1", "due_at": due_at, "about": about}
    return told(EventKind.REVIEW_OPENED, opened, actor=by, role="Commander", after=after)


def closed(minute: float, by: str) -> ChangeEvent:
    """The review, closed by somebody."""
    said = {"before": {"closed_at": None}, "after": {"review": "R1"}}
    return told(EventKind.REVIEW_CLOSED, minute, actor=by, role="Auditor", **said)


def judge(events: Sequence[ChangeEvent], ground: Ground = GROUND) -> dict[str, Judged]:
    """The answers by the control's id."""
    trail = Trail()
    for event in events:
        trail.take(event)
    return {control.id: judged for control, judged in judge_all(trail, ground)}


def without(*events: ChangeEvent) -> list[ChangeEvent]:
    """The story, but for some of its events."""
    return [event for event in STORY if event not in events]


def test_a_clean_story_fails_nothing_and_every_answer_says_why() -> None:
    answers = judge(STORY)
    assert {name for name, found in answers.items() if found.result is Result.FAIL} == set()
    assert all(found.why for found in answers.values())


def test_where_nothing_happened_nothing_is_claimed_to_have_passed() -> None:
    passed = {name for name, found in judge([]).items() if found.result is Result.PASS}
    assert passed == {"nist-au-9", "nist-au-10", "nist-au-11"}  # what holds of the records anyway


def test_every_framework_that_is_promised_is_answered() -> None:
    clauses = {control.clause for control in CONTROLS}
    assert clauses == {
        *("SOC 2 CC8.1", "ISO/IEC 27001 A.8.32", "ISO/IEC 27001 A.5.3"),
        *(f"NIST SP 800-53 {name}" for name in ("CM-3", "CM-5", "AC-5", "IR-4")),
        *(f"NIST SP 800-53 {name}" for name in ("AU-9", "AU-10", "AU-11")),
        *("EU AI Act Art. 12", "DORA Art. 17", "DORA Art. 18", "DORA Art. 19"),
    }


LATE_APPROVAL = msgspec.structs.replace(APPROVED, happened_at=START + timedelta(minutes=30))
OWN_APPROVAL = msgspec.structs.replace(APPROVED, actor=ANA)
OTHER_PLAN = msgspec.structs.replace(BEGUN, evidence={"plan": "p", "plan_hash": "bb22"})
BY_POLICY = msgspec.structs.replace(BEGUN, evidence={**PLAN, "authority": "policy"})
BY_EMERGENCY = msgspec.structs.replace(BEGUN, evidence={**PLAN, "authority": "emergency"})
HELD = msgspec.structs.replace(DECIDED, evidence={**ACTS, "verdict": "needs_approval"})
IN_EMERGENCY = msgspec.structs.replace(DECIDED, evidence=WAIVED)
ALONE = msgspec.structs.replace(APPROVED, evidence={**FIRST, "settled": True, "alone": True})
OVERRIDDEN = told(
    EventKind.OVERRIDDEN,
    5.5,
    actor=ANA,
    role="Responder",
    evidence={**PLAN, "authority": "policy"},
    before={"failed_rules": ["still-breached"]},
    after={"verdict": "roll_back"},
    **POLICY,
)
BROKEN = {
    "soc2-cc8.1-population": ([*STORY, told(EventKind.CHANGE_UNATTRIBUTED, 20)], GROUND),
    "soc2-cc8.1-authorised": ([*without(APPROVED), LATE_APPROVAL], GROUND),
    "soc2-cc8.1-as-approved": ([*without(BEGUN), OTHER_PLAN], GROUND),
    "soc2-cc8.1-emergencies": ([*STORY, due(10, days=0)], GROUND),
    "iso27001-a8.32": (without(CHECKED, CURED), GROUND),
    "iso27001-a5.3": ([*without(APPROVED), OWN_APPROVAL], GROUND),
    "nist-cm-3": ([*STORY, told(EventKind.NOTED, 20, why=" ")], GROUND),
    "nist-cm-5": (without(DECIDED), GROUND),
    "nist-ac-5": ([*STORY, due(10, days=5, by=ANA), closed(20, ANA)], GROUND),
    "nist-ir-4": ([OPENED, PAGED], GROUND),
    "nist-au-9": (STORY, msgspec.structs.replace(GROUND, ledger_ok=False, ledger_problem="cut")),
    "nist-au-10": ([*STORY, told(EventKind.NOTED, 20, actor="somebody")], GROUND),
    "nist-au-11": (STORY, msgspec.structs.replace(GROUND, retention=timedelta(days=30))),
    "eu-ai-act-12": (STORY, msgspec.structs.replace(GROUND, retention=timedelta(days=30))),
    "dora-17": ([OPENED, PAGED], GROUND),
    "dora-18": ([msgspec.structs.replace(OPENED, after={"state": "opened"})], GROUND),
    "dora-19": (without(REPORTED), GROUND),
}


def test_there_is_a_broken_story_for_every_control() -> None:
    assert set(BROKEN) == {control.id for control in CONTROLS}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_clause_is_shown_as_failed(name: str) -> None:
    events, ground = BROKEN[name]
    found = judge(events, ground)[name]
    assert found.result is Result.FAIL
    assert found.why


def test_the_population_is_every_change_that_was_declared_or_decided() -> None:
    declared = [
        told(EventKind.RELEASE_REGISTERED, -9, after={"version": "2"}),
        told(EventKind.PROMOTED, -8, before={"v1": 100}, after={"v2": 100}),
        told(EventKind.CONFIGURATION_CHANGED, -7, after={"mode": "approve"}),
    ]
    found = judge([*declared, *STORY])["soc2-cc8.1-population"]
    assert found.result is Result.PASS
    assert {event.id for event in (*declared, BEGUN)} <= set(found.events)


def test_a_promotion_that_a_freeze_refused_is_an_attempt_that_is_recorded() -> None:
    refused = told(EventKind.PROMOTION_REFUSED, -9)
    found = judge([refused])["nist-cm-5"]
    assert (found.result, found.events) == (Result.PASS, (refused.id,))


def test_the_events_that_break_it_come_first() -> None:
    stray = told(EventKind.CHANGE_UNATTRIBUTED, 20)
    found = judge([*STORY, stray])["soc2-cc8.1-population"]
    assert found.events[0] == stray.id
    assert found.events_in_all == len(found.events) > 1


UNAUTHORISED = {
    "decided to hold": [*without(ASKED, APPROVED, DECIDED, BEGUN), HELD, BY_POLICY],
    "by an approval that nobody gave": without(ASKED, APPROVED),
    "by one approval of two": [
        *without(APPROVED),
        msgspec.structs.replace(APPROVED, evidence={**FIRST, "settled": False}),
    ],
    "decided after it had begun": [
        *without(DECIDED),
        msgspec.structs.replace(DECIDED, happened_at=START + timedelta(minutes=20)),
    ],
}


@pytest.mark.parametrize("name", UNAUTHORISED)
def test_nothing_else_takes_the_place_of_authority(name: str) -> None:
    assert judge(UNAUTHORISED[name])["soc2-cc8.1-authorised"].result is Result.FAIL
    assert judge(UNAUTHORISED[name])["nist-cm-5"].result is Result.FAIL


def test_an_emergency_needs_no_answer_to_what_was_asked_before_it() -> None:
    story = [*without(APPROVED, DECIDED, BEGUN), IN_EMERGENCY, BY_EMERGENCY, due(6, days=5)]
    answers = judge(story)
    assert {name for name, found in answers.items() if found.result is Result.FAIL} == set()


def test_what_is_decided_again_later_does_not_undo_what_was_decided_before() -> None:
    again = msgspec.structs.replace(DECIDED, happened_at=START + timedelta(minutes=40))
    late = msgspec.structs.replace(ASKED, happened_at=START + timedelta(minutes=41))
    assert judge([*STORY, again, late])["soc2-cc8.1-authorised"].result is Result.PASS


@pytest.mark.parametrize(
    "story",
    [
        [*without(ASKED, APPROVED, DECIDED, BEGUN), IN_EMERGENCY, BY_EMERGENCY],
        [*without(APPROVED), ALONE],
        [*without(APPROVED), ALONE, due(10, days=5, about="another plan")],
        [*without(ASKED, APPROVED, BEGUN), BY_POLICY, OVERRIDDEN],
    ],
)
def test_an_emergency_without_a_review_of_its_own_is_not_reviewed(
    story: list[ChangeEvent],
) -> None:
    assert judge(story)["soc2-cc8.1-emergencies"].result is Result.FAIL


def test_what_was_set_aside_with_a_second_person_s_word_needs_no_review() -> None:
    seconded = msgspec.structs.replace(OVERRIDDEN, evidence={**PLAN, "authority": "approval"})
    answers = judge([*STORY, seconded])
    assert answers["soc2-cc8.1-emergencies"].result is Result.NOT_APPLICABLE


def test_a_review_of_another_plan_excuses_no_approval_of_ones_own_request() -> None:
    other = due(10, days=5, by=ANA, about="another plan")
    assert judge([*without(APPROVED), OWN_APPROVAL, other])["iso27001-a5.3"].result is Result.FAIL


def test_a_look_before_the_change_is_no_check_of_it() -> None:
    early = told(EventKind.ESCALATED, 1.5, before={"state": "opened"}, after={"state": "escalated"})
    story = [OPENED, PAGED, early, *without(OPENED, PAGED, CHECKED, CURED)]
    assert judge(story)["iso27001-a8.32"].result is Result.FAIL


def test_an_approval_of_ones_own_request_stands_under_a_mandatory_review() -> None:
    lone = [*without(APPROVED), OWN_APPROVAL, due(10, days=5, by=ANA)]
    assert judge(lone)["iso27001-a5.3"].result is Result.PASS
    assert judge([*lone, closed(20, BEN)])["nist-ac-5"].result is Result.PASS


def test_a_review_that_is_closed_late_is_late_for_ever() -> None:
    late = [*STORY, due(10, days=0), closed(20, BEN)]
    assert judge(late)["soc2-cc8.1-emergencies"].result is Result.FAIL


def test_a_major_incident_needs_no_report_where_policy_sets_no_deadline() -> None:
    free = told(EventKind.INCIDENT_OPENED, 0, why="tier 1", **GRADED)
    assert judge([free])["dora-19"].result is Result.NOT_APPLICABLE


def test_a_report_counts_by_when_it_was_made_and_the_first_one_counts() -> None:
    late = msgspec.structs.replace(REPORTED, happened_at=START + timedelta(minutes=46))
    found = judge([OPENED, late])["dora-19"]
    assert (found.result, found.events) == (Result.FAIL, (late.id,))
    assert judge([OPENED, REPORTED, late])["dora-19"].result is Result.PASS


def test_as_long_as_there_is_time_nothing_is_missed() -> None:
    early = msgspec.structs.replace(GROUND, as_of=START + timedelta(minutes=44))
    assert judge([OPENED], early)["dora-19"].result is Result.PASS


@pytest.mark.parametrize(
    ("owed", "result"),
    [("", Result.NOT_APPLICABLE), (OWED["evidence"]["report_due_at"], Result.FAIL)],
)
def test_a_new_severity_says_what_is_owed_from_then_on(owed: str, result: Result) -> None:
    said = {"before": {"severity": "SEV1"}, "after": {"severity": "SEV2"}}
    minor = told(EventKind.SEVERITY_CHANGED, 10, evidence={"report_due_at": owed}, **said)
    assert judge([OPENED, minor])["dora-19"].result is result


def test_what_policy_alone_decided_needs_no_approval() -> None:
    answers = judge([*without(ASKED, APPROVED, BEGUN), BY_POLICY])
    assert answers["soc2-cc8.1-authorised"].result is Result.PASS
    assert answers["iso27001-a5.3"].result is Result.NOT_APPLICABLE


HOTFIX = told(
    EventKind.RELEASE_REGISTERED,
    20,
    actor=ANA,
    role="Commander",
    after={"version": "2"},
    evidence={"change_freeze": "change freeze 'Year end'"},
)


def test_a_hotfix_in_a_freeze_without_a_review_of_its_own_fails() -> None:
    def said(*events: ChangeEvent) -> Judged:
        return judge([*STORY, *events])["soc2-cc8.1-emergencies"]

    assert said(HOTFIX).result is Result.FAIL
    assert said(HOTFIX, due(21, days=5, by=ANA)).result is Result.FAIL, "that of another deed"
    assert said(HOTFIX, due(21, days=5, by=ANA, about=HOTFIX.id)).result is Result.PASS
    by_pipeline = msgspec.structs.replace(HOTFIX, role="Deployer")
    assert said(by_pipeline).result is not Result.FAIL
