"""Fired alerts, asked for over HTTP: from the local service, and from one that misbehaves."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from azure.core.credentials import AccessToken
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.local.alerts import LogAlert
from infra.local.simulation.fired import PATH, AlertsManagement
from shared.adapters.arm_address import SCOPE
from shared.adapters.fired_alerts import BURST, CALLS_A_MINUTE, PAGE, FiredAlerts
from shared.domain.alerts.alert import parse_alert
from shared.domain.alerts.fired_alert import FiredPage
from shared.errors import Misconfigured, Unavailable
from tests.infra.local.foundry.serving import served

NOW = datetime.now(UTC)
SUBSCRIPTION = "00000000-0000-0000-0000-00000000f001"
TARGET = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.web/sites/shop"

type Answer = Callable[[Request], Response]


def fired(number: int, **changes: Any) -> LogAlert:
    alert = LogAlert(
        number=f"00000000-0000-0000-0000-{number:012d}",
        rule="too-slow",
        target=TARGET,
        fired_at=NOW - timedelta(seconds=600 - number),
        dimensions={"region": "westeurope"},
    )
    return msgspec.structs.replace(alert, **changes)


@asynccontextmanager
async def asking(answer: Answer) -> AsyncIterator[FiredAlerts]:
    """A client of a service that answers so."""

    async def get_all(request: Request) -> Response:
        return answer(request)

    async with served(Starlette(routes=[Route(PATH, get_all)])) as url:
        alerts = FiredAlerts(None, url)
        yield alerts
        await alerts.close()


@asynccontextmanager
async def local(*known: LogAlert) -> AsyncIterator[FiredAlerts]:
    """A client of the local world's service, which knows these alerts."""
    management = AlertsManagement()
    for alert in known:
        management.register(alert)
    async with served(Starlette(routes=[management.route()])) as url:
        alerts = FiredAlerts(None, url)
        yield alerts
        await alerts.close()


async def pages(alerts: FiredAlerts, subscription: str = SUBSCRIPTION) -> list[FiredPage]:
    found = [await alerts.page(subscription, "", NOW)]
    while found[-1].after:
        found.append(await alerts.page(subscription, found[-1].after, NOW))
    return found


async def test_every_alert_comes_once_the_last_change_first() -> None:
    known = [fired(number) for number in range(2 * PAGE + 1)]
    known[0] = msgspec.structs.replace(known[0], resolved_at=NOW)

    async with local(*known) as alerts:
        found = await pages(alerts)

    every = [one for page in found for one in page.fired]
    names = [one.notices[0].alert_id.rsplit("/", 1)[-1] for one in every]
    assert [len(page.fired) for page in found] == [PAGE, PAGE, 1]
    assert names == [known[0].number, *(one.number for one in reversed(known[1:]))]
    assert len(every[0].notices) == 2


async def test_it_is_the_alert_that_the_webhook_tells_of() -> None:
    posted = parse_alert(msgspec.json.encode(fired(1).body()), NOW)

    async with local(fired(1)) as alerts:
        swept = (await pages(alerts))[0].fired[0].notices[0]

    assert (swept.identity, swept.correlation_key) == (posted.identity, posted.correlation_key)
    assert swept.dimensions == (("region", "westeurope"),)


async def test_another_subscription_has_other_alerts() -> None:
    async with local(fired(1)) as alerts:
        assert await pages(alerts, "another") == [FiredPage()]


async def test_a_broken_entry_costs_itself() -> None:
    def answer(_: Request) -> Response:
        return Response(b'{"value": [7, {"properties": {}}, null]}')

    async with asking(answer) as alerts:
        (page,) = await pages(alerts)

    assert page.fired == ()
    assert [one.body for one in page.broken] == [b"7", b'{"properties":{}}', b"null"]


@pytest.mark.parametrize("document", [b"[]", b"null", b'{"value": 1, "nextLink": []}', b"{}"])
async def test_a_strange_answer_has_nothing(document: bytes) -> None:
    async with asking(lambda _: Response(document)) as alerts:
        assert await pages(alerts) == [FiredPage()]


async def test_the_next_link_s_host_is_not_followed() -> None:
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.url.query)
        link = f"https://thief.example{request.url.path}?ctoken=2"
        return Response(
            msgspec.json.encode({"value": [], "nextLink": link if not asked[1:] else None})
        )

    async with asking(answer) as alerts:
        await pages(alerts)

    assert asked[1:] == ["ctoken=2"]


@pytest.mark.parametrize(
    ("status", "headers", "wait", "said"),
    [
        (429, {"Retry-After": "17"}, 17.0, "429"),
        (503, {}, 30.0, "503"),
        (403, {}, 30.0, "Monitoring Reader"),
        (404, {}, 30.0, "404"),
    ],
)
async def test_a_refusal_is_for_later(
    status: int, headers: dict[str, str], wait: float, said: str
) -> None:
    async with asking(lambda _: Response(b"", status, headers)) as alerts:
        with pytest.raises(Unavailable, match=said) as refused:
            await alerts.page(SUBSCRIPTION, "", NOW)

    assert (refused.value.part, refused.value.retry_after_s) == ("alerts", wait)


async def test_an_answer_that_is_not_json_is_for_later() -> None:
    async with asking(lambda _: Response(b"<html>")) as alerts:
        with pytest.raises(Unavailable, match="not JSON"):
            await alerts.page(SUBSCRIPTION, "", NOW)


async def test_nobody_listening_is_for_later() -> None:
    alerts = FiredAlerts(None, "http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        await alerts.page(SUBSCRIPTION, "", NOW)
    await alerts.close()


async def test_no_more_than_azure_takes_are_asked_in_any_minute() -> None:
    time = 0.0
    alerts = FiredAlerts(None, "http://127.0.0.1:9", clock=lambda: time)
    asked = []
    for second in range(300):
        time = float(second)
        asked += [second for _ in range(10) if alerts.may_ask(SUBSCRIPTION)]
    await alerts.close()

    busiest = max(sum(start <= at < start + 60 for at in asked) for start in range(240))
    assert CALLS_A_MINUTE <= busiest <= CALLS_A_MINUTE + BURST <= 100


async def test_each_subscription_has_its_own_allowance() -> None:
    alerts = FiredAlerts(None, "http://127.0.0.1:9", clock=lambda: 0.0)
    while alerts.may_ask("one"):
        pass
    assert alerts.may_ask("two")
    await alerts.close()


class Credential:
    """An identity whose tokens nobody wants."""

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("secret", 4_000_000_000)


async def test_a_token_is_never_sent_in_the_clear() -> None:
    management = AlertsManagement()
    async with served(Starlette(routes=[management.route()])) as url:
        alerts = FiredAlerts(Credential(), url)
        with pytest.raises(Unavailable):
            await alerts.page(SUBSCRIPTION, "", NOW)
        await alerts.close()


def test_the_token_is_for_arm() -> None:
    assert SCOPE == "https://management.azure.com/.default"


@pytest.mark.parametrize("url", ["https://thief.example", "http://10.0.0.1", ""])
def test_a_server_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured):
        FiredAlerts(None, url)


def test_without_identity_and_local_server_nothing_is_asked() -> None:
    with pytest.raises(Misconfigured):
        FiredAlerts(None, None)
