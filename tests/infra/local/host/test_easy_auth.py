"""Easy Auth in front of an app: sessions begin on a page, and nobody can write its headers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from yarl import URL

from infra.local.host.easy_auth import COOKIE, LOGIN, EasyAuth
from infra.local.issuer.app import create_issuer
from infra.local.issuer.identities import IDENTITIES, PEOPLE
from infra.local.issuer.issuer import Issuer
from tests.infra.local.host.sample import served, url_of, write_app
from tests.infra.local.inbox.serving import serving

ID_TOKEN = "x-ms-token-aad-id-token"


async def show(request: Request) -> Response:
    return JSONResponse(dict(request.headers))


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer("http://127.0.0.1:7")


@pytest.fixture
async def url(issuer: Issuer) -> AsyncIterator[str]:
    """The address of an app that shows which headers it got."""
    async with serving(create_issuer(issuer)) as authority:
        auth = EasyAuth(authority)
        inner = Starlette(routes=[*auth.routes(), Route("/seen", show, methods=["GET", "POST"])])
        async with serving(auth.before(inner)) as address:
            yield address


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that keeps cookies, those of an address without a name too."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield session


async def sign_in(
    browser: aiohttp.ClientSession, url: str, person: str, back: str = "/seen", **headers: str
) -> tuple[int, str, str]:
    """Press a button of the page; the status, where it leads, and the cookie's line."""
    form = {"username": person, "post_login_redirect_uri": back}
    pressed = browser.post(f"{url}{LOGIN}", data=form, headers=headers, allow_redirects=False)
    async with pressed as answer:
        told = answer.headers
        return answer.status, told.get("Location", ""), told.get("Set-Cookie", "").lower()


async def seen(browser: aiohttp.ClientSession, url: str, **headers: str) -> dict[str, str]:
    async with browser.get(f"{url}/seen", headers=headers) as answer:
        found: dict[str, str] = await answer.json()
        return found


def claims(headers: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(headers[ID_TOKEN], options={"verify_signature": False})
    return found


async def test_without_a_session_a_request_passes_and_tells_nothing(
    browser: aiohttp.ClientSession, url: str
) -> None:
    assert ID_TOKEN not in await seen(browser, url)


async def test_the_page_offers_everybody_who_lives_here(
    browser: aiohttp.ClientSession, url: str
) -> None:
    async with browser.get(f"{url}{LOGIN}?post_login_redirect_uri=/seen%3Fa%3D1") as answer:
        html = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert all(f'value="{person.key}">{person.name}<' in html for person in PEOPLE)
    assert 'value="/seen?a=1"' in html
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_who_signs_in_is_told_to_the_app(browser: aiohttp.ClientSession, url: str) -> None:
    status, leads_to, cookie = await sign_in(browser, url, "approver", "/seen?a=1")
    assert (status, leads_to) == (303, "/seen?a=1")
    assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/"))
    told = claims(await seen(browser, url))
    assert (told["oid"], told["roles"]) == (IDENTITIES["approver"].object_id, ["Approver"])


async def test_who_signs_out_is_nobody(browser: aiohttp.ClientSession, url: str) -> None:
    await sign_in(browser, url, "approver")
    kept = browser.cookie_jar.filter_cookies(URL(url))[COOKIE].value
    async with browser.get(f"{url}/.auth/logout", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, LOGIN)
    assert ID_TOKEN not in await seen(browser, url)
    assert ID_TOKEN not in await seen(browser, url, Cookie=f"{COOKIE}={kept}")


@pytest.mark.parametrize(
    "header",
    [
        "X-MS-CLIENT-PRINCIPAL",
        "x-ms-client-principal-id",
        "X-Ms-Client-Principal-Name",
        "X-MS-TOKEN-AAD-ID-TOKEN",
        "x-ms-token-aad-access-token",
    ],
)
async def test_the_platform_s_headers_cannot_be_brought_along(
    browser: aiohttp.ClientSession, url: str, header: str
) -> None:
    assert header.lower() not in await seen(browser, url, **{header: "forged"})


async def test_a_forged_header_does_not_stand_beside_the_real_one(
    browser: aiohttp.ClientSession, url: str
) -> None:
    await sign_in(browser, url, "auditor")
    told = claims(await seen(browser, url, **{"X-MS-TOKEN-AAD-ID-TOKEN": "forged"}))
    assert told["roles"] == ["Auditor"]


async def test_a_cookie_that_nobody_was_given_is_no_session(
    browser: aiohttp.ClientSession, url: str
) -> None:
    assert ID_TOKEN not in await seen(browser, url, Cookie=f"{COOKIE}=approver")


@pytest.mark.parametrize("back", ["//evil.example", "/\\evil.example", "https://evil.example", ""])
async def test_afterwards_one_is_led_to_no_other_site(
    browser: aiohttp.ClientSession, url: str, back: str
) -> None:
    assert (await sign_in(browser, url, "auditor", back))[1] == "/"


async def test_another_site_cannot_sign_somebody_in(
    browser: aiohttp.ClientSession, url: str
) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    status, _, cookie = await sign_in(browser, url, "auditor", **headers)
    assert (status, cookie) == (403, "")


@pytest.mark.parametrize("person", ["monitor", "somebody", ""])
async def test_only_people_sign_in(browser: aiohttp.ClientSession, url: str, person: str) -> None:
    assert (await sign_in(browser, url, person))[0] == 400


async def test_without_its_issuer_a_session_tells_nothing(browser: aiohttp.ClientSession) -> None:
    auth = EasyAuth("http://127.0.0.1:1")
    inner = Starlette(routes=[*auth.routes(), Route("/seen", show)])
    async with serving(auth.before(inner)) as url:
        await sign_in(browser, url, "auditor")
        assert ID_TOKEN not in await seen(browser, url)


SHOW = """
@app.route("seen", methods=["GET"])
async def seen(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.headers.get("x-ms-client-principal", "none"))
"""


@pytest.mark.parametrize(
    ("setting", "status", "told"), [("True", 200, "none"), ("", 404, "forged")]
)
def test_the_host_has_it_where_the_platform_s_setting_says_so(
    tmp_path: Path, setting: str, status: int, told: str
) -> None:
    settings = {"WEBSITE_AUTH_ENABLED": setting, "BACKSTOP_AUTHORITY": "http://127.0.0.1:1"}
    with served(write_app(tmp_path, SHOW), settings) as host:
        base, forged = url_of(host), {"X-MS-CLIENT-PRINCIPAL": "forged"}
        assert requests.get(f"{base}{LOGIN}", timeout=10).status_code == status
        assert requests.get(f"{base}/api/seen", headers=forged, timeout=10).text == told
