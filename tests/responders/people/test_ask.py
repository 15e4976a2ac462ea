"""A person asks for a rollback: the very same road, from the click to the proof."""

from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from responders.alert.enforce import enforce
from responders.people.ask import ask
from responders.people.press import FORM, press
from responders.repair.remind import remind
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.catalog import Mode
from shared.domain.decisions.control import KillSwitch
from shared.domain.decisions.decision import Decision, Verdict
from shared.domain.diagnosis.diagnosis import Attribution, Cause, Health
from shared.domain.incidents.incident import Incident, State
from shared.domain.row import Put
from shared.domain.views.http import Request
from shared.errors import Conflict, NotAllowed, NotFound, RejectedInput
from shared.protocol.acting.approve import decide_about
from shared.protocol.leftovers import Leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.records import CONTROLS, release_row
from tests.fakes import FakeServices, catalog_of
from tests.fakes.callers import person
from tests.fakes.host import FakeHost
from tests.fakes.scene import (
    DIAGNOSIS,
    INCIDENT,
    SERVICE,
    SHARD,
    TARGET,
    incident_now,
    kinds,
    message,
    new_services,
    store_case,
    told,
)
from tests.fakes.waiting import ALICE, RITA, approval_now, approving
from tests.shared.domain.decisions.worked_case import LIVE, alter

HOTFIX = alter(LIVE, version="1.5.1", deployment="old", who="pipeline")
BOTH = person(AppRole.RESPONDER, AppRole.APPROVER, id=RITA.id)


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made, state=State.HELD)
    return made


async def want(services: FakeServices, caller: Caller = RITA, **changes: Any) -> dict[str, Any]:
    body = {"service": SERVICE.name, "reason": "customers call", **changes}
    request = Request(method="POST", body=msgspec.json.encode(body), caller=caller)
    answer = await ask(services, request)
    assert answer.status == 202
    found: dict[str, Any] = msgspec.json.decode(answer.body)
    return found


async def in_mode(services: FakeServices, mode: Mode) -> None:
    services.outside.catalog = catalog_of(alter(SERVICE, mode=mode))


async def diagnosed(services: FakeServices, **changes: Any) -> Incident:
    """What the diagnosis says after the request, and the incident that is to be decided about."""
    found = alter(DIAGNOSIS, **changes)
    incident = alter(await incident_now(services), state=State.DIAGNOSED)
    await services.state.write(
        SHARD,
        [
            Put(row=f"diagnosis|{INCIDENT.id}", value=found),
            Put(row=f"incident|{INCIDENT.id}", value=incident),
        ],
    )
    return incident


async def decision_now(services: FakeServices) -> Decision:
    found = await services.state.read(SHARD, f"decision|{INCIDENT.id}", Decision)
    assert found is not None
    return found.value


async def test_an_open_incident_takes_the_request(services: FakeServices) -> None:
    assert (await want(services))["incident"] == INCIDENT.id
    incident = await incident_now(services)
    assert incident.request is not None
    assert (incident.state, incident.request.by) == (State.OPENED, RITA.id)
    event = told(services)[-1]
    assert (event.kind, event.actor, event.role, event.why) == (
        "rollback.requested",
        RITA.id,
        "Responder",
        "customers call",
    )
    assert services.bus.subjects("work")[-1] == "diagnose"
    assert services.endpoints.writes == []


async def test_without_a_cause_it_is_done_because_a_person_asks(services: FakeServices) -> None:
    await want(services)
    await diagnosed(services, health=Health.HEALTHY, attribution=Attribution(cause=Cause.UNKNOWN))

    await enforce(services, message("enforce"))

    assert services.endpoints.traffic == {"v1": 100}
    decision = await decision_now(services)
    assert decision.verdict is Verdict.ROLL_BACK
    assert any(RITA.id in rule.evidence for rule in decision.rules)
    assert (await incident_now(services)).request is None  # it is done


async def test_what_keeps_the_endpoint_safe_is_not_waived(services: FakeServices) -> None:
    services.scoring.failing.add("v1")
    await want(services)
    await diagnosed(services)

    await enforce(services, message("enforce"))

    incident = await incident_now(services)
    assert (await decision_now(services)).failed_rule == "target-probe-passes"
    assert (incident.state, incident.request) == (State.ESCALATED, None)
    assert services.endpoints.writes == []


@pytest.mark.parametrize("mode", [Mode.RECOMMEND, Mode.APPROVE])
async def test_where_policy_says_so_another_person_approves(
    services: FakeServices, mode: Mode
) -> None:
    await in_mode(services, mode)
    await want(services, BOTH)
    await diagnosed(services)
    await enforce(services, message("enforce"))
    found = await approval_now(services)
    assert found.request.requested_by == RITA.id

    with pytest.raises(NotAllowed, match="what they asked for"):
        await decide_about(services, found.request.id, approving(found), BOTH)
    await decide_about(services, found.request.id, approving(found), ALICE)
    await enforce(services, message("enforce"))

    assert services.endpoints.traffic == {"v1": 100}


async def test_what_is_only_observed_is_not_touched_by_anybody(services: FakeServices) -> None:
    await in_mode(services, Mode.OBSERVE)
    await want(services)
    await diagnosed(services)

    await enforce(services, message("enforce"))

    assert services.endpoints.writes == []
    assert (await incident_now(services)).request is None


async def test_a_hotfix_goes_to_a_registered_version_by_two_people(services: FakeServices) -> None:
    await services.state.write(SHARD, [Put(row=release_row(HOTFIX), value=HOTFIX)])
    await want(services, to="1.5.1")
    await diagnosed(services)
    await enforce(services, message("enforce"))
    found = await approval_now(services)
    assert found.request.plan.good == "old", (await decision_now(services)).reason

    await decide_about(services, found.request.id, approving(found), ALICE)
    await enforce(services, message("enforce"))

    assert services.endpoints.traffic == {"old": 100}


async def test_a_version_that_nobody_registered_is_no_hotfix(services: FakeServices) -> None:
    with pytest.raises(RejectedInput, match="is not registered"):
        await want(services, to="9.9.9")


@pytest.mark.parametrize("state", [State.ACTING, State.VERIFYING, State.RESOLVED])
async def test_nobody_asks_where_it_is_too_late(state: State) -> None:
    made = new_services()
    await store_case(made, state=state)
    with pytest.raises(Conflict):
        await want(made, incident=INCIDENT.id)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"service": "unknown"}, RejectedInput),
        ({"reason": "  "}, RejectedInput),
        ({"reason": "x" * 1_001}, RejectedInput),
        ({"incident": "INC-07-261123-FFFFFFFF"}, NotFound),
        ({"who": "me"}, RejectedInput),
        ({"to": 5}, RejectedInput),
    ],
)
async def test_what_cannot_be_asked_is_said(
    services: FakeServices, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await want(services, **changes)
    assert (await incident_now(services)).request is None


async def test_an_incident_of_another_service_is_left_alone(services: FakeServices) -> None:
    other = alter(SERVICE, name="another")
    services.outside.catalog = catalog_of(SERVICE, other)
    with pytest.raises(RejectedInput, match="is not one of another"):
        await want(services, service="another", incident=INCIDENT.id)


async def test_without_an_incident_one_is_opened() -> None:
    made = new_services()
    name = (await want(made))["incident"]
    (opened,) = await open_incidents(made)
    assert (opened.id, opened.target, opened.severity.value) == (name, TARGET, "SEV2")
    assert kinds(made) == ["incident.opened", "rollback.requested"]
    assert made.bus.subjects("work") == ["diagnose"]


async def test_of_several_endpoints_one_must_be_named() -> None:
    made = new_services()
    second = alter(SERVICE.targets[0], id=f"{TARGET}-2")
    made.outside.catalog = catalog_of(alter(SERVICE, targets=(*SERVICE.targets, second)))
    with pytest.raises(RejectedInput, match="target must be one of"):
        await want(made)
    with pytest.raises(NotFound):
        await want(made, target="/another")
    await want(made, target=f"{TARGET}-2")
    assert [one.target for one in await open_incidents(made)] == [f"{TARGET}-2"]


async def test_the_button_leads_to_the_incident(services: FakeServices) -> None:
    fields = {"service": SERVICE.name, "incident": INCIDENT.id, "reason": "customers call"}
    request = Request(
        method="POST",
        headers={"content-type": FORM, "sec-fetch-site": "same-origin"},
        body=urlencode(fields).encode(),
        caller=RITA,
    )
    answer = await press(ask, "/")(services, request)
    assert answer.status == 303
    assert answer.headers["Location"] == f"/incidents/{INCIDENT.id}?did=done"


async def test_a_request_takes_the_whole_road_by_itself() -> None:
    """Nothing fires and the logs have nothing: a person asks, and the endpoint is moved."""
    made = new_services()
    await store_case(made, state=State.RESOLVED)
    host = FakeHost(made)
    name = (await want(host.responder))["incident"]

    await host.run(20)

    assert made.endpoints.traffic == {"v1": 100}
    assert (await incident_now(made, name)).state in (State.VERIFYING, State.ESCALATED)
    told_kinds = [event.kind.value for event in told(made) if event.incident == name]
    assert told_kinds[:8] == [
        "incident.opened",
        "rollback.requested",
        "incident.diagnosed",
        "incident.decided",
        "decision.overridden",
        "review.opened",
        "rollback.intended",
        "rollback.confirmed",
    ]


async def switch(services: FakeServices, *, on: bool) -> None:
    """Turn the kill switch of everything."""
    turned = KillSwitch(scope="*", on=on, by=RITA.id, reason="wait", at=services.now())
    await services.state.write(CONTROLS, [Put(row="kill|*", value=turned)])


async def stopped_at_the_act(services: FakeServices) -> None:
    """The executor decides, and before it writes somebody turns the kill switch on for a while."""
    services.outside.turns.once("scoring.probe", lambda: switch(services, on=True))
    await enforce(services, message("enforce"))
    assert kinds(services)[-1] == "rollback.aborted"
    await switch(services, on=False)


async def test_what_the_kill_switch_stopped_can_be_asked_for_again(services: FakeServices) -> None:
    await want(services)
    await diagnosed(services)
    await stopped_at_the_act(services)

    await want(services)
    await diagnosed(services)
    await enforce(services, message("enforce"))

    assert services.endpoints.traffic == {"v1": 100}


async def test_an_approval_is_used_once(services: FakeServices) -> None:
    await in_mode(services, Mode.APPROVE)
    await diagnosed(services)
    await enforce(services, message("enforce"))
    approval = await approval_now(services)
    await decide_about(services, approval.request.id, approving(approval), ALICE)
    await stopped_at_the_act(services)

    await want(services)
    await diagnosed(services)
    await enforce(services, message("enforce"))

    assert (await incident_now(services)).state is State.WAITING
    assert services.endpoints.writes == []


async def test_who_asks_now_does_so_without_what_was_approved_before(
    services: FakeServices,
) -> None:
    await in_mode(services, Mode.APPROVE)
    await diagnosed(services)
    await enforce(services, message("enforce"))
    approval = await approval_now(services)
    await decide_about(services, approval.request.id, approving(approval), BOTH)

    await want(services, BOTH)  # before the executor comes to act by it
    await diagnosed(services)
    await enforce(services, message("enforce"))

    again = await approval_now(services)
    assert (await incident_now(services)).state is State.WAITING
    assert again.request.requested_by == BOTH.id
    assert services.endpoints.writes == []


async def test_a_mode_that_is_raised_decides_nothing_anew_until_a_person_asks(
    services: FakeServices,
) -> None:
    await in_mode(services, Mode.OBSERVE)
    await diagnosed(services)
    await enforce(services, message("enforce"))
    assert (await incident_now(services)).state is State.HELD
    sent = len(services.bus.published["work"])

    await in_mode(services, Mode.AUTOMATIC)
    services.outside.wait(3_600)
    await remind(services, Leftovers(messages={}, effects=[], intents=[]))
    await enforce(services, message("enforce"))
    assert (await incident_now(services)).state is State.HELD
    assert len(services.bus.published["work"]) == sent
    assert services.endpoints.writes == []

    await want(services)
    assert services.bus.subjects("work")[-1] == "diagnose", "what was found out then is old"
    assert (await incident_now(services)).state is State.OPENED
