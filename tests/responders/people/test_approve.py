"""The page only shows; a decision is a POST by the right person about the plan that was shown."""

import re
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from responders.people.approve import answer_approval, answer_form, show_approvals
from responders.people.press import FORM, press
from responders.reading.console import show_approval_page
from shared.domain.authority.caller import Caller
from shared.domain.incidents.incident import State
from shared.domain.views.http import Answer, Request
from shared.errors import Conflict, NotAllowed, RejectedInput
from tests.fakes import FakeServices
from tests.fakes.scene import SHARD, incident_now, kinds
from tests.fakes.waiting import ALICE, BOB, CHIEF, RITA, approval_now, waiting_services

OURS = {"content-type": FORM, "sec-fetch-site": "same-origin"}
FIELD = re.compile(r'name="(plan_hash|nonce|token)" value="([^"]+)"')


@pytest.fixture
async def services() -> FakeServices:
    return await waiting_services()


async def page(services: FakeServices, caller: Caller = ALICE, **path: str) -> str:
    name = path.get("id") or (await approval_now(services)).request.id
    answer = await show_approval_page(services, Request(path={"id": name}, caller=caller))
    return answer.body.decode()


async def fields(services: FakeServices, caller: Caller = ALICE) -> dict[str, str]:
    """What the form of this person's page would send."""
    return dict(FIELD.findall(await page(services, caller)))


async def submit(
    services: FakeServices,
    said: dict[str, str],
    caller: Caller = ALICE,
    *,
    action: str = "approve",
    headers: dict[str, str] = OURS,
    name: str = "",
) -> Answer:
    request = Request(
        method="POST",
        path={"id": name or (await approval_now(services)).request.id, "action": action},
        headers=headers,
        body=urlencode(said).encode(),
        caller=caller,
    )
    return await press(answer_form, "/approvals/{id}")(services, request)


async def call(
    services: FakeServices, caller: Caller = ALICE, action: str = "approve", **said: Any
) -> dict[str, Any]:
    asked = (await approval_now(services)).request
    body = {"plan_hash": asked.plan.hash, "nonce": asked.nonce, **said}
    request = Request(
        method="POST",
        path={"id": asked.id, "action": action},
        body=msgspec.json.encode(body),
        caller=caller,
    )
    found: dict[str, Any] = msgspec.json.decode((await answer_approval(services, request)).body)
    return found


async def state(services: FakeServices) -> State:
    return (await incident_now(services)).state


async def test_the_page_says_what_is_asked_why_and_until_when(services: FakeServices) -> None:
    shown = await page(services)
    for expected in (
        "Move all traffic from v2 to v1",
        "Waits for approval: 0 of 1 given.",
        "the mode is approve",
        "mode automatic",
        "14:20:00 UTC",
        "v2 fails 46 % of requests in swedencentral.",
        "It needs one person with the role Approver or Commander.",
        "Approve the move",
    ):
        assert expected in shown, expected


async def test_scanners_that_open_the_link_decide_nothing(services: FakeServices) -> None:
    before = (services.state.rows(SHARD), await incident_now(services), kinds(services))
    for _ in range(50):
        await page(services)
    assert (services.state.rows(SHARD), await incident_now(services), kinds(services)) == before


async def test_the_forms_key_is_shown_nowhere(services: FakeServices) -> None:
    key = (await approval_now(services)).request.key
    listed = await show_approvals(services, Request(caller=ALICE))
    told = "".join(message.body for message in services.bus.published["changes"])
    assert len(key) == 64
    for shown in (await page(services), listed.body.decode(), told):
        assert key not in shown


async def test_approving_leads_back_to_the_page_which_says_so(services: FakeServices) -> None:
    answer = await submit(services, await fields(services))
    name = (await approval_now(services)).request.id
    assert (answer.status, answer.headers["Location"]) == (303, f"/approvals/{name}?did=approve")
    assert await state(services) is State.DIAGNOSED
    shown = await page(services)
    assert f"Approved by {ALICE.id}." in shown
    assert "<form" not in shown


async def test_refusing_needs_a_reason(services: FakeServices) -> None:
    said = await fields(services)
    assert (await submit(services, said, action="refuse")).status == 403
    assert await state(services) is State.WAITING
    assert (await submit(services, {**said, "reason": "no"}, action="refuse")).status == 303
    assert await state(services) is State.ESCALATED
    assert f"Refused by {ALICE.id}" in await page(services)


async def test_sent_again_it_is_told_who_decided(services: FakeServices) -> None:
    said = await fields(services)
    await submit(services, said)
    again = await submit(services, said)
    assert again.status == 409
    assert f"Already approved by {ALICE.id}." in again.body.decode()
    assert kinds(services).count("approval.given") == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": FORM},
        {"content-type": FORM, "sec-fetch-site": "cross-site"},
        {"content-type": FORM, "sec-fetch-site": "same-site"},
        {"content-type": FORM, "origin": "https://evil.example"},
    ],
)
async def test_another_sites_form_decides_nothing(
    services: FakeServices, headers: dict[str, str]
) -> None:
    assert (await submit(services, await fields(services), headers=headers)).status == 403
    assert await state(services) is State.WAITING


@pytest.mark.parametrize("change", [{"token": "0" * 64}, {"token": "é"}])
async def test_a_wrong_token_decides_nothing(
    services: FakeServices, change: dict[str, str]
) -> None:
    assert (await submit(services, {**await fields(services), **change})).status == 403
    assert await state(services) is State.WAITING


@pytest.mark.parametrize("missing", ["token", "plan_hash", "nonce"])
async def test_a_form_without_one_of_its_fields_decides_nothing(
    services: FakeServices, missing: str
) -> None:
    said = await fields(services)
    del said[missing]
    assert (await submit(services, said)).status == 400
    assert await state(services) is State.WAITING


async def test_a_token_is_no_one_elses(services: FakeServices) -> None:
    assert (await submit(services, await fields(services, BOB), ALICE)).status == 403
    assert await state(services) is State.WAITING


async def test_a_token_and_a_hash_of_another_incident_decide_nothing(
    services: FakeServices,
) -> None:
    other = await waiting_services()
    stolen = await fields(other)
    assert (await submit(services, stolen)).status == 403
    mine = await fields(services)
    assert (await submit(services, {**mine, "plan_hash": "0" * 32})).status == 409
    foreign = await submit(services, mine, name=f"{SHARD}-{'0' * 32}")
    assert foreign.status == 404
    assert await state(services) is State.WAITING


async def test_a_page_of_an_earlier_request_for_the_same_plan_is_stale(
    services: FakeServices,
) -> None:
    stale = {**await fields(services), "nonce": "of-an-earlier-one"}
    assert (await submit(services, stale)).status == 409
    assert await state(services) is State.WAITING


async def test_after_its_time_the_page_has_no_form_and_the_old_form_does_nothing(
    services: FakeServices,
) -> None:
    said = await fields(services)
    services.outside.wait(900)
    shown = await page(services)
    assert "Expired: nobody decided in time" in shown
    assert "<form" not in shown
    answer = await submit(services, said)
    assert answer.status == 409
    assert "expired" in answer.body.decode()


async def test_who_may_not_decide_is_told_so_before(services: FakeServices) -> None:
    shown = await page(services, RITA)
    assert "Your roles do not let you decide" in shown
    assert "<form" not in shown


async def test_a_commander_may_be_alone_and_is_told_of_the_review() -> None:
    services = await waiting_services(quorum=2)
    assert "I approve alone" not in await page(services, ALICE)
    assert "I approve alone" in await page(services, CHIEF)
    said = {**await fields(services, CHIEF), "alone": "true", "reason": "customers wait"}
    assert (await submit(services, said, CHIEF)).status == 303
    assert len((await incident_now(services)).reviews) == 1


async def test_the_api_lists_what_waits_and_takes_a_decision(services: FakeServices) -> None:
    listed = msgspec.json.decode((await show_approvals(services, Request(caller=ALICE))).body)
    (one,) = listed["approvals"]
    asked = (await approval_now(services)).request
    assert (one["id"], one["plan_hash"], one["quorum"]) == (asked.id, asked.plan.hash, 1)

    said = await call(services, reason="fine")
    assert said["approval"]["state"] == "approved"
    assert [(one["by"], one["reason"]) for one in said["rulings"]] == [(ALICE.id, "fine")]
    empty = msgspec.json.decode((await show_approvals(services, Request(caller=ALICE))).body)
    assert empty == {"approvals": []}


async def test_the_api_refuses_with_the_reason(services: FakeServices) -> None:
    said = await call(services, action="refuse", reason="not now")
    assert said["approval"]["state"] == "refused"
    with pytest.raises(Conflict, match="Already refused"):
        await call(services)


@pytest.mark.parametrize(
    ("said", "action"),
    [
        ({"plan_hash": 1}, "approve"),
        ({"who": "somebody"}, "approve"),
        ({"reason": "x" * 1_001}, "approve"),
        ({}, "delete"),
    ],
)
async def test_what_is_no_decision_is_rejected(
    services: FakeServices, said: dict[str, Any], action: str
) -> None:
    with pytest.raises(RejectedInput):
        await call(services, action=action, **said)
    assert await state(services) is State.WAITING


async def test_the_api_lets_nobody_decide_without_the_role(services: FakeServices) -> None:
    with pytest.raises(NotAllowed):
        await call(services, RITA)


async def test_a_page_of_nothing_is_a_404(services: FakeServices) -> None:
    assert "There is no such thing" in await page(services, id="35-nothing")
