"""A person's request: it answers the rules that look for a cause, and none that keeps safe."""

from datetime import timedelta

import pytest

from shared.domain.catalog import Mode
from shared.domain.decisions.case import Case
from shared.domain.decisions.control import Controls
from shared.domain.decisions.decide import decide
from shared.domain.decisions.decision import Verdict
from shared.domain.decisions.rules import ANSWERED_BY_REQUEST, BY_NAME
from shared.domain.diagnosis.diagnosis import Cause, Health
from shared.domain.incidents.requests import REQUEST_LASTS, RollbackRequest
from tests.fakes.callers import ALICE
from tests.shared.domain.decisions.worked_case import (
    CASE,
    DIAGNOSIS,
    GOOD_PROBE,
    INCIDENT,
    KILL_SWITCH,
    LIVE,
    NOW,
    RECORD,
    ROLLBACK,
    SERVICE,
    SNAPSHOT,
    alter,
    with_cause,
)

ASKED = RollbackRequest(by=ALICE, role="Responder", reason="customers call", at=NOW)
HOTFIX = alter(LIVE, version="1.5.1", deployment="old")


def asked(case: Case = CASE, **changes: object) -> Case:
    """The same case, and a person asks for a rollback."""
    return alter(case, incident=alter(INCIDENT, request=alter(ASKED, **changes)))


def hotfix(**changes: object) -> Case:
    """A person asks for a version that was registered a moment ago."""
    probe = alter(GOOD_PROBE, deployment="old", answered_by={"old": 20})
    deployments = (*SNAPSHOT.deployments[:2], alter(SNAPSHOT.deployments[2], instances=2))
    case = asked(
        alter(
            CASE,
            chosen=HOTFIX,
            target_probe=probe,
            snapshot=alter(SNAPSHOT, deployments=deployments),
        ),
        to="1.5.1",
    )
    return alter(case, **changes)


@pytest.mark.parametrize(
    "case",
    [
        alter(CASE, diagnosis=None),
        alter(CASE, diagnosis=alter(DIAGNOSIS, health=Health.HEALTHY, requests=0, burns=())),
        alter(CASE, diagnosis=alter(DIAGNOSIS, health=Health.INCONCLUSIVE)),
        with_cause(Cause.INDEX, dependency="policy-wordings"),
    ],
)
def test_a_request_takes_the_place_of_a_cause(case: Case) -> None:
    assert decide(case).verdict is not Verdict.ROLL_BACK
    decision = decide(asked(case))
    assert decision.verdict is Verdict.ROLL_BACK, decision.reason
    assert decision.plan is not None
    assert (decision.plan.bad, decision.plan.good) == ("v2", "v1")
    by_request = [rule for rule in decision.rules if "asked for by" in rule.evidence]
    assert by_request
    assert {rule.rule for rule in by_request} <= ANSWERED_BY_REQUEST
    assert all("customers call" in rule.evidence for rule in by_request)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"controls": Controls(kill_switches=(KILL_SWITCH,))}, "kill-switch-off"),
        ({"controls": Controls(known=False)}, "controls-known"),
        ({"snapshot": None}, "endpoint-readable"),
        ({"snapshot": alter(SNAPSHOT, state="Updating")}, "endpoint-idle"),
        ({"snapshot": alter(SNAPSHOT, traffic={"v1": 100})}, "not-already-good"),
        ({"target_probe": None}, "target-probe-known"),
        ({"target_probe": alter(GOOD_PROBE, passed=3)}, "target-probe-passes"),
        ({"record": alter(RECORD, known_good=None)}, "known-good-exists"),
        ({"record": alter(RECORD, rollbacks=(ROLLBACK,))}, "cooldown"),
        ({"service": alter(SERVICE, mode=Mode.OBSERVE)}, "mode-lets-act"),
        ({"service": None}, "service-file-in-order"),
    ],
)
def test_a_request_answers_no_rule_that_keeps_the_endpoint_safe(
    changes: dict[str, object], rule: str
) -> None:
    decision = decide(asked(alter(CASE, **changes)))
    assert (decision.failed_rule, decision.verdict) == (rule, BY_NAME[rule].otherwise)


@pytest.mark.parametrize("mode", [Mode.RECOMMEND, Mode.APPROVE])
def test_where_automation_may_not_act_another_person_approves(mode: Mode) -> None:
    decision = decide(asked(alter(CASE, service=alter(SERVICE, mode=mode))))
    assert decision.verdict is Verdict.NEEDS_APPROVAL


def test_an_old_request_is_none() -> None:
    old = asked(alter(CASE, diagnosis=None), at=NOW - REQUEST_LASTS - timedelta(seconds=1))
    assert decide(old).verdict is Verdict.INCONCLUSIVE


def test_a_hotfix_always_needs_a_second_person() -> None:
    decision = decide(hotfix())
    assert decision.verdict is Verdict.NEEDS_APPROVAL, decision.reason
    assert decision.failed_rule == "unmoved-since-earned"
    assert decision.plan is not None
    assert (decision.plan.good, decision.plan.after) == ("old", {"old": 100, "v1": 0, "v2": 0})
    assert "1.5.1 has not earned any trust yet" in decision.reason


def test_a_hotfix_needs_no_known_good() -> None:
    decision = decide(hotfix(record=alter(RECORD, known_good=None)))
    assert decision.verdict is Verdict.NEEDS_APPROVAL, decision.reason


def test_a_hotfix_that_is_not_registered_is_refused() -> None:
    decision = decide(hotfix(chosen=None))
    assert (decision.verdict, decision.failed_rule) == (Verdict.REFUSE, "known-good-exists")


def test_asking_for_the_known_goods_own_version_is_a_rollback() -> None:
    decision = decide(asked(to="1.4.0"))
    assert decision.verdict is Verdict.ROLL_BACK, decision.reason


def test_a_deployment_that_was_left_may_be_gone_to_once_it_ships_something_else() -> None:
    left = alter(ROLLBACK, at=NOW - timedelta(hours=2), away_from="old")
    lately = alter(HOTFIX, registered_at=NOW - timedelta(hours=1))
    with_past = {"record": alter(RECORD, rollbacks=(left,))}
    assert decide(hotfix(**with_past)).failed_rule == "no-ping-pong"
    assert decide(hotfix(**with_past, chosen=lately)).verdict is Verdict.NEEDS_APPROVAL
