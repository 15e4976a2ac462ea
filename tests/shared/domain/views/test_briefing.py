from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.domain.catalog import Mode
from shared.domain.decisions.decision import Verdict
from shared.domain.diagnosis.diagnosis import Health
from shared.domain.incidents.incident import State
from shared.domain.noise.quiet import Quiet, QuietRule
from shared.domain.views import briefing
from tests.shared.domain.incidents.situations import (
    DECISION,
    DIAGNOSIS,
    INCIDENT,
    NOW,
    ONSET,
    SERVICE,
)


def test_harm_is_told_as_a_share_and_as_counts() -> None:
    assert briefing.feeling(INCIDENT, SERVICE, DIAGNOSIS, NOW) == (
        "Customers get no good answer to 46 % of requests (region swedencentral):"
        " 412 of 890 since 14:03 CET (13:03 UTC)."
    )


def test_the_regions_hit_are_named_unless_all_are() -> None:
    some = replace(DIAGNOSIS, affected="", regions_hit=("westeurope", "northeurope"))
    assert "in westeurope, northeurope" in briefing.feeling(INCIDENT, SERVICE, some, NOW)
    everywhere = replace(DIAGNOSIS, affected="", regions_hit=SERVICE.regions)
    assert "westeurope" not in briefing.feeling(INCIDENT, SERVICE, everywhere, NOW)


def test_a_service_without_customers_has_users() -> None:
    internal = replace(SERVICE, customer_impact=False)
    assert briefing.feeling(INCIDENT, internal, DIAGNOSIS, NOW).startswith("Users get")


def test_what_is_not_measured_is_not_guessed() -> None:
    alerted = replace(INCIDENT, correlation_keys=("5xx",))
    told = briefing.feeling(alerted, SERVICE, None, NOW)
    assert told == ("What customers feel is not measured yet. The alert: fnol-summary failure rate")


def test_what_no_alert_has_told_of_is_called_no_alert() -> None:
    lost = replace(INCIDENT, title="the known good is lost")
    assert briefing.feeling(lost, SERVICE, None, NOW).endswith(
        "What is known: the known good is lost"
    )


def test_backstop_s_own_trouble_is_told_first() -> None:
    own = replace(INCIDENT, service="backstop", title="Backstop has dead letters in work/executor")
    told = briefing.feeling(own, None, None, NOW)
    assert told.startswith("Backstop has dead letters in work/executor.")
    assert told.endswith("is not known.")


def test_what_could_not_be_found_out_says_so() -> None:
    unknown = replace(DIAGNOSIS, health=Health.INCONCLUSIVE, sentence="The logs do not answer.")
    assert briefing.feeling(INCIDENT, SERVICE, unknown, NOW) == (
        "It could not be found out what customers feel. The logs do not answer."
    )


def test_harm_that_is_over_is_told_in_the_past() -> None:
    resolved = replace(INCIDENT, state=State.RESOLVED)
    assert briefing.feeling(resolved, SERVICE, DIAGNOSIS, NOW).startswith("Customers got no good")
    assert "was not measured" in briefing.feeling(resolved, SERVICE, None, NOW)


def test_recovery_comes_before_the_harm_that_it_ended() -> None:
    recovered = replace(INCIDENT, recovered_at=NOW)
    assert briefing.feeling(recovered, SERVICE, DIAGNOSIS, NOW) == (
        "Customers get good answers again since 14:09 CET (13:09 UTC)."
    )


def test_the_severity_comes_with_its_reasons() -> None:
    assert briefing.gravity(INCIDENT) == "tier 1 service; customers are affected."
    assert briefing.gravity(replace(INCIDENT, severity_reasons=())) == "by the alert alone."


def test_the_incidents_own_sentence_tells_the_deed() -> None:
    told = replace(INCIDENT, sentence="Backstop moved all traffic back to v1.")
    assert briefing.deed(told, DECISION) == "Backstop moved all traffic back to v1."


@pytest.mark.parametrize(
    ("verdict", "mode", "begins"),
    [
        (Verdict.ROLL_BACK, Mode.AUTOMATIC, "Backstop moves the traffic back: "),
        (Verdict.NEEDS_APPROVAL, Mode.APPROVE, "Backstop asks for approval"),
        (Verdict.HOLD, Mode.OBSERVE, "Backstop would have moved the traffic back"),
        (Verdict.HOLD, Mode.AUTOMATIC, "Backstop holds and moved nothing"),
        (Verdict.INCONCLUSIVE, Mode.AUTOMATIC, "Backstop moved nothing, because"),
        (Verdict.REFUSE, Mode.AUTOMATIC, "Backstop refused"),
    ],
)
def test_each_verdict_has_its_sentence(verdict: Verdict, mode: Mode, begins: str) -> None:
    decision = replace(DECISION, verdict=verdict, mode=mode)
    told = briefing.deed(INCIDENT, decision)
    assert told.startswith(begins)
    assert told.endswith(DECISION.reason)


def test_a_plan_without_its_decision_is_not_called_nothing() -> None:
    assert briefing.deed(INCIDENT, None).startswith("Backstop has moved nothing")
    planned = replace(INCIDENT, plan="plan-1")
    assert briefing.deed(planned, None).startswith("Backstop has made a plan")


def test_only_what_was_done_is_called_after() -> None:
    done = replace(INCIDENT, before={"v2": 100}, after={"v1": 100})
    assert briefing.splits(done, DECISION) == ("v2 100 %", "v1 100 %", "After")
    assert briefing.splits(INCIDENT, DECISION) == ("v2 100 %", "v1 100 %", "If approved")
    planned = replace(DECISION, verdict=Verdict.ROLL_BACK)
    assert briefing.splits(INCIDENT, planned) == ("v2 100 %", "v1 100 %", "Planned")
    held = replace(DECISION, verdict=Verdict.HOLD)
    assert briefing.splits(INCIDENT, held) == ("v2 100 %", "v1 100 %", "Would be")
    assert briefing.splits(INCIDENT, replace(held, plan=None)) is None


@pytest.mark.parametrize("state", [State.HELD, State.RESOLVED])
@pytest.mark.parametrize("verdict", [Verdict.NEEDS_APPROVAL, Verdict.ROLL_BACK])
def test_a_plan_that_nobody_carries_out_any_more_promises_nothing(
    state: State, verdict: Verdict
) -> None:
    told = briefing.splits(replace(INCIDENT, state=state), replace(DECISION, verdict=verdict))
    assert told == ("v2 100 %", "v1 100 %", "Not done")


def test_the_rto_runs_from_the_onset() -> None:
    told = briefing.time_left(INCIDENT, SERVICE, NOW)
    assert told == "9 min left of 15 min, until 14:18 CET (13:18 UTC)"


def test_a_missed_rto_says_since_when() -> None:
    late = ONSET + timedelta(minutes=18)
    assert briefing.time_left(INCIDENT, SERVICE, late).startswith("missed 3 min ago, at 14:18 CET")


def test_what_was_resolved_is_not_counted_down() -> None:
    over = replace(INCIDENT, state=State.RESOLVED, resolved_at=ONSET + timedelta(minutes=5))
    assert briefing.time_left(over, SERVICE, NOW) == (
        "resolved 5 min after the onset, 15 min allowed; no recovery measured"
    )


def test_requests_in_order_do_not_hide_what_opened_it() -> None:
    healthy = replace(
        DIAGNOSIS, health=Health.HEALTHY, sentence="Requests are in order: 0 of 90 failed."
    )
    incident = replace(INCIDENT, title="20 of 24 known questions are answered right")
    told = briefing.feeling(incident, SERVICE, healthy, NOW)
    assert told == (
        "Customers got good answers when it was last measured. Requests are in order: 0 of 90"
        " failed. What is known: 20 of 24 known questions are answered right"
    )
    over = briefing.feeling(replace(incident, state=State.RESOLVED), SERVICE, healthy, NOW)
    assert over.endswith("0 of 90 failed.")


def test_without_an_onset_the_rto_is_unknown() -> None:
    told = briefing.time_left(replace(INCIDENT, onset_at=None), SERVICE, NOW)
    assert told == "15 min from the onset, which is not known yet"


@pytest.mark.parametrize(("minutes", "verdict"), [(15, "met"), (16, "missed")])
def test_a_recovery_is_held_against_the_rto(minutes: int, verdict: str) -> None:
    recovered = replace(INCIDENT, recovered_at=ONSET + timedelta(minutes=minutes))
    told = briefing.time_left(recovered, SERVICE, NOW)
    assert told == f"{verdict}: recovered {minutes} min after the onset, 15 min allowed"


def test_an_incident_without_a_service_has_no_rto() -> None:
    assert briefing.time_left(INCIDENT, None, NOW) == "no RTO: no service owns this"


def test_command_is_not_the_same_as_acknowledgement() -> None:
    seen = replace(INCIDENT, acknowledged_by="Dana Reyes")
    assert briefing.command(seen) == "nobody yet; Dana Reyes has acknowledged"
    assert briefing.command(replace(seen, commander="Ola Berg")) == "Ola Berg has command"
    assert briefing.command(INCIDENT) == "nobody yet; acknowledge to take it"


def test_what_holds_it_back_is_said_beside_what_was_done_as_long_as_it_is_open() -> None:
    flaps = Quiet(rule=QuietRule.FLAPPING, sentence="opened 4 times in 30 min.")
    held = replace(INCIDENT, sentence="Nothing was moved.", quiet=(flaps,))
    assert briefing.deed(held, None) == (
        "Nothing was moved. Kept quiet by flapping: opened 4 times in 30 min."
    )
    assert briefing.deed(replace(held, state=State.RESOLVED), None) == "Nothing was moved."


def test_what_was_decided_because_of_it_is_not_said_twice() -> None:
    storm = Quiet(rule=QuietRule.STORM, sentence="a storm rages.")
    held = replace(INCIDENT, sentence="Held back by storm: a storm rages.", quiet=(storm,))
    assert briefing.deed(held, None) == "Held back by storm: a storm rages."
