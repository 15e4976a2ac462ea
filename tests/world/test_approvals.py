"""A hotfix is asked for by one person and approved by another, and the traffic really moves."""

import msgspec
import pytest

from infra.local.issuer.identities import IDENTITIES, TENANT
from tests.world.stage import QUICK, Json, Stage

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]

PACE = msgspec.structs.replace(QUICK, patience_s=0.5)  # no customers come: nothing will be known
HOTFIX = {
    "service": "fnol-summary",
    "version": "hotfix-1",
    "deployment": "v2",
    "why": "names in full",
}


async def test_a_hotfix_is_asked_for_by_one_and_approved_by_another(stage: Stage) -> None:
    await stage.post("/api/releases", HOTFIX)
    wanted = {"service": "fnol-summary", "reason": "names are cut off", "to": "hotfix-1"}
    asked = await stage.ask("POST", "/api/rollbacks", wanted, who="responder")
    assert asked.status == 202
    incident = asked.body["incident"]
    await stage.until_state(incident, "waiting")
    (waits,) = (await stage.get("/api/approvals"))["approvals"]
    assert waits["requested_by"] == _id("responder")

    said = {"plan_hash": waits["plan_hash"], "nonce": waits["nonce"]}
    path = f"/api/approvals/{waits['id']}/approve"
    assert (await stage.ask("POST", path, said, who="responder")).status == 403
    assert (await stage.ask("POST", path, said, who="approver")).status == 200
    again = await stage.ask("POST", path, said, who="second-approver")
    assert (again.status, _id("approver") in again.body["detail"]) == (409, True)

    view = await stage.until_view("the move", incident, _moved)
    assert view["incident"]["after"]["v2"] == 100
    assert (await stage.status())["traffic"].get("v2") == 100


def _moved(view: Json) -> bool:
    """Both are said; they are read one after the other, so one may come before the other."""
    confirmed = any(event["kind"] == "rollback.confirmed" for event in view["timeline"])
    return confirmed and bool(view["incident"]["after"])


def _id(who: str) -> str:
    return f"{TENANT}/{IDENTITIES[who].object_id}"
