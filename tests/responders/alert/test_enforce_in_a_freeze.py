"""In a freeze a rollback waits for a person, unless the owners foresaw the emergency."""

from typing import Any

import msgspec
import pytest

from responders.alert.enforce import enforce
from responders.people.freeze import set_freeze
from shared.domain.authority.caller import AppRole
from shared.domain.catalog import Emergency
from shared.domain.decisions.decision import Authority, Decision, Verdict
from shared.domain.incidents.incident import Severity, State
from shared.domain.views.http import Request
from shared.protocol.acting.approve import decide_about
from tests.fakes import FakeServices, catalog_of
from tests.fakes.callers import person
from tests.fakes.scene import (
    INCIDENT,
    SERVICE,
    SHARD,
    incident_now,
    kinds,
    message,
    new_services,
    store_case,
)
from tests.fakes.waiting import ALICE, approval_now, approving, waiting_services

COMMANDER = person(AppRole.COMMANDER)


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made)
    return made


def foresee(services: FakeServices, burn_rate: float = 10) -> None:
    criteria = Emergency(severity=Severity.SEV1, burn_rate=burn_rate)
    policy = msgspec.structs.replace(SERVICE.policy, emergency=criteria)
    services.outside.catalog = catalog_of(msgspec.structs.replace(SERVICE, policy=policy))


async def freeze(services: FakeServices, **changes: Any) -> None:
    asked = {"scope": "*", "on": True, "reason": "the ledger moves", "minutes": 60} | changes
    await set_freeze(services, Request(body=msgspec.json.encode(asked), caller=COMMANDER))


async def decided(services: FakeServices) -> Decision:
    await enforce(services, message("enforce"))
    found = await services.state.read(SHARD, f"decision|{INCIDENT.id}", Decision)
    assert found is not None
    return found.value


async def test_a_rollback_waits_for_a_person_and_cites_the_freeze(services: FakeServices) -> None:
    await freeze(services)
    decision = await decided(services)

    assert (decision.verdict, decision.failed_rule) == (Verdict.NEEDS_APPROVAL, "no-freeze")
    assert decision.reason == (
        "Going back from v2 to v1 needs a person's approval: change freeze 'set by a commander'"
        " for all services until 15:05 UTC: the ledger moves."
    )
    assert (await incident_now(services)).state is State.WAITING
    assert services.endpoints.writes == []


async def test_an_emergency_rollback_is_not_blocked_and_is_reviewed(services: FakeServices) -> None:
    foresee(services)
    await freeze(services)
    decision = await decided(services)

    assert (decision.verdict, decision.authority) == (Verdict.ROLL_BACK, Authority.EMERGENCY)
    assert services.endpoints.traffic == {"v1": 100}
    assert "review.opened" in kinds(services)
    assert len((await incident_now(services)).reviews) == 1


async def test_what_is_not_bad_enough_for_an_emergency_waits(services: FakeServices) -> None:
    foresee(services, burn_rate=51)
    await freeze(services)

    assert (await decided(services)).verdict is Verdict.NEEDS_APPROVAL


async def test_another_services_freeze_and_a_lifted_one_hold_nothing(
    services: FakeServices,
) -> None:
    other = msgspec.structs.replace(SERVICE, name="quotes")
    services.outside.catalog = catalog_of(SERVICE, other)
    await freeze(services, scope="quotes")
    await freeze(services)
    await freeze(services, on=False)

    assert (await decided(services)).authority is Authority.POLICY
    assert services.endpoints.traffic == {"v1": 100}


async def test_a_freeze_that_is_set_while_it_decides_stops_the_write(
    services: FakeServices,
) -> None:
    services.outside.turns.once("state.write", lambda: freeze(services))
    decision = await decided(services)

    assert decision.verdict is Verdict.ROLL_BACK  # it was decided before
    assert services.endpoints.writes == []
    assert "rollback.aborted" in kinds(services)


async def test_no_freeze_that_is_set_while_it_decides_stops_an_emergency(
    services: FakeServices,
) -> None:
    foresee(services)
    services.outside.turns.once("state.write", lambda: freeze(services))
    await decided(services)

    assert services.endpoints.traffic == {"v1": 100}


async def test_an_approval_that_knew_of_the_freeze_moves_the_traffic_in_it(
    services: FakeServices,
) -> None:
    await freeze(services)
    await decided(services)
    approval = await approval_now(services)
    await decide_about(services, approval.request.id, approving(approval), ALICE)

    assert (await decided(services)).authority is Authority.APPROVAL
    assert services.endpoints.traffic == {"v1": 100}


async def test_a_freeze_that_begins_while_it_decides_stops_what_was_approved_without_it() -> None:
    services = await waiting_services()
    approval = await approval_now(services)
    await decide_about(services, approval.request.id, approving(approval), ALICE)
    services.outside.turns.once("scoring.probe", lambda: freeze(services))

    await decided(services)

    assert services.endpoints.writes == []
    assert "rollback.aborted" in kinds(services)


async def test_a_freeze_that_nobody_was_asked_about_is_not_answered_by_an_approval() -> None:
    services = await waiting_services()
    approval = await approval_now(services)
    await decide_about(services, approval.request.id, approving(approval), ALICE)
    await freeze(services)

    decision = await decided(services)

    assert decision.verdict is Verdict.NEEDS_APPROVAL
    assert services.endpoints.writes == []
    again = await approval_now(services)
    assert again.request.rules == ("no-freeze", "mode-automatic")
    assert again.approvers == ()
