"""What the incident's page says, from one well-known situation with one thing changed at a time."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.domain.catalog import Mode
from shared.domain.decisions.decision import RuleResult, Verdict
from shared.domain.decisions.intent import Intent, IntentState
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import Note, Page, State
from shared.domain.views.chart import Tone
from shared.domain.views.incident_page import Dossier, Split, present
from shared.domain.wording import plain
from tests.shared.domain.incidents.situations import (
    DECISION,
    DIAGNOSIS,
    ENDPOINT,
    INCIDENT,
    NOW,
    PLAN,
    SERVICE,
)

DOSSIER = Dossier(incident=INCIDENT, service=SERVICE, diagnosis=DIAGNOSIS, decision=DECISION)
HASH = "8c0f2a4417be99d18c0f2a4417be99d1"


def rule(name: str, *, passed: bool = True, observed: str = "so") -> RuleResult:
    return RuleResult(rule=name, passed=passed, observed=observed, required="so")


def test_it_says_what_customers_feel_and_what_backstop_did() -> None:
    page = present(DOSSIER, NOW)
    assert "412 of 890" in page.feeling
    assert "asks for approval" in page.deed
    assert "left of 15 min" in page.rto
    assert page.command == "nobody yet; acknowledge to take it"


def test_as_long_as_nothing_is_known_it_says_so() -> None:
    page = present(Dossier(incident=INCIDENT), NOW)
    assert page.found is None
    assert page.judged is None
    assert page.splits == ()
    assert "not measured yet" in page.feeling


@pytest.mark.parametrize(
    ("state", "tone"),
    [
        (State.OPENED, Tone.BAD),
        (State.ACTING, Tone.PLAIN),
        (State.VERIFYING, Tone.PLAIN),
        (State.ESCALATED, Tone.BAD),
        (State.MITIGATED, Tone.GOOD),
    ],
)
def test_the_state_has_its_tone(state: State, tone: Tone) -> None:
    changed = replace(DOSSIER, incident=replace(INCIDENT, state=state))
    assert present(changed, NOW).tone is tone


def test_a_missed_objective_is_bad_and_a_met_one_good() -> None:
    late = present(DOSSIER, NOW + timedelta(hours=1))
    recovered = replace(INCIDENT, recovered_at=NOW)
    met = present(replace(DOSSIER, incident=recovered), NOW)
    assert (late.rto_tone, met.rto_tone) == (Tone.BAD, Tone.GOOD)


def test_the_rules_that_failed_are_shown_first_with_those_that_count_most() -> None:
    rules = (rule("endpoint-idle"), rule("cause-is-version"), rule("cooldown", passed=False))
    judged = present(replace(DOSSIER, decision=replace(DECISION, rules=rules)), NOW).judged
    assert judged is not None
    assert [r.rule for r in judged.key_rules] == ["cause-is-version", "cooldown"]
    assert (judged.passed, len(judged.rules)) == (2, 3)


HELD = replace(
    DOSSIER,
    incident=replace(INCIDENT, state=State.HELD),
    decision=replace(
        DECISION,
        verdict=Verdict.HOLD,
        mode=Mode.OBSERVE,
        rules=(rule("mode-lets-act", passed=False), rule("mode-automatic", passed=False)),
    ),
)


def in_mode(mode: Mode) -> Dossier:
    return replace(HELD, service=replace(SERVICE, mode=mode))


@pytest.mark.parametrize("mode", [Mode.APPROVE, Mode.AUTOMATIC])
def test_a_mode_that_was_raised_since_says_what_a_person_does_now(mode: Mode) -> None:
    said = present(in_mode(mode), NOW).raised
    assert said.startswith(f"The mode was raised to {mode} since. Nothing moves by that alone")


@pytest.mark.parametrize(
    "dossier",
    [
        in_mode(Mode.OBSERVE),
        in_mode(Mode.RECOMMEND),
        replace(HELD, incident=replace(INCIDENT, state=State.RESOLVED)),
        replace(HELD, decision=replace(DECISION, rules=(rule("cooldown", passed=False),))),
        replace(HELD, decision=None),
        replace(HELD, service=None),
    ],
    ids=["as it was", "no more than told", "over", "held by another rule", "undecided", "unowned"],
)
def test_where_no_raised_mode_would_change_anything_nothing_is_said(dossier: Dossier) -> None:
    assert present(dossier, NOW).raised == ""


def test_rules_name_things_as_people_do() -> None:
    rules = (rule("endpoint-readable", observed=ENDPOINT),)
    judged = present(replace(DOSSIER, decision=replace(DECISION, rules=rules)), NOW).judged
    assert judged is not None
    assert judged.rules[0].observed == "fnol-summary"


def test_only_a_rollback_is_a_good_verdict() -> None:
    tones = set()
    for verdict in Verdict:
        judged = present(replace(DOSSIER, decision=replace(DECISION, verdict=verdict)), NOW).judged
        assert judged is not None
        tones.add((verdict is Verdict.ROLL_BACK, judged.tone))
    assert tones == {(True, Tone.GOOD), (False, Tone.BAD)}


def test_a_plan_shows_where_the_traffic_would_go() -> None:
    before, after = present(DOSSIER, NOW).splits
    assert before == Split(label="Before", shares=(("v2", 100),))
    assert after == Split(label="If approved", shares=(("v1", 100),))


def test_what_was_moved_is_shown_as_it_was_read_back() -> None:
    moved = replace(INCIDENT, before={"v1": 10, "v2": 90}, after={"v1": 100, "v2": 0})
    before, after = present(replace(DOSSIER, incident=moved), NOW).splits
    assert before.shares == (("v2", 90), ("v1", 10))
    assert after == Split(label="After", shares=(("v1", 100),))


def test_that_nothing_was_moved_is_said_beside_the_reason() -> None:
    held = replace(INCIDENT, sentence="The kill switch is on.")
    hold = replace(DECISION, verdict=Verdict.HOLD)
    page = present(replace(DOSSIER, incident=held, decision=hold), NOW)
    assert page.deed == "Moved nothing. The kill switch is on."


def test_a_move_that_is_not_confirmed_is_not_claimed() -> None:
    stuck = replace(INCIDENT, state=State.ESCALATED, sentence="could not finish")
    intent = Intent(plan=PLAN, fence=1, opened_at=NOW, state=IntentState.ESCALATED)
    page = present(replace(DOSSIER, incident=stuck, intent=intent), NOW)
    assert page.deed == "could not finish"


def test_bad_findings_are_loud_and_good_ones_quiet() -> None:
    found = present(DOSSIER, NOW).found
    assert found is not None
    assert [line.label for line in found.findings] == ["bad"]
    assert [line.label for line in found.quiet] == ["good"]
    assert found.affected == 412


def test_without_a_version_nobody_is_said_to_be_affected() -> None:
    unnamed = replace(DIAGNOSIS, served_version="")
    found = present(replace(DOSSIER, diagnosis=unnamed), NOW).found
    assert found is not None
    assert found.affected is None


def test_the_timeline_is_newest_first_and_cleaned() -> None:
    opened = event(EventKind.INCIDENT_OPENED, "opened")
    moved = event(EventKind.INTENT_CONFIRMED, f"moved the traffic {HASH}")
    lines = present(replace(DOSSIER, timeline=(opened, moved)), NOW).timeline
    assert [line.tone for line in lines] == [Tone.GOOD, Tone.BAD]
    assert lines[0].text == plain(f"moved the traffic {HASH}")
    assert HASH not in lines[0].text


def test_pages_say_whether_somebody_answered() -> None:
    pages = (
        Page(contact="Dana Reyes", at=NOW, reason="opened", acknowledged_at=NOW),
        Page(contact="Sam Holt", at=NOW, reason="nobody answered"),
    )
    shown = present(replace(DOSSIER, incident=replace(INCIDENT, pages=pages)), NOW).pages
    assert [line.label for line in shown] == ["answered", "waiting"]
    over = replace(INCIDENT, pages=pages, state=State.RESOLVED)
    shown = present(replace(DOSSIER, incident=over), NOW).pages
    assert [line.label for line in shown] == ["answered", "not answered"]


@pytest.mark.parametrize("state", [State.ESCALATED, State.RESOLVED])
def test_a_page_that_the_pager_refused_says_so_and_whom_it_did_not_reach(state: State) -> None:
    refused = Page(contact="Dana Reyes", at=NOW, reason="opened", refused=True)
    answered = Page(contact="Sam Holt", at=NOW, reason="opened", acknowledged_at=NOW)
    incident = replace(INCIDENT, pages=(refused, answered), state=state)
    first, second = present(replace(DOSSIER, incident=incident), NOW).pages
    assert (first.text, first.label, first.tone) == (
        "Dana Reyes",
        "refused by the pager",
        Tone.BAD,
    )
    assert second.label == "answered"


def test_notes_are_kept_as_they_were_written() -> None:
    note = Note(author="Dana", at=NOW, text="first line\n  second | where x")
    shown = present(replace(DOSSIER, incident=replace(INCIDENT, notes=(note,))), NOW).notes
    assert shown[0].text == note.text


def test_an_incident_that_no_service_owns_can_be_shown() -> None:
    page = present(Dossier(incident=replace(INCIDENT, service="")), NOW)
    assert page.runbook == ""
    assert page.rto == "no RTO: no service owns this"


def event(kind: EventKind, what: str) -> ChangeEvent:
    return ChangeEvent(
        id=f"{INCIDENT.id}-{kind}",
        kind=kind,
        service=SERVICE.name,
        actor="backstop",
        what=what,
        why="because",
        happened_at=NOW,
        recorded_at=NOW,
    )
