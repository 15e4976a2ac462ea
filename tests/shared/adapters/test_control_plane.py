"""Asking ARM what may be done and which rules are on, against the local server; and ringing."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from azure.core.exceptions import ClientAuthenticationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.simulation.control_plane import ControlPlane as LocalControlPlane
from shared.adapters.control_plane import ControlPlane
from shared.adapters.doorbell import Doorbell
from shared.domain.detection.rules import rules_of
from shared.domain.readiness.rights import READ_ACTIONS, WRITE_ACTION
from shared.errors import Misconfigured, Missing, Refused, Unavailable
from tests.fakes.scene import SERVICE, TARGET
from tests.infra.local.foundry.serving import served

SUBSCRIPTION = TARGET.split("/")[2]
DOOR = "https://backstop.example/api/alerts"
RECEIVER = {"serviceUri": DOOR, "useAadAuth": True, "useCommonAlertSchema": True}


def rule(name: str, *, on: bool = True) -> dict[str, object]:
    return {"name": name, "properties": {"enabled": on, "actions": {"actionGroups": ["/ag"]}}}


@asynccontextmanager
async def asking(*routes: Route) -> AsyncIterator[ControlPlane]:
    async with served(Starlette(routes=routes)) as url:
        plane = ControlPlane(None, url)
        yield plane
        await plane.close()


def answering(make: Callable[[Request], Response]) -> Route:
    async def answer(request: Request) -> Response:
        return make(request)

    return Route("/{any:path}", answer)


async def test_what_may_be_done_and_what_was_taken_away() -> None:
    local = LocalControlPlane([SERVICE], DOOR)
    async with asking(*local.routes()) as plane:
        await plane.identify()
        assert (await plane.rights(TARGET)).missing((*READ_ACTIONS, WRITE_ACTION)) == ()
        local.denied.append(WRITE_ACTION)
        assert (await plane.rights(TARGET)).missing((*READ_ACTIONS, WRITE_ACTION)) == (
            WRITE_ACTION,
        )


async def test_the_rules_that_are_on() -> None:
    async with asking(*LocalControlPlane([SERVICE], DOOR).routes()) as plane:
        found = await plane.alert_rules(SUBSCRIPTION)
    assert found == {rule.name.lower() for rule in rules_of(SERVICE)}


async def test_a_rule_that_tells_nobody_is_not_on() -> None:
    mute = {"name": "mute", "properties": {"enabled": True, "actions": {"actionGroups": []}}}

    def page(_: Request) -> Response:
        return JSONResponse({"value": [rule("loud"), mute, {"name": "bare", "properties": {}}]})

    async with asking(answering(page)) as plane:
        assert await plane.alert_rules(SUBSCRIPTION) == {"loud"}


async def test_where_action_groups_post_alerts() -> None:
    async with asking(*LocalControlPlane([SERVICE], DOOR).routes()) as plane:
        assert await plane.webhooks(SUBSCRIPTION) == {DOOR}


@pytest.mark.parametrize(
    "wrong",
    [
        {"enabled": False},
        {"webhookReceivers": []},
        {"webhookReceivers": [RECEIVER | {"useAadAuth": False}]},
        {"webhookReceivers": [RECEIVER | {"useCommonAlertSchema": False}]},
    ],
    ids=["off", "nobody", "without a token", "another schema"],
)
async def test_a_group_that_backstop_would_refuse_is_no_way(wrong: dict[str, object]) -> None:
    right = {"enabled": True, "webhookReceivers": [RECEIVER]}

    def page(_: Request) -> Response:
        return JSONResponse({"value": [{"name": "ag", "properties": right | wrong}]})

    async with asking(answering(page)) as plane:
        assert await plane.webhooks(SUBSCRIPTION) == frozenset()


async def test_every_page_is_read_and_what_is_off_is_left_out() -> None:
    def page(request: Request) -> Response:
        if "after" in request.query_params:
            return JSONResponse({"value": [rule("Third")]})
        link = f"https://elsewhere.example{request.url.path}?after=2"
        return JSONResponse({"value": [rule("first"), rule("second", on=False)], "nextLink": link})

    async with asking(answering(page)) as plane:
        assert await plane.alert_rules(SUBSCRIPTION) == {"first", "third"}


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Refused), (403, Refused), (404, Missing), (418, Unavailable)]
)
async def test_a_refusal_is_told_from_an_outage(status: int, kind: type[Exception]) -> None:
    async with asking(answering(lambda _: Response(status_code=status))) as plane:
        with pytest.raises(kind) as raised:
            await plane.rights(TARGET)
    assert type(raised.value) is kind


@pytest.mark.parametrize("body", [b"no json", b'{"value": [{"actions": 7}]}'])
async def test_an_answer_that_cannot_be_read_proves_nothing(body: bytes) -> None:
    async with asking(answering(lambda _: Response(body))) as plane:
        with pytest.raises(Unavailable):
            await plane.rights(TARGET)


async def test_who_has_no_identity_is_refused() -> None:
    class Stranger:
        async def get_token(self, *_: str) -> None:
            raise ClientAuthenticationError("no managed identity is here\nmore")

    plane = ControlPlane(Stranger(), "http://127.0.0.1:9")
    with pytest.raises(Refused, match="no managed identity"):
        await plane.identify()
    await plane.close()


def test_no_one_asks_azure_without_an_identity_nor_another_machine() -> None:
    with pytest.raises(Misconfigured):
        ControlPlane(None, None)
    with pytest.raises(Misconfigured):
        ControlPlane(None, "http://10.0.0.1")


@pytest.mark.parametrize("status", [200, 302, 401])
async def test_a_door_answers_with_its_status(status: int) -> None:
    door = answering(lambda _: Response(status_code=status, headers={"Location": "/elsewhere"}))
    async with served(Starlette(routes=[door])) as url:
        assert await Doorbell().ring(f"{url}/api/readiness") == status


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "/api/readiness"])
async def test_nobody_behind_a_door_is_no_status(url: str) -> None:
    assert await Doorbell().ring(url) is None
