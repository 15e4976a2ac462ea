"""Every rule: a valid case, one thing changed, one rule that fails first with its verdict."""

import re
from datetime import UTC, timedelta

import pytest

from shared.domain.catalog import CatalogMistake, Mode, RollbackPolicy, Target, TargetKind
from shared.domain.decisions import rules
from shared.domain.decisions.case import Case
from shared.domain.decisions.control import Controls
from shared.domain.decisions.decide import decide
from shared.domain.decisions.decision import Decision, Verdict
from shared.domain.decisions.rules import RULES
from shared.domain.diagnosis.diagnosis import Attribution, Cause, Ground, Health
from shared.domain.incidents.incident import State
from shared.domain.noise.quiet import Quiet, QuietRule
from shared.domain.slos.slo import BudgetAction
from tests.shared.domain.decisions.worked_case import (
    BAD_PROBE,
    BLAMED_FAILS,
    BLAMED_PASSES,
    BURN,
    CASE,
    DIAGNOSIS,
    FROZEN,
    GOOD_PROBE,
    GOOD_RELEASE,
    KILL_SWITCH,
    LIVE,
    RECORD,
    ROLLBACK,
    SNAPSHOT,
    TARGET,
    ago,
    alter,
    with_cause,
    with_diagnosis,
    with_good_deployment,
    with_good_release,
    with_incident,
    with_known_good,
    with_policy,
    with_rollbacks,
    with_service,
    with_snapshot,
    with_target_probe,
    with_windows,
)
from tests.shared.domain.slos.states import asking_for

MISTAKE = CatalogMistake(file="fnol.yaml", line=7, field="spec.rto", problem="not a duration")
OTHER_TARGET = Target(kind=TargetKind.ONLINE_ENDPOINT, id=TARGET + "-2")
AGENT = Target(kind=TargetKind.AGENT, id=TARGET)
QUIET = Quiet(rule=QuietRule.STORM, sentence="a storm rages.")
UNBURNT = with_diagnosis(burns=())
OVER = alter(
    asking_for(BudgetAction.APPROVE),
    crossed=(alter(asking_for(BudgetAction.APPROVE).crossed[0], ended_at=ago(1)),),
)
BY_SIGNAL = alter(UNBURNT, incident=alter(UNBURNT.incident, signals_only=True))
POINTER = Target(kind=TargetKind.ONLINE_ENDPOINT, id=TARGET, capabilities=("pointer",))

REFUSED = {
    "service-file-in-order": [
        alter(CASE, catalog_mistakes=(MISTAKE,)),
        alter(CASE, service=None),
    ],
    "supported-target": [
        with_service(targets=(AGENT,)),
        with_service(targets=(OTHER_TARGET,)),
        with_service(targets=(POINTER,)),
    ],
    "controls-known": [alter(CASE, controls=Controls(known=False))],
    "known-good-exists": [alter(CASE, record=alter(RECORD, known_good=None))],
    "known-good-deployed": [with_known_good(deployment="v0")],
    "known-good-healthy": [
        with_good_deployment(state="Failed"),
        with_good_deployment(state="Updating"),
        with_good_deployment(instances=0),
    ],
    "target-probe-passes": [
        with_target_probe(passed=18, answered_by={"v1": 20}),
        with_target_probe(passed=0, answered_by={}),
    ],
}
HELD = {
    "incident-open": [with_incident(state=State.RESOLVED)],
    "still-breached": [with_diagnosis(health=Health.HEALTHY)],
    "kill-switch-off": [
        alter(CASE, controls=Controls(kill_switches=(KILL_SWITCH,))),
        alter(CASE, controls=Controls(kill_switches=(alter(KILL_SWITCH, scope="fnol-summary"),))),
    ],
    "endpoint-idle": [with_snapshot(state="Updating")],
    "not-already-good": [with_snapshot(traffic={"v1": 100, "v2": 0})],
    "cause-is-version": [
        with_cause(cause, dependency="policy-search") for cause in Cause if cause != Cause.VERSION
    ],
    "blamed-version-serves": [
        with_cause(Cause.VERSION, version="v1"),
        with_cause(Cause.VERSION, version="old"),
        with_cause(Cause.VERSION),
    ],
    "burn-rate-or-failed-probe": [
        with_windows(m5=(400, 200, 50.0), h1=(4000, 120, 3.0)),
        with_windows(m5=(400, 12, 3.0), h1=(4000, 2000, 50.0)),
        with_windows(m5=(49, 49, 100.0), h1=(4000, 2000, 50.0)),
        with_windows(m5=(0, 0, None), h1=(4000, 2000, 50.0)),
        with_windows(m5=(400, 200, 50.0)),
        alter(UNBURNT, live_probe=None),
        alter(UNBURNT, live_probe=alter(BAD_PROBE, passed=19)),
        alter(UNBURNT, live_probe=alter(BAD_PROBE, sent=5, passed=4)),
        alter(UNBURNT, live_probe=alter(BAD_PROBE, sent=4, passed=0)),
        alter(UNBURNT, live_probe=alter(BAD_PROBE, sent=100, passed=95)),
    ],
    "nothing-keeps-quiet": [alter(CASE, quiets=(QUIET,))],
    "cooldown": [with_rollbacks(alter(ROLLBACK, at=ago(899)))],
    "rate-limit": [
        with_rollbacks(alter(ROLLBACK, at=ago(3599)), alter(ROLLBACK, at=ago(1000))),
    ],
    "one-automatic-rollback-an-incident": [with_incident(automatic_rollbacks=1)],
    "no-ping-pong": [
        with_rollbacks(alter(ROLLBACK, at=ago(7200), away_from="v1")),
        with_rollbacks(alter(ROLLBACK, at=ago(86_400), away_from="V1")),
    ],
    "mode-lets-act": [with_service(mode=Mode.OBSERVE), with_service(mode=Mode.RECOMMEND)],
}
UNSURE = {
    "diagnosis-conclusive": [
        alter(CASE, diagnosis=None),
        with_diagnosis(health=Health.INCONCLUSIVE),
        with_diagnosis(incident="INC-07-261123-00000000"),
    ],
    "diagnosis-fresh": [with_diagnosis(made_at=ago(1201))],
    "endpoint-readable": [
        alter(CASE, snapshot=None),
        with_snapshot(target=TARGET + "-2"),
    ],
    "target-probe-known": [
        alter(CASE, target_probe=None),
        with_target_probe(sent=19, passed=19),
        with_target_probe(sent=0, passed=0),
        with_target_probe(deployment=None),
        with_target_probe(deployment="v2"),
        with_target_probe(region="westeurope"),
        with_target_probe(region=None),
        with_target_probe(answered_by={"v1": 19, "v2": 1}),
        with_target_probe(answered_by={}),
    ],
    "minimum-traffic": [with_diagnosis(requests=49)],
}
ASKED = {
    "unmoved-since-earned": [
        with_good_release(index_version="i4"),
        with_good_release(prompt_revision="p8"),
        with_good_release(flags_version="f2"),
        with_good_release(version="1.4.1"),
        alter(CASE, live=alter(LIVE, index_version="i4")),
        alter(CASE, good_release=None),
    ],
    "capacity-enough": [with_good_deployment(instances=1), with_known_good(instances=3)],
    "no-freeze": [alter(CASE, frozen=FROZEN)],
    "budget-lets": [alter(CASE, controls=Controls(budgets=(asking_for(BudgetAction.APPROVE),)))],
    "no-customer-impact": [with_service(customer_impact=True)],
    "no-compliance-tag": [with_service(compliance=("dora",))],
    "second-source": [
        BY_SIGNAL,
        alter(BY_SIGNAL, blamed_probe=BLAMED_PASSES),
        alter(BY_SIGNAL, blamed_probe=alter(BLAMED_FAILS, deployment="v1")),
        alter(BY_SIGNAL, blamed_probe=alter(BLAMED_FAILS, answered_by={"v1": 20})),
        alter(BY_SIGNAL, blamed_probe=alter(BLAMED_FAILS, sent=4)),
        alter(BY_SIGNAL, blamed_probe=alter(BLAMED_FAILS, passed=19)),
    ],
    "confidence-enough": [
        with_diagnosis(attribution=alter(DIAGNOSIS.attribution, grounds=(Ground.ONSET,))),
        with_diagnosis(attribution=alter(DIAGNOSIS.attribution, grounds=(Ground.CONTRAST,))),
        with_diagnosis(unanswered=("index_age: timed out",)),
    ],
    "mode-automatic": [with_service(mode=Mode.APPROVE)],
}
EXPECTED = {
    Verdict.REFUSE: REFUSED,
    Verdict.HOLD: HELD,
    Verdict.INCONCLUSIVE: UNSURE,
    Verdict.NEEDS_APPROVAL: ASKED,
}
CHANGED = [
    pytest.param(verdict, rule, case, id=f"{rule}-{number}")
    for verdict, by_rule in EXPECTED.items()
    for rule, cases in by_rule.items()
    for number, case in enumerate(cases)
]
PASSING = {
    "a signal, and the logs": alter(BY_SIGNAL, diagnosis=DIAGNOSIS),
    "a signal, and the blamed version fails": alter(BY_SIGNAL, blamed_probe=BLAMED_FAILS),
    "a signal, the blamed version fails, no live probe does": alter(
        BY_SIGNAL, blamed_probe=BLAMED_FAILS, live_probe=None
    ),
    "a kill switch for another service": alter(
        CASE, controls=Controls(kill_switches=(alter(KILL_SWITCH, scope="other"),))
    ),
    "a kill switch that has expired": alter(
        CASE, controls=Controls(kill_switches=(alter(KILL_SWITCH, expires_at=ago(0)),))
    ),
    "a kill switch that is off": alter(
        CASE, controls=Controls(kill_switches=(alter(KILL_SWITCH, on=False),))
    ),
    "what holds pages back, but not automation": alter(
        CASE, quiets=(alter(QUIET, automation=False),)
    ),
    "exactly the cooldown": with_rollbacks(alter(ROLLBACK, at=ago(900))),
    "two rollbacks, one over an hour ago": with_rollbacks(
        alter(ROLLBACK, at=ago(3600)), alter(ROLLBACK, at=ago(1000))
    ),
    "trust earned anew after it was left": with_rollbacks(
        alter(ROLLBACK, at=ago(86_401), away_from="v1")
    ),
    "just enough traffic": with_diagnosis(requests=50),
    "just enough probes passed": with_target_probe(passed=19),
    "just enough burn": with_windows(m5=(50, 2, 4.0), h1=(50, 2, 4.0)),
    "no burn, but live probes fail": UNBURNT,
    "no burn, but two of five live probes fail": alter(
        UNBURNT, live_probe=alter(BAD_PROBE, sent=5, passed=3)
    ),
    "one objective of two burns": with_diagnosis(burns=(alter(BURN, windows={}), BURN)),
    "a diagnosis that is just fresh": with_diagnosis(made_at=ago(1200)),
    "a probe anywhere, as all regions are hit": alter(
        CASE,
        diagnosis=alter(DIAGNOSIS, affected="", regions_hit=("a", "b")),
        target_probe=alter(GOOD_PROBE, region=None),
    ),
    "a failed operation is no operation in flight": with_snapshot(state="Failed"),
    "the known good takes no traffic yet": with_snapshot(traffic={"v2": 100}),
    "the release is blamed by its version": with_cause(Cause.VERSION, version="1.5.0"),
    "a freeze that policy does not ask about": alter(
        with_policy(approve_when=("index-moved",)), frozen=FROZEN
    ),
    "a budget that asks for other things, or is another service's": alter(
        CASE,
        controls=Controls(
            budgets=(
                asking_for(BudgetAction.FREEZE),
                asking_for(BudgetAction.APPROVE, service="another"),
                OVER,
            )
        ),
    ),
    "customers whom policy does not ask about": with_service(
        customer_impact=True, policy=RollbackPolicy(approve_when=("freeze",))
    ),
    "a law that policy does not ask about": with_service(
        compliance=("dora",), policy=RollbackPolicy(approve_when=("freeze",))
    ),
    "a doubt that policy does not ask about": alter(
        with_policy(approve_when=("freeze",)), diagnosis=alter(DIAGNOSIS, unanswered=("x",))
    ),
    "instances that scale by themselves": with_good_deployment(instances=None),
    "a known good whose instances were not known": with_known_good(instances=None),
    "an idle deployment is larger": with_snapshot(
        deployments=(*SNAPSHOT.deployments[:2], alter(SNAPSHOT.deployments[2], instances=9))
    ),
    "a target without stated capabilities": with_service(
        targets=(Target(kind=TargetKind.ONLINE_ENDPOINT, id=TARGET),)
    ),
    "the index moved, and policy does not mind": alter(
        with_policy(approve_when=()), live=alter(LIVE, index_version="i4")
    ),
    "the live release does not say its index": alter(CASE, live=alter(LIVE, index_version="")),
    "short capacity, and policy does not mind": alter(
        with_policy(approve_when=()), snapshot=with_good_deployment(instances=1).snapshot
    ),
}


def first_failed(decision: Decision) -> str:
    return next((result.rule for result in decision.rules if not result.passed), "")


def test_the_valid_case_passes_every_rule() -> None:
    decision = decide(CASE)
    assert [result.rule for result in decision.rules if not result.passed] == []
    assert decision.verdict is Verdict.ROLL_BACK


@pytest.mark.parametrize(("verdict", "rule", "case"), CHANGED)
def test_one_thing_changed_fails_one_rule_first(verdict: Verdict, rule: str, case: Case) -> None:
    decision = decide(case)
    assert (first_failed(decision), decision.verdict) == (rule, verdict)


@pytest.mark.parametrize("case", PASSING.values(), ids=PASSING.keys())
def test_what_does_not_stand_against_it(case: Case) -> None:
    assert first_failed(decide(case)) == ""


def test_every_rule_has_a_case_that_fails_it() -> None:
    tested = {rule for by_rule in EXPECTED.values() for rule in by_rule}
    assert {rule.name for rule in RULES} == tested


def test_the_docstring_is_the_ordered_list_of_rules() -> None:
    listed = re.findall(r"^ ?(\d+)\. ([a-z-]+): (\w+)$", rules.__doc__ or "", re.MULTILINE)
    table = [(str(n), rule.name, rule.otherwise.value) for n, rule in enumerate(RULES, 1)]
    assert listed == table


@pytest.mark.parametrize(("verdict", "rule", "case"), CHANGED)
def test_a_failed_rule_says_what_it_saw_in_a_sentence(
    verdict: Verdict, rule: str, case: Case
) -> None:
    decision = decide(case)
    result = next(result for result in decision.rules if result.rule == rule)
    assert result.observed
    assert result.required
    assert re.fullmatch(r"[A-Z][^{}\n]+\.", decision.reason)


def told(case: Case, rule: str) -> str:
    return next(result.observed for result in decide(case).rules if result.rule == rule)


def test_rules_say_what_they_saw() -> None:
    no_service, no_diagnosis = alter(CASE, service=None), alter(CASE, diagnosis=None)
    assert told(no_service, "service-file-in-order") == "no service owns the target"
    assert told(no_diagnosis, "diagnosis-conclusive") == "no diagnosis"
    assert told(CASE, "diagnosis-conclusive") == "breached"
    assert told(CASE, "unmoved-since-earned") == "unmoved"
    assert told(CASE, "capacity-enough") == "enough"
    assert told(with_good_deployment(instances=1), "capacity-enough") == "v1 has 1 of 2 instances"


def test_a_dependency_is_named() -> None:
    held = decide(with_cause(Cause.DEPENDENCY, dependency="policy-search"))
    assert held.reason == "Moving traffic cannot cure the cause: dependency policy-search."


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (CASE, "All 35 rules passed: traffic goes back from v2 to v1."),
        (
            with_service(mode=Mode.OBSERVE),
            "Traffic would go back from v2 to v1, but the mode is observe.",
        ),
        (
            with_service(mode=Mode.APPROVE),
            "Going back from v2 to v1 needs a person's approval: the mode is approve.",
        ),
        (
            with_good_release(index_version="i4"),
            "Going back from v2 to v1 needs a person's approval: index-moved.",
        ),
    ],
)
def test_the_reason_names_both_versions(case: Case, reason: str) -> None:
    assert decide(case).reason == reason


def test_a_policy_cannot_waive_another_release_in_the_same_deployment() -> None:
    waived = with_policy(approve_when=())
    other = alter(waived, good_release=alter(GOOD_RELEASE, version="1.4.1"))
    unknown = alter(waived, good_release=None)
    assert decide(other).verdict is Verdict.NEEDS_APPROVAL
    assert decide(unknown).verdict is Verdict.NEEDS_APPROVAL


def test_the_worst_burn_is_the_one_that_is_told() -> None:
    mild = alter(BURN, value="v1", windows={"5m": (400, 20, 5.0), "1h": (400, 20, 5.0)})
    decision = decide(with_diagnosis(burns=(mild, BURN)))
    told = next(r for r in decision.rules if r.rule == "burn-rate-or-failed-probe")
    assert "burns 50.0 and 50.0 for deployment=v2" in told.observed


def test_a_failing_live_probe_proves_nothing_where_the_target_fails_too() -> None:
    quiet = alter(DIAGNOSIS, burns=(), attribution=Attribution(cause=Cause.VERSION, version="v2"))
    case = alter(CASE, diagnosis=quiet, target_probe=alter(GOOD_PROBE, passed=10))
    told = {result.rule: result.passed for result in decide(case).rules}
    assert told["burn-rate-or-failed-probe"] is False


@pytest.mark.parametrize(
    ("cause", "said"),
    [(Cause.REGION, "; the cause is region swedencentral."), (Cause.UNKNOWN, "v1 100 %, v2 0 %.")],
)
def test_where_the_known_good_serves_already_what_is_at_fault_is_named(
    cause: Cause, said: str
) -> None:
    found = alter(DIAGNOSIS, attribution=Attribution(cause=cause, dependency="swedencentral"))
    case = alter(with_snapshot(traffic={"v1": 100, "v2": 0}), diagnosis=found)
    assert decide(case).reason.endswith(said)


def test_too_soon_says_from_when_it_would_be_late_enough() -> None:
    again = with_rollbacks(alter(ROLLBACK, at=ago(600)))
    until = (CASE.now + timedelta(seconds=300)).astimezone(UTC)
    assert f"at least 900 s (until {until:%H:%M:%S} UTC) are required" in decide(again).reason
