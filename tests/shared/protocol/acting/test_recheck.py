"""What a plan rests on is looked at again at the approval: what is not so any more is not approved.

Kill switches are told of in `test_approve`.
"""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from responders.alert.enforce import enforce
from shared.domain.approvals.approval import Approval
from shared.domain.decisions.endpoint import parse_target
from shared.domain.event import EventKind
from shared.domain.freezes.freeze import Freeze
from shared.domain.incidents.incident import State
from shared.domain.ledger.completeness import complete
from shared.domain.lineage.sighting import Sighting
from shared.domain.row import Put
from shared.errors import Conflict, Unavailable
from shared.protocol.acting.approve import decide_about
from shared.protocol.lineage import sighting_row
from shared.protocol.records import CONTROLS
from tests.fakes import FakeServices
from tests.fakes.scene import (
    NOW,
    SERVICE,
    SHARD,
    TARGET,
    incident_now,
    message,
    store_incident,
    told,
)
from tests.fakes.waiting import ALICE, approval_now, approving, waiting_services

WINDOW = "No rollback now: change freeze 'set by a commander' for all services until 15:05 UTC"
MOVED = "The endpoint's traffic was changed since this plan was made."


@pytest.fixture
async def services() -> FakeServices:
    return await waiting_services()


async def freeze(services: FakeServices) -> None:
    frozen = Freeze(
        scope="*",
        on=True,
        by="t/dana",
        reason="the ledger moves",
        at=services.now(),
        expires_at=NOW + timedelta(hours=1),
    )
    await services.state.write(CONTROLS, [Put(row="freeze|*", value=frozen)])


async def see(services: FakeServices, traffic: dict[str, int]) -> None:
    """The executor looks at the endpoint, a second later."""
    services.outside.wait(1)
    target = parse_target(TARGET).id
    seen = Sighting(target=target, service=SERVICE.name, seen_at=services.now(), traffic=traffic)
    await services.state.write(SHARD, [Put(row=sighting_row(target), value=seen)])


async def approve(services: FakeServices, **changes: Any) -> Approval:
    found = await approval_now(services)
    return await decide_about(services, found.request.id, approving(found, **changes), ALICE)


async def is_put_aside(services: FakeServices, why: str) -> None:
    """The plan waits no more, that is told, and everything is looked at anew."""
    incident = await incident_now(services)
    assert (incident.state, incident.awaited) == (State.OPENED, None)
    event = told(services)[-1]
    assert (event.kind, complete(event)) == (EventKind.APPROVAL_OUTDATED, ())
    assert why in event.why
    assert services.bus.subjects("work")[-1] == "diagnose"
    assert EventKind.APPROVAL_GIVEN not in {one.kind for one in told(services)}


async def test_a_freeze_that_nobody_was_asked_about_makes_another_plan(
    services: FakeServices,
) -> None:
    await freeze(services)
    with pytest.raises(Conflict, match=WINDOW):
        await approve(services)
    await is_put_aside(services, "the ledger moves")

    await store_incident(services, state=State.DIAGNOSED, sequence=20)
    await enforce(services, message("enforce"))

    assert "no-freeze" in (await approval_now(services)).request.rules
    assert (await approve(services)).is_settled


async def test_a_freeze_that_policy_does_not_ask_about_keeps_nobody_from_approving() -> None:
    services = await waiting_services(approve_when=("index-moved",))
    await freeze(services)
    assert (await approve(services)).is_settled


async def test_traffic_that_was_moved_meanwhile_makes_another_plan(services: FakeServices) -> None:
    await see(services, {"v2": 90, "v1": 10})
    with pytest.raises(Conflict, match=MOVED):
        await approve(services)
    await is_put_aside(services, MOVED)


async def test_the_same_traffic_in_other_words_is_the_same(services: FakeServices) -> None:
    await see(services, {"V2": 100, "v1": 0})
    assert (await approve(services)).is_settled


async def test_a_look_before_the_plan_says_nothing_of_it(services: FakeServices) -> None:
    await see(services, {"v1": 100})
    asked = await approval_now(services)
    later = msgspec.structs.replace(asked.request, asked_at=services.now())
    row = f"approval|{asked.request.plan.hash}"
    await services.state.write(SHARD, [Put(row=row, value=later)])

    assert (await approve(services)).is_settled


async def test_a_refusal_is_taken_whatever_has_changed(services: FakeServices) -> None:
    await freeze(services)
    await see(services, {"v1": 100})
    assert (await approve(services, approve=False, reason="not tonight")).refused


async def test_of_two_who_approve_what_is_outdated_both_are_told(services: FakeServices) -> None:
    await freeze(services)
    asked = await approval_now(services)
    for expected in ("No rollback now", "does not wait any more"):
        with pytest.raises(Conflict, match=expected):
            await decide_about(services, asked.request.id, approving(asked), ALICE)
    outdated = [one for one in told(services) if one.kind is EventKind.APPROVAL_OUTDATED]
    assert len(outdated) == 1


async def test_what_cannot_be_read_is_not_approved(services: FakeServices) -> None:
    asked = await approval_now(services)

    async def out() -> None:
        services.outside.state.out = True

    services.outside.turns.once("state.scan", out)
    with pytest.raises(Unavailable):
        await decide_about(services, asked.request.id, approving(asked), ALICE)
