"""An approval holds for one plan, for a while; by it `decide` lets the rules pass that asked."""

from datetime import timedelta

import pytest

from shared.domain.approvals.form_token import is_token, make_token
from shared.domain.catalog import Mode
from shared.domain.decisions.control import Controls
from shared.domain.decisions.decide import decide
from shared.domain.decisions.decision import Verdict
from tests.shared.domain.approvals.waiting import (
    ALICE,
    BOB,
    CASE,
    DECISION,
    LATER,
    PLAN,
    REQUEST,
    request,
    ruled,
    waiting,
    with_rulings,
)
from tests.shared.domain.decisions.worked_case import KILL_SWITCH, NOW, SERVICE, SNAPSHOT, alter

APPROVED = with_rulings(waiting(), ruled(waiting(), ALICE))


def test_the_request_says_what_is_asked_and_until_when() -> None:
    assert DECISION.verdict is Verdict.NEEDS_APPROVAL
    assert (REQUEST.plan, REQUEST.rules) == (PLAN, ("mode-automatic",))
    assert REQUEST.expires_at == NOW + timedelta(minutes=15)
    assert REQUEST.id == f"07-{PLAN.hash}"


def test_what_is_approved_is_carried_out() -> None:
    decision = decide(alter(CASE, approval=APPROVED, now=LATER))
    assert (decision.verdict, decision.plan) == (Verdict.ROLL_BACK, PLAN)
    assert decision.reason == "Approved: traffic goes back from v2 to v1."
    rule = next(rule for rule in decision.rules if rule.rule == "mode-automatic")
    assert (rule.passed, rule.observed) == (True, "approve")
    assert rule.evidence.startswith(f"approved by {ALICE.id} as Approver at 2026-11-23T14:06")


@pytest.mark.parametrize(
    "approval",
    [
        waiting(),
        with_rulings(waiting(quorum=2), ruled(waiting(quorum=2), ALICE)),
        with_rulings(waiting(), ruled(waiting(), ALICE, approve=False, reason="no")),
        alter(APPROVED, request=request(nonce="asked again")),
        alter(APPROVED, request=request(plan=alter(PLAN, fingerprint="another state"))),
        alter(APPROVED, request=request(plan=alter(PLAN, incident="INC-07-261123-00000000"))),
    ],
)
def test_nothing_less_is(approval: object) -> None:
    assert decide(alter(CASE, approval=approval, now=LATER)).verdict is Verdict.NEEDS_APPROVAL


def test_an_approval_dies_with_its_request() -> None:
    at_the_end = alter(CASE, approval=APPROVED, now=REQUEST.expires_at)
    assert decide(at_the_end).verdict is Verdict.NEEDS_APPROVAL


def test_another_live_state_needs_another_approval() -> None:
    moved = alter(CASE, approval=APPROVED, snapshot=alter(SNAPSHOT, last_modified="later"))
    decision = decide(moved)
    assert decision.verdict is Verdict.NEEDS_APPROVAL
    assert decision.plan is not None
    assert decision.plan.hash != PLAN.hash


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"controls": Controls(kill_switches=(KILL_SWITCH,))}, Verdict.HOLD),
        ({"controls": Controls(known=False)}, Verdict.REFUSE),
        ({"target_probe": None}, Verdict.INCONCLUSIVE),
        ({"snapshot": alter(SNAPSHOT, state="Updating")}, Verdict.HOLD),
        ({"service": alter(SERVICE, mode=Mode.OBSERVE)}, Verdict.HOLD),
    ],
)
def test_an_approval_answers_no_rule_that_keeps_the_endpoint_safe(
    changes: dict[str, object], verdict: Verdict
) -> None:
    approved = alter(CASE, approval=APPROVED, now=LATER)
    assert decide(alter(approved, **changes)).verdict is verdict


def test_a_forms_token_is_one_persons_for_one_request() -> None:
    token = make_token(REQUEST, ALICE)
    assert is_token(token, REQUEST, ALICE)
    assert not is_token(token, REQUEST, BOB)
    assert not is_token(token, request(nonce="another"), ALICE)
    assert not is_token(token, request(key="another"), ALICE)
    assert not is_token(token, request(plan=alter(PLAN, good="v3")), ALICE)
    assert not is_token(token, request(expires_at=LATER), ALICE)
    assert not is_token("é", REQUEST, ALICE)
    assert not is_token("", REQUEST, ALICE)


def test_without_a_key_no_token_is_valid() -> None:
    keyless = request(key="")
    assert not is_token(make_token(keyless, ALICE), keyless, ALICE)
