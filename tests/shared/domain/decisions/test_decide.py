"""The decision: what the mode makes of the rules, the plan, the hash, and what can never happen."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.catalog import Mode
from shared.domain.decisions.case import Case
from shared.domain.decisions.control import Controls
from shared.domain.decisions.decide import decide
from shared.domain.decisions.decision import Verdict
from shared.domain.decisions.rules import MODE_RULES, RULES
from shared.domain.diagnosis.diagnosis import Attribution, Cause, Health
from shared.domain.incidents.incident import State
from shared.domain.incidents.requests import RollbackRequest
from tests.shared.domain.decisions.worked_case import (
    BAD_PROBE,
    CASE,
    DIAGNOSIS,
    GOOD_PROBE,
    GOOD_RELEASE,
    INCIDENT,
    KILL_SWITCH,
    KNOWN_GOOD,
    LIVE,
    RECORD,
    ROLLBACK,
    SERVICE,
    SNAPSHOT,
    TARGET,
    ago,
    alter,
    with_good_deployment,
    with_good_release,
    with_incident,
    with_known_good,
    with_service,
    with_snapshot,
)

MODES = [
    (Mode.OBSERVE, Verdict.HOLD),
    (Mode.RECOMMEND, Verdict.HOLD),
    (Mode.APPROVE, Verdict.NEEDS_APPROVAL),
    (Mode.AUTOMATIC, Verdict.ROLL_BACK),
]

_BURNS = st.sampled_from([(), DIAGNOSIS.burns])
_CAUSES = st.builds(
    Attribution, cause=st.sampled_from(Cause), version=st.sampled_from(["", "v1", "v2", "old"])
)
_DIAGNOSES = st.none() | st.builds(
    lambda health, burns, attribution, requests, made_at: alter(
        DIAGNOSIS,
        health=health,
        burns=burns,
        attribution=attribution,
        requests=requests,
        made_at=made_at,
    ),
    st.sampled_from(Health),
    _BURNS,
    _CAUSES,
    st.sampled_from([0, 49, 50, 4000]),
    st.sampled_from([ago(10), ago(5000)]),
)
_SNAPSHOTS = st.none() | st.builds(
    lambda traffic, state, good: alter(
        SNAPSHOT, traffic=traffic, state=state, deployments=(good, *SNAPSHOT.deployments[1:])
    ),
    st.sampled_from([{"v1": 80, "v2": 20}, {"v1": 100}, {"v2": 100}, {}]),
    st.sampled_from(["Succeeded", "Updating", "Failed"]),
    st.builds(
        lambda **changes: alter(SNAPSHOT.deployments[0], **changes),
        name=st.sampled_from(["v1", "V1", "v9"]),
        state=st.sampled_from(["Succeeded", "Failed"]),
        instances=st.sampled_from([None, 0, 1, 2]),
    ),
)
_PROBES = st.sampled_from([None, GOOD_PROBE, BAD_PROBE, alter(GOOD_PROBE, passed=3)])
_ROLLBACKS = st.lists(
    st.builds(
        lambda age, left: alter(ROLLBACK, at=ago(age), away_from=left),
        st.integers(0, 90_000),
        st.sampled_from(["v1", "v2"]),
    ),
    max_size=3,
).map(tuple)
CASES = st.builds(
    Case,
    service=st.none() | st.builds(lambda mode: alter(SERVICE, mode=mode), st.sampled_from(Mode)),
    incident=st.builds(
        lambda state, done: alter(INCIDENT, state=state, automatic_rollbacks=done),
        st.sampled_from(State),
        st.integers(0, 1),
    ),
    diagnosis=_DIAGNOSES,
    snapshot=_SNAPSHOTS,
    record=st.builds(
        lambda good, rollbacks: alter(RECORD, known_good=good, rollbacks=rollbacks),
        st.sampled_from([None, KNOWN_GOOD]),
        _ROLLBACKS,
    ),
    live=st.sampled_from([None, LIVE]),
    good_release=st.sampled_from([None, GOOD_RELEASE, alter(GOOD_RELEASE, index_version="i9")]),
    target_probe=_PROBES,
    live_probe=_PROBES,
    controls=st.sampled_from(
        [Controls(), Controls(known=False), Controls(kill_switches=(KILL_SWITCH,))]
    ),
    now=st.just(CASE.now),
)


@st.composite
def near_valid(draw: st.DrawFn) -> Case:
    """The valid case with a few fields of a random one, so that every verdict is reached."""
    other = draw(CASES)
    names = [field for field in Case.__struct_fields__ if field != "now"]
    taken = draw(st.sets(st.sampled_from(names), max_size=3))
    return alter(CASE, **{name: getattr(other, name) for name in taken})


class TestMode:
    @pytest.mark.parametrize(("mode", "verdict"), MODES)
    def test_the_mode_alone_changes_the_verdict_and_not_what_would_be(
        self, mode: Mode, verdict: Verdict
    ) -> None:
        decision = decide(with_service(mode=mode))
        assert (decision.verdict, decision.would_be) == (verdict, Verdict.ROLL_BACK)
        assert decision.mode is mode
        assert decision.policy == "default"
        assert decision.policy_hash == alter(SERVICE, mode=mode).policy_hash

    def test_observing_asks_for_no_approval_either(self) -> None:
        moved = alter(with_service(mode=Mode.OBSERVE), good_release=None)
        decision = decide(moved)
        assert (decision.verdict, decision.would_be) == (Verdict.HOLD, Verdict.NEEDS_APPROVAL)

    def test_a_service_without_a_file_is_watched_only(self) -> None:
        decision = decide(alter(CASE, service=None))
        assert (decision.mode, decision.policy, decision.policy_hash) == (Mode.OBSERVE, "", "")


class TestPlan:
    def test_all_traffic_goes_to_the_known_good_and_none_to_any_other(self) -> None:
        plan = decide(CASE).plan
        assert plan is not None
        assert plan.before == {"v1": 80, "v2": 20}
        assert plan.after == {"v1": 100, "v2": 0, "old": 0}
        assert (plan.bad, plan.good, plan.target) == ("v2", "v1", TARGET)
        assert plan.fingerprint == SNAPSHOT.fingerprint

    def test_its_id_is_bound_to_the_state_that_was_judged(self) -> None:
        plan = decide(CASE).plan
        again = decide(CASE).plan
        later = decide(with_snapshot(last_modified="2026-11-23T14:04:59Z")).plan
        assert plan is not None
        assert again is not None
        assert later is not None
        assert len(plan.id) == 12
        assert plan.id == again.id
        assert plan.id != later.id

    def test_what_was_intended_before_is_another_plan(self) -> None:
        asked = RollbackRequest(by="t/rita", role="Responder", reason="again", at=CASE.now)
        first = decide(alter(CASE, incident=alter(INCIDENT, request=asked))).plan
        later = alter(INCIDENT, request=asked, automatic_rollbacks=1)
        second = decide(alter(CASE, incident=later)).plan
        assert first is not None
        assert second is not None
        assert first.hash != second.hash

    def test_names_are_written_as_the_endpoint_spells_them(self) -> None:
        plan = decide(with_known_good(deployment="V1")).plan
        assert plan is not None
        assert plan.good == "v1"
        assert plan.after["v1"] == 100
        assert "V1" not in plan.after

    def test_a_blamed_release_is_named_by_its_deployment(self) -> None:
        blamed = Attribution(cause=Cause.VERSION, version="1.5.0")
        plan = decide(alter(CASE, diagnosis=alter(DIAGNOSIS, attribution=blamed))).plan
        assert plan is not None
        assert plan.bad == "v2"

    @pytest.mark.parametrize(
        "case",
        [
            with_good_deployment(state="Failed"),
            with_incident(automatic_rollbacks=1),
            alter(CASE, snapshot=None),
        ],
    )
    def test_there_is_nothing_to_approve_where_the_rules_say_no(self, case: Case) -> None:
        assert decide(case).plan is None


class TestHash:
    def test_the_same_inputs_give_the_same_hash_at_another_time(self) -> None:
        later = alter(CASE, now=CASE.now + timedelta(seconds=5))
        read_again = with_snapshot(read_at=ago(0))
        assert decide(CASE).hash == decide(later).hash == decide(read_again).hash

    @pytest.mark.parametrize(
        "case",
        [
            with_service(tier=2),
            with_good_release(version="1.4.2"),
            with_snapshot(last_modified="x"),
            with_incident(id="INC-07-261123-11111111"),
            alter(CASE, target_probe=alter(GOOD_PROBE, passed=19)),
            alter(CASE, live=None),
            alter(CASE, diagnosis=alter(DIAGNOSIS, requests=401)),
            alter(CASE, controls=Controls(kill_switches=(alter(KILL_SWITCH, on=False),))),
            alter(CASE, record=alter(RECORD, rollbacks=(alter(ROLLBACK, at=ago(50_000)),))),
        ],
    )
    def test_any_input_that_matters_changes_it(self, case: Case) -> None:
        assert decide(case).hash != decide(CASE).hash

    def test_a_time_that_changes_an_answer_changes_it(self) -> None:
        late = alter(CASE, now=CASE.now + timedelta(hours=1))
        assert decide(late).hash != decide(CASE).hash

    def test_it_survives_storing_and_reading_the_case(self) -> None:
        read = msgspec.json.decode(msgspec.json.encode(CASE), type=Case)
        assert decide(read).hash == decide(CASE).hash


class TestAlways:
    @given(near_valid())
    @settings(max_examples=300, deadline=None)
    def test_all_rules_are_asked_and_the_first_failed_one_wins(self, case: Case) -> None:
        decision = decide(case)
        assert [result.rule for result in decision.rules] == [rule.name for rule in RULES]
        failed = [r for r, result in zip(RULES, decision.rules, strict=True) if not result.passed]
        assert decision.verdict is (failed[0].otherwise if failed else Verdict.ROLL_BACK)

    @given(near_valid() | CASES)
    @settings(max_examples=300, deadline=None)
    def test_traffic_moves_only_where_no_rule_at_all_failed(self, case: Case) -> None:
        decision = decide(case)
        all_passed = all(result.passed for result in decision.rules)
        assert (decision.verdict is Verdict.ROLL_BACK) is all_passed

    @given(near_valid() | CASES)
    @settings(max_examples=200, deadline=None)
    def test_watching_services_never_move_and_never_ask(self, case: Case) -> None:
        for mode in (Mode.OBSERVE, Mode.RECOMMEND):
            watched = decide(alter(case, service=alter(SERVICE, mode=mode)))
            assert watched.verdict not in {Verdict.ROLL_BACK, Verdict.NEEDS_APPROVAL}

    @given(near_valid() | CASES)
    @settings(max_examples=200, deadline=None)
    def test_what_would_be_is_the_verdict_without_the_mode(self, case: Case) -> None:
        decision = decide(case)
        if case.service is not None:
            automatic = decide(alter(case, service=alter(case.service, mode=Mode.AUTOMATIC)))
            assert decision.would_be is automatic.verdict
        others = [result for result in decision.rules if result.rule not in MODE_RULES]
        assert (decision.would_be is Verdict.ROLL_BACK) is all(r.passed for r in others)

    @given(near_valid() | CASES)
    @settings(max_examples=200, deadline=None)
    def test_a_plan_is_whole_and_takes_all_traffic_from_the_blamed(self, case: Case) -> None:
        plan = decide(case).plan
        if plan is not None:
            assert sum(plan.after.values()) == plan.after[plan.good] == 100
            assert plan.bad.lower() != plan.good.lower()
            assert {name.lower() for name in plan.before} <= {name.lower() for name in plan.after}

    @given(near_valid())
    @settings(max_examples=100, deadline=None)
    def test_the_same_case_gives_the_same_decision(self, case: Case) -> None:
        assert decide(case) == decide(msgspec.json.decode(msgspec.json.encode(case), type=Case))

    def test_the_order_in_which_an_endpoint_lists_its_traffic_does_not_matter(self) -> None:
        reordered = decide(with_snapshot(traffic=dict(reversed(SNAPSHOT.traffic.items()))))
        assert reordered.hash == decide(CASE).hash
