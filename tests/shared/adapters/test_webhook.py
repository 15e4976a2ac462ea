"""The adapters against a server that answers as told: what each answer means, and secrecy."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.adapters.webhook import Delivered, Webhook
from shared.errors import Misconfigured, RejectedInput, Unavailable
from tests.infra.local.inbox.serving import serving

SECRET = "s3cr3t-signature"
KEY = "K" * 32


@asynccontextmanager
async def answering(status: int, **headers: str) -> AsyncIterator[Webhook]:
    """A webhook whose server repeats in its answer all that it was told: URL and body."""

    async def answer(request: Request) -> Response:
        said = f"you sent {request.url} and {(await request.body()).decode()}"
        return Response(said, status, headers)

    app = Starlette(routes=[Route("/{rest:path}", answer, methods=["POST"])])
    async with serving(app) as base:
        webhook = Webhook(f"{base}/flows/{SECRET}?sig={SECRET}", name="teams", part="teams")
        yield webhook
        await webhook.close()


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_any_success_is_a_delivery(status: int) -> None:
    async with answering(status) as webhook:
        assert await webhook.post({}) == Delivered(by="teams", status=status)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410, 413])
async def test_a_refusal_is_for_good(status: int) -> None:
    async with answering(status, Location="https://example.com") as webhook:
        with pytest.raises(RejectedInput) as refused:
            await webhook.post({})
    assert refused.value.reason == "teams-refused"
    assert str(status) in refused.value.detail


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_a_busy_or_broken_server_is_tried_later(status: int) -> None:
    async with answering(status) as webhook:
        with pytest.raises(Unavailable) as out:
            await webhook.post({})
    assert out.value.part == "teams"
    assert out.value.retry_after_s >= 5


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "12"}, 12),
        ({"Retry-After": "86400"}, 300),
        ({"Retry-After": "soon"}, 30),
        ({"Retry-After": "Mon, 23 Nov 99999999999999999999 12:00:00 GMT"}, 30),
        ({}, 30),
    ],
)
async def test_the_server_says_how_long_to_wait(headers: dict[str, str], seconds: int) -> None:
    async with answering(429, **headers) as webhook:
        with pytest.raises(Unavailable) as out:
            await webhook.post({})
    assert out.value.retry_after_s == seconds


async def test_a_wait_may_be_given_as_a_date() -> None:
    headers = {
        "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
        "Retry-After": "Wed, 21 Oct 2015 07:28:42 GMT",
    }
    async with answering(503, **headers) as webhook:
        with pytest.raises(Unavailable) as out:
            await webhook.post({})
    assert out.value.retry_after_s == 42


async def test_no_server_at_all_is_tried_later() -> None:
    async with answering(200) as webhook:
        pass
    with pytest.raises(Unavailable, match="ClientConnectorError"):
        await webhook.post({})
    await webhook.close()


async def test_a_closed_webhook_opens_again() -> None:
    async with answering(200) as webhook:
        await webhook.post({})
        await webhook.close()
        assert (await webhook.post({})).status == 200


@pytest.mark.parametrize("status", [202, 400, 429, 503])
async def test_no_secret_reaches_an_error_or_a_log(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with answering(status) as webhook:
        told = repr(webhook)
        try:
            told += repr(await webhook.post({"routing_key": KEY}))
        except (RejectedInput, Unavailable) as error:
            told += f"{error} {error!r} {error.__dict__} {error.__context__!r}"
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("uvicorn", "asyncio"))]
    told += "".join(ours)
    assert SECRET not in told
    assert KEY not in told


async def test_no_secret_reaches_an_error_when_nobody_answers() -> None:
    async with answering(200) as webhook:
        pass
    with pytest.raises(Unavailable) as out:
        await webhook.post({"routing_key": KEY})
    assert SECRET not in f"{out.value!r} {out.value.__context__!r} {out.value.__cause__!r}"
    await webhook.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/hook",
        "http://example.com/s3cr3t",
        "https://",
        "ftp://x/s3cr3t",
        "https://[s3cr3t",
    ],
)
def test_a_url_that_would_leak_or_fail_is_refused_without_naming_it(url: str) -> None:
    with pytest.raises(Misconfigured, match="URL of teams") as refused:
        Webhook(url, name="teams", part="teams")
    assert "s3cr3t" not in str(refused.value)
