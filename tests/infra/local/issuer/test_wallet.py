"""Senders ask for a token once, renew it in time, and show it to the API alone."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.issuer.identities import IDENTITIES, TENANT
from infra.local.issuer.wallet import Wallet, signing
from tests.infra.local.inbox.serving import serving


class Entra:
    """An issuer whose tokens are numbered, and live as long as a test wants."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.lives_s = 3600

    async def give(self, request: Request) -> Response:
        self.asked.append((await request.body()).decode())
        number = len(self.asked)
        return JSONResponse(
            {"access_token": f"a{number}", "id_token": f"i{number}", "expires_in": self.lives_s}
        )

    async def show(self, request: Request) -> Response:
        return JSONResponse({"authorization": request.headers.get("authorization", "")})

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(f"/{TENANT}/oauth2/v2.0/token", self.give, methods=["POST"]),
                Route("/{path:path}", self.show, methods=["GET", "POST"]),
            ]
        )


@pytest.fixture
def entra() -> Entra:
    return Entra()


@pytest.fixture
async def url(entra: Entra) -> AsyncIterator[str]:
    async with serving(entra.app()) as served:
        yield served


async def test_a_token_is_asked_for_once(entra: Entra, url: str) -> None:
    wallet = Wallet(url)
    assert [await wallet.token("pipeline"), await wallet.token("pipeline")] == ["a1", "a1"]
    client = IDENTITIES["pipeline"].client_id
    assert entra.asked == [f"grant_type=client_credentials&client_id={client}"]


async def test_a_token_that_ends_soon_is_renewed(entra: Entra, url: str) -> None:
    entra.lives_s = 600
    wallet = Wallet(url)
    assert [await wallet.token("auditor"), await wallet.token("auditor")] == ["a1", "a2"]


async def test_people_and_kinds_are_kept_apart(url: str) -> None:
    wallet = Wallet(url)
    asked = [("auditor", "id_token"), ("auditor", "access_token"), ("commander", "access_token")]
    assert [await wallet.token(*one) for one in asked] == ["i1", "a2", "a3"]


async def test_an_issuer_that_gives_none_is_no_token() -> None:
    async with serving(Starlette()) as nothing:
        with pytest.raises(aiohttp.ClientError):
            await Wallet(nothing).token("auditor")


async def authorization(url: str, api: str, **headers: str) -> str:
    """What arrives of a request, sent by a session that signs for an API."""
    async with (
        aiohttp.ClientSession(middlewares=[signing(api, url)]) as session,
        session.get(f"{url}/api/incidents", headers=headers) as answer,
    ):
        return str((await answer.json())["authorization"])


async def test_the_api_is_shown_the_token(url: str) -> None:
    assert await authorization(url, api=url) == "Bearer a1"


async def test_nobody_else_is_shown_it(url: str) -> None:
    assert await authorization(url, api="http://127.0.0.1:1") == ""


async def test_a_header_of_one_s_own_stays(url: str) -> None:
    assert await authorization(url, api=url, Authorization="Bearer mine") == "Bearer mine"
