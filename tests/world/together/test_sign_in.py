"""The door of a running world: who calls is proved by a token, or by a browser's session."""

from datetime import UTC, datetime

import aiohttp
import pytest

from infra.local.host.easy_auth import COOKIE, LOGIN
from tests.world.alerts import FNOL, alert
from tests.world.stage import Stage

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]


async def asked(stage: Stage, method: str, path: str, **said: str) -> tuple[int, str]:
    """The status and where it leads, for a request that nothing is added to."""
    async with aiohttp.ClientSession() as client:
        call = client.request(method, stage.at.api + path, headers=said, allow_redirects=False)
        async with call as answer:
            return answer.status, answer.headers.get("Location", "")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/alerts"), ("GET", "/api/incidents"), ("POST", "/api/kill-switch")],
)
async def test_without_a_token_nothing_is_told_or_taken(
    stage: Stage, method: str, path: str
) -> None:
    assert (await asked(stage, method, path))[0] == 401


async def test_a_browser_without_a_session_is_led_to_the_sign_in(stage: Stage) -> None:
    status, leads_to = await asked(stage, "GET", "/incidents/INC-1")
    assert (status, leads_to) == (302, f"{LOGIN}?post_login_redirect_uri=%2Fincidents%2FINC-1")


async def test_easy_auth_s_headers_cannot_be_forged(stage: Stage) -> None:
    token = (await stage.wallet.bearer("commander")).removeprefix("Bearer ")
    forged = {"X-MS-TOKEN-AAD-ID-TOKEN": token, "X-MS-CLIENT-PRINCIPAL": token}
    assert (await asked(stage, "GET", "/api/incidents", **forged))[0] == 401


async def test_a_session_reads_and_a_program_s_role_does_not_open_what_is_for_people(
    stage: Stage,
) -> None:
    form = {"username": "responder", "post_login_redirect_uri": "/"}
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        async with browser.post(f"{stage.at.api}{LOGIN}", data=form) as page:
            assert (page.status, page.url.path) == (200, "/")
            assert "Backstop" in await page.text()
        assert {cookie.key for cookie in jar} == {COOKIE}
    assert (await stage.ask("GET", "/api/incidents", who="signal")).status == 403


@pytest.mark.parametrize("who", ["commander", "pipeline", "signal"])
async def test_only_azure_monitor_posts_alerts(stage: Stage, who: str) -> None:
    body = alert("not-from-azure", rule="not-from-azure", target=FNOL, fired_at=datetime.now(UTC))
    assert (await stage.ask("POST", "/api/alerts", body, who=who)).status == 403


async def test_a_responder_may_not_stop_automation_and_a_commander_may(stage: Stage) -> None:
    switch = {"scope": "policy-search", "on": True, "reason": "a trial", "minutes": 1}
    assert (await stage.ask("POST", "/api/kill-switch", switch, who="responder")).status == 403
    assert (await stage.ask("POST", "/api/kill-switch", switch, who="commander")).status == 200
