"""The emergency: owners approved it before, for so severe an incident that burns so fast."""

from datetime import timedelta

import pytest

from shared.domain.catalog import Emergency, Mode
from shared.domain.decisions.case import Case
from shared.domain.decisions.decide import decide
from shared.domain.decisions.decision import Authority, Decision, Verdict
from shared.domain.incidents.incident import Severity
from shared.domain.incidents.requests import RollbackRequest
from tests.shared.domain.decisions.worked_case import (
    BURN,
    CASE,
    DIAGNOSIS,
    FROZEN,
    GOOD_RELEASE,
    INCIDENT,
    NOW,
    POLICY,
    SERVICE,
    alter,
)

CRITERIA = Emergency(severity=Severity.SEV1, burn_rate=10)
DOUBTS = ("no-freeze", "no-customer-impact", "no-compliance-tag", "confidence-enough")


def burning(rate: float) -> Case:
    """The worked case in every trouble that needs a person, and so fast a burn in both windows."""
    windows: dict[str, tuple[int, int, float | None]] = {
        "5m": (400, 200, rate),
        "1h": (400, 200, rate + 1),
    }
    found = alter(DIAGNOSIS, burns=(alter(BURN, windows=windows),), unanswered=("index_age: out",))
    service = alter(
        SERVICE,
        mode=Mode.APPROVE,
        policy=alter(POLICY, emergency=CRITERIA),
        customer_impact=True,
        compliance=("dora",),
    )
    return alter(CASE, service=service, diagnosis=found, frozen=FROZEN)


def evidence(decision: Decision, rule: str) -> str:
    return next(result.evidence for result in decision.rules if result.rule == rule)


def test_where_the_criteria_hold_every_rule_that_asks_for_a_person_passes_by_them() -> None:
    decision = decide(burning(14))
    waived = "waived: SEV1 and burn 14x >= 10x"
    assert (decision.verdict, decision.authority) == (Verdict.ROLL_BACK, Authority.EMERGENCY)
    assert decision.waived == waived
    assert [evidence(decision, rule) for rule in (*DOUBTS, "mode-automatic")] == [waived] * 5
    assert decision.reason == f"Approval {waived}: traffic goes back from v2 to v1."


@pytest.mark.parametrize(
    ("severity", "burn", "verdict"),
    [
        (Severity.SEV0, 10.0, Verdict.ROLL_BACK),
        (Severity.SEV1, 10.0, Verdict.ROLL_BACK),
        (Severity.SEV1, 9.9, Verdict.NEEDS_APPROVAL),
        (Severity.SEV2, 99.0, Verdict.NEEDS_APPROVAL),
    ],
)
def test_both_criteria_must_hold(severity: Severity, burn: float, verdict: Verdict) -> None:
    decision = decide(alter(burning(burn), incident=alter(INCIDENT, severity=severity)))
    assert decision.verdict is verdict
    assert (decision.waived == "") is (verdict is Verdict.NEEDS_APPROVAL)


def test_a_policy_without_criteria_waives_nothing() -> None:
    case = burning(99)
    assert case.service is not None
    without = alter(case, service=alter(case.service, policy=POLICY))
    assert decide(without).verdict is Verdict.NEEDS_APPROVAL


@pytest.mark.parametrize("release", [None, alter(GOOD_RELEASE, version="1.3.9")])
def test_a_known_good_that_is_not_what_was_proven_is_a_persons_even_then(
    release: object,
) -> None:
    decision = decide(alter(burning(99), good_release=release))
    assert decision.verdict is Verdict.NEEDS_APPROVAL
    assert decision.failed_rule == "unmoved-since-earned"


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.RECOMMEND])
def test_what_is_only_watched_is_only_watched_in_an_emergency_too(mode: Mode) -> None:
    case = burning(99)
    assert case.service is not None
    decision = decide(alter(case, service=alter(case.service, mode=mode)))
    assert (decision.verdict, decision.would_be) == (Verdict.HOLD, Verdict.ROLL_BACK)


def test_nothing_is_waived_where_nothing_had_to_be() -> None:
    service = alter(SERVICE, policy=alter(POLICY, emergency=CRITERIA))
    decision = decide(alter(CASE, service=service))
    assert (decision.authority, decision.waived) == (Authority.EMERGENCY, "")
    assert decision.reason == "All 35 rules passed: traffic goes back from v2 to v1."


def test_what_a_person_asks_for_a_second_person_decides() -> None:
    asked = RollbackRequest(
        to="",
        by="t/ada",
        role="Responder",
        reason="it hurts",
        at=NOW - timedelta(seconds=10),
    )
    case = alter(burning(99), incident=alter(INCIDENT, request=asked))
    assert case.request is not None
    assert decide(case).verdict is Verdict.NEEDS_APPROVAL
