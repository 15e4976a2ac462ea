"""Enforce: decide by everything that is known, record it with every rule, and act once."""

import msgspec
import pytest

from responders.alert.enforce import enforce
from shared.domain.catalog import CatalogMistake, Mode
from shared.domain.decisions.control import KillSwitch
from shared.domain.decisions.decision import Decision, Verdict
from shared.domain.decisions.intent import IntentState
from shared.domain.decisions.rules import RULES
from shared.domain.diagnosis.diagnosis import Attribution, Cause, Health
from shared.domain.incidents.incident import State
from shared.domain.row import Put
from shared.errors import NotAllowed, Unavailable
from shared.protocol.acting.approve import decide_about, read_approval
from shared.protocol.records import CONTROLS, release_row
from shared.services import Services
from tests.fakes import FakeServices, Killed, catalog_of, die
from tests.fakes.scene import (
    DIAGNOSIS,
    INCIDENT,
    NOW,
    SERVICE,
    SHARD,
    incident_now,
    intent_now,
    kinds,
    message,
    new_services,
    store_case,
)
from tests.fakes.waiting import ALICE, approving
from tests.shared.domain.decisions.worked_case import LIVE


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made)
    return made


async def run(services: Services) -> None:
    await enforce(services, message("enforce"))


async def decision_now(services: FakeServices) -> Decision:
    found = await services.state.read(SHARD, f"decision|{INCIDENT.id}", Decision)
    assert found is not None
    return found.value


def in_mode(services: FakeServices, mode: Mode) -> None:
    services.outside.catalog = catalog_of(msgspec.structs.replace(SERVICE, mode=mode))


async def stored_diagnosis(services: FakeServices, **changes: object) -> None:
    changed = msgspec.structs.replace(DIAGNOSIS, **changes)
    await services.state.write(SHARD, [Put(row=f"diagnosis|{INCIDENT.id}", value=changed)])


async def test_a_bad_version_is_rolled_back(services: FakeServices) -> None:
    await run(services)

    decision = await decision_now(services)
    assert decision.verdict is Verdict.ROLL_BACK, decision.reason
    assert decision.plan is not None
    assert (await intent_now(services, decision.plan.id)).state is IntentState.CONFIRMED
    assert services.endpoints.traffic == {"v1": 100}
    assert (await incident_now(services)).state is State.VERIFYING
    assert kinds(services) == ["incident.decided", "rollback.intended", "rollback.confirmed"]


async def test_the_decision_is_kept_with_every_rule_before_anything_is_done(
    services: FakeServices,
) -> None:
    seen: list[Decision] = []

    async def look() -> None:
        seen.append(await decision_now(services))

    services.outside.turns.once("endpoint.write", look)
    await run(services)

    assert len(seen[0].rules) == len(RULES)
    assert seen[0].policy_hash == SERVICE.policy_hash


async def test_the_command_that_comes_again_decides_nothing_twice(services: FakeServices) -> None:
    await run(services)
    await run(services)

    assert kinds(services).count("incident.decided") == 1
    assert len(services.endpoints.writes) == 1


@pytest.mark.parametrize(
    "mode",
    [Mode.OBSERVE, Mode.RECOMMEND],
)
async def test_a_mode_that_does_not_act_holds_and_says_what_it_would_do(
    services: FakeServices, mode: Mode
) -> None:
    in_mode(services, mode)

    await run(services)

    decision = await decision_now(services)
    assert (decision.verdict, decision.would_be) == (Verdict.HOLD, Verdict.ROLL_BACK)
    incident = await incident_now(services)
    assert incident.state is State.HELD
    assert "from v2 to v1" in incident.sentence
    assert services.endpoints.writes == []
    assert kinds(services) == ["incident.decided"]


async def test_a_plan_that_needs_an_approval_waits_for_people(services: FakeServices) -> None:
    in_mode(services, Mode.APPROVE)

    await run(services)

    decision, incident = await decision_now(services), await incident_now(services)
    assert (decision.verdict, incident.state) == (Verdict.NEEDS_APPROVAL, State.WAITING)
    assert incident.awaited is not None
    asked = (await read_approval(services, incident.awaited.id)).request
    assert (asked.plan, asked.requested_by, asked.quorum) == (decision.plan, "backstop", 1)
    assert asked.deployers == ("pipeline",)
    assert asked.rules == ("mode-automatic",)
    assert services.endpoints.writes == []
    assert kinds(services) == ["incident.decided", "approval.requested"]


async def test_whoever_started_the_pipeline_of_a_version_has_deployed_it(
    services: FakeServices,
) -> None:
    in_mode(services, Mode.APPROVE)
    started = msgspec.structs.replace(LIVE, started_by=ALICE.id)
    await services.state.write(SHARD, [Put(row=release_row(started), value=started)])

    await run(services)

    awaited = (await incident_now(services)).awaited
    assert awaited is not None
    approval = await read_approval(services, awaited.id)
    assert approval.request.deployers == (ALICE.id, "pipeline")
    with pytest.raises(NotAllowed, match="deployed one of these versions"):
        await decide_about(services, awaited.id, approving(approval), ALICE)


async def test_a_cause_that_moving_traffic_cannot_cure_is_a_persons(
    services: FakeServices,
) -> None:
    blamed = Attribution(cause=Cause.INDEX, dependency="policy-wordings")
    await stored_diagnosis(services, attribution=blamed)

    await run(services)

    assert (await decision_now(services)).verdict is Verdict.HOLD
    incident = await incident_now(services)
    assert incident.state is State.ESCALATED
    assert "policy-wordings" in incident.sentence
    assert kinds(services) == ["incident.decided", "incident.escalated"]
    assert services.endpoints.writes == []


@pytest.mark.parametrize("changes", [{"health": Health.INCONCLUSIVE}, {"incident": "another"}])
async def test_what_could_not_be_found_out_is_never_acted_on(
    services: FakeServices, changes: dict[str, object]
) -> None:
    await stored_diagnosis(services, **changes)

    await run(services)

    assert (await decision_now(services)).verdict is Verdict.INCONCLUSIVE
    assert (await incident_now(services)).state is State.ESCALATED
    assert services.endpoints.writes == []


async def test_an_endpoint_that_cannot_be_read_is_inconclusive(services: FakeServices) -> None:
    services.endpoints.out = True

    await run(services)

    assert (await decision_now(services)).verdict is Verdict.INCONCLUSIVE


async def test_a_known_good_that_fails_its_probe_is_refused(services: FakeServices) -> None:
    services.scoring.failing.add("v1")

    await run(services)

    assert (await decision_now(services)).verdict is Verdict.REFUSE
    assert (await incident_now(services)).state is State.ESCALATED


async def test_a_probe_that_cannot_be_sent_proves_nothing(services: FakeServices) -> None:
    services.scoring.out = True

    await run(services)

    assert (await decision_now(services)).verdict is Verdict.INCONCLUSIVE


async def test_the_kill_switch_holds_and_a_person_is_called(services: FakeServices) -> None:
    switch = KillSwitch(scope=SERVICE.name, on=True, by="Ada", reason="storm", at=NOW)
    await services.state.write(CONTROLS, [Put(row="kill|fnol-summary", value=switch)])

    await run(services)

    assert (await decision_now(services)).verdict is Verdict.HOLD
    assert (await incident_now(services)).state is State.ESCALATED
    assert services.endpoints.writes == []


async def test_a_file_with_a_mistake_is_no_policy_and_nothing_acts(
    services: FakeServices,
) -> None:
    mistake = CatalogMistake(
        file="fnol-summary.yaml", line=1, field="mode", problem="unknown", service=SERVICE.name
    )
    services.outside.catalog = msgspec.structs.replace(catalog_of(), mistakes=(mistake,))

    await run(services)

    decision = await decision_now(services)
    assert decision.verdict is Verdict.REFUSE
    assert "mode: unknown" in decision.reason
    assert (await incident_now(services)).state is State.ESCALATED


async def test_an_act_that_was_left_open_is_gone_on_with(services: FakeServices) -> None:
    services.outside.turns.once("endpoint.write", die)
    with pytest.raises(Killed):
        await run(services)
    with pytest.raises(Unavailable, match="holds the lease"):
        await run(services.another("two"))
    services.outside.wait(121)

    await run(services.another("two"))

    assert (await incident_now(services)).state is State.VERIFYING
    assert services.endpoints.traffic == {"v1": 100}
    assert kinds(services).count("incident.decided") == 1


@pytest.mark.parametrize("number", range(1, 60, 3))
async def test_killed_anywhere_the_repeated_command_rolls_back_once(
    services: FakeServices, number: int
) -> None:
    services.outside.turns.at(number, die)
    try:
        await run(services)
    except Killed:
        services.outside.wait(121)
        services.outside.turns.forget()
        await run(services.another("two"))
    services.outside.turns.forget()

    assert (await incident_now(services)).state is State.VERIFYING
    assert services.endpoints.traffic == {"v1": 100}
    assert len(services.endpoints.writes) == 1


@pytest.mark.parametrize(
    "state", [state for state in State if state not in {State.DIAGNOSED, State.ACTING}]
)
async def test_an_incident_in_another_state_is_left_alone(
    services: FakeServices, state: State
) -> None:
    await store_case(services, state=state)

    await run(services)

    assert kinds(services) == []
    assert services.endpoints.writes == []


async def test_an_incident_that_was_resolved_meanwhile_is_not_acted_on(
    services: FakeServices,
) -> None:
    services.outside.turns.once(
        "scoring.probe", lambda: store_case(services, state=State.RESOLVED, sequence=9)
    )

    await run(services)

    assert services.endpoints.writes == []
    assert (await incident_now(services)).state is State.RESOLVED
