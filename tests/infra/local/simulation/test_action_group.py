"""How an alert is posted: by two groups, with tokens of Azure Monitor, and not in a blackout."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import jwt
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.alerts import LogAlert
from infra.local.issuer.issuer import Issuer
from infra.local.simulation.action_group import MONITOR, ActionGroups, Tally
from infra.local.simulation.fired import AlertsManagement
from tests.infra.local.logs.workspace import serve

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
ALERT = LogAlert(
    number="0a1b", rule="slow", target="/subscriptions/f001/providers/p/e/quotes", fired_at=NOW
)


class Webhook:
    """Takes alerts, and knows one again."""

    def __init__(self) -> None:
        self.came: list[dict[str, Any]] = []
        self.tokens: list[dict[str, Any]] = []
        self.refuses = 0

    async def take(self, request: Request) -> Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        self.tokens.append(jwt.decode(token, options={"verify_signature": False}))
        if self.refuses:
            return JSONResponse({"status": "no"}, status_code=self.refuses)
        self.came.append(await request.json())
        status = "accepted" if len(self.came) == 1 else "duplicate"
        return JSONResponse({"status": status}, status_code=202)


@pytest.fixture
def webhook() -> Webhook:
    return Webhook()


@pytest.fixture
async def address(webhook: Webhook) -> AsyncIterator[str]:
    app = Starlette(routes=[Route("/api/alerts", webhook.take, methods=["POST"])])
    async with serve(app) as served:
        yield f"{served}/api/alerts"


async def tell(address: str, alerts: AlertsManagement) -> Tally:
    groups, tally = ActionGroups(address, Issuer("http://127.0.0.1:1"), alerts), Tally()
    async with aiohttp.ClientSession() as session:
        await groups.tell(session, ALERT, tally)
    return tally


async def test_both_groups_post_the_same_alert(address: str, webhook: Webhook) -> None:
    tally = await tell(address, AlertsManagement())

    assert webhook.came == [ALERT.body(), ALERT.body()]
    assert (tally.posted, tally.folded, tally.first_fired_at) == (2, 1, NOW.timestamp())


async def test_they_come_as_azure_monitor_with_tokens_of_both_kinds(
    address: str, webhook: Webhook
) -> None:
    await tell(address, AlertsManagement())

    assert [token["ver"] for token in webhook.tokens] == ["1.0", "2.0"]
    callers = [token.get("appid") or token["azp"] for token in webhook.tokens]
    assert callers == [MONITOR.client_id] * 2


async def test_in_a_blackout_nobody_is_called(address: str, webhook: Webhook) -> None:
    alerts = AlertsManagement()
    alerts.delivering = False

    tally = await tell(address, alerts)

    assert (webhook.came, tally.posted) == ([], 0)
    assert tally.first_fired_at is not None


async def test_what_is_refused_for_good_is_not_posted_again(
    address: str, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.refuses = 400

    tally = await tell(address, AlertsManagement())

    assert (len(webhook.tokens), tally.posted) == (2, 0)
    assert "the webhook answered 400: the alert is lost" in caplog.text
