"""A plan that waits for people, stored as the product stores it, and the people who may decide."""

from typing import Any

import msgspec

from responders.alert.enforce import enforce
from shared.domain.approvals.approval import Approval
from shared.domain.approvals.may_decide import Wish
from shared.domain.authority.caller import AppRole
from shared.domain.catalog import Mode
from shared.protocol.acting.approve import read_approval
from tests.fakes.callers import TENANT, person
from tests.fakes.scene import SERVICE, incident_now, message, new_services, store_case
from tests.fakes.services import FakeServices, catalog_of

ALICE = person(AppRole.APPROVER)
BOB = person(
    AppRole.APPROVER, id=f"{TENANT}/b0b00000-0000-4000-8000-000000000002", name="Bob Brown"
)
CHIEF = person(
    AppRole.COMMANDER, id=f"{TENANT}/c41ef000-0000-4000-8000-000000000003", name="Chi Chen"
)
RITA = person(
    AppRole.RESPONDER, id=f"{TENANT}/417a0000-0000-4000-8000-000000000004", name="Rita Ruiz"
)


async def waiting_services(**policy: Any) -> FakeServices:
    """A world in which the executor has just asked for an approval."""
    made = new_services()
    await let_it_wait(made, **policy)
    return made


async def let_it_wait(services: FakeServices, **policy: Any) -> None:
    """Let the executor ask for an approval in this world."""
    changed = msgspec.structs.replace(SERVICE.policy, **policy)
    service = msgspec.structs.replace(SERVICE, mode=Mode.APPROVE, policy=changed)
    services.outside.catalog = catalog_of(service)
    await store_case(services)
    await enforce(services, message("enforce"))


async def approval_now(services: FakeServices) -> Approval:
    """The request that the incident waits for, or waited for last."""
    awaited = (await incident_now(services)).awaited
    assert awaited is not None
    return await read_approval(services, awaited.id)


def approving(approval: Approval, **changes: Any) -> Wish:
    """A wish that says yes to what was asked."""
    asked = approval.request
    said = Wish(plan_hash=asked.plan.hash, nonce=asked.nonce, approve=True)
    return msgspec.structs.replace(said, **changes)
