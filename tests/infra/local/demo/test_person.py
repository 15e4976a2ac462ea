"""The scripted person, against a site that lets nobody pass who does not do as a browser does."""

from urllib.parse import parse_qs

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.local.demo.client import Stuck
from infra.local.demo.person import Form, approve, read_form
from infra.local.host.easy_auth import BACK, COOKIE, LOGIN
from tests.infra.local.inbox.serving import serving

PLAN = "/approvals/07-abc"
PAGE = f"""<!doctype html>
<form id="search" action="/search"><input name="words" value="-"></form>
<form method="post" action="{PLAN}/approve" id="ruling">
  <input type="hidden" name="plan_hash" value="h">
  <input type="hidden" name="token" value="a&amp;b">
  <textarea name="reason"></textarea>
  <input type="checkbox" name="alone" value="true">
  <button>Approve</button>
</form>
<input name="outside" value="x">"""


class Site:
    """One plan behind a sign-in; keeps what was sent."""

    def __init__(self) -> None:
        self.page = PAGE
        self.sent: dict[str, list[str]] = {}
        self.origin = ""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(LOGIN, self.sign_in, methods=["POST"]),
                Route(PLAN, self.show),
                Route(f"{PLAN}/approve", self.take, methods=["POST"]),
            ]
        )

    async def sign_in(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        answer = RedirectResponse(form[BACK][0], 303)
        answer.set_cookie(COOKIE, form["username"][0])
        return answer

    async def show(self, request: Request) -> Response:
        known = request.cookies.get(COOKIE) == "approver"
        return HTMLResponse(self.page) if known else Response("who are you?", 401)

    async def take(self, request: Request) -> Response:
        if request.cookies.get(COOKIE) != "approver":
            return Response("who are you?", 401)
        self.origin = request.headers.get("origin", "")
        self.sent = parse_qs((await request.body()).decode(), keep_blank_values=True)
        return RedirectResponse(f"{PLAN}?did=approve", 303)


async def test_they_sign_in_read_the_form_and_send_it_as_a_browser_does() -> None:
    site = Site()
    async with serving(site.app()) as url:
        await approve(url, PLAN, person="approver", reason="seen it")
    assert site.sent == {"plan_hash": ["h"], "token": ["a&b"], "reason": ["seen it"]}
    assert site.origin == url


async def test_whoever_may_not_open_the_page_is_told_so() -> None:
    async with serving(Site().app()) as url:
        with pytest.raises(Stuck, match="401"):
            await approve(url, PLAN, person="somebody", reason="seen it")


async def test_a_page_without_the_form_decides_nothing() -> None:
    site = Site()
    site.page = "<p>Your roles do not let you decide about this plan.</p>"
    async with serving(site.app()) as url:
        with pytest.raises(Stuck, match="no form for approver"):
            await approve(url, PLAN, person="approver", reason="seen it")
    assert site.sent == {}


async def test_a_site_that_is_not_there_is_no_approval() -> None:
    with pytest.raises(Stuck):
        await approve("http://127.0.0.1:9", PLAN, person="approver", reason="seen it")


def test_only_the_fields_of_the_form_are_read_and_nothing_is_ticked() -> None:
    found = read_form(PAGE, "ruling")
    fields = {"plan_hash": "h", "token": "a&b", "reason": ""}
    assert found == Form(action=f"{PLAN}/approve", fields=fields)
    assert read_form(PAGE, "another") is None
