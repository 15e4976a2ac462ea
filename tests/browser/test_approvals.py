"""Approving in a real browser: who may, once, in time, about what was shown, from our own page."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from playwright.async_api import Page as Tab

from shared.domain.incidents.incident import State
from tests.browser.console import console, id_of, sign_in
from tests.fakes import FakeServices
from tests.fakes.scene import INCIDENT, incident_now, kinds
from tests.fakes.waiting import approval_now, waiting_services

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def services() -> FakeServices:
    return await waiting_services()


@pytest_asyncio.fixture(loop_scope="module")
async def base(services: FakeServices) -> AsyncIterator[str]:
    async with console(services) as url:
        yield url


async def link(services: FakeServices) -> str:
    return f"/approvals/{(await approval_now(services)).request.id}"


async def opened(
    browser: Browser, base: str, services: FakeServices, who: str, width: int = 1280
) -> Tab:
    """The page of the plan, as this person's browser shows it."""
    tab = await browser.new_page(viewport={"width": width, "height": 900})
    await sign_in(tab, base, who, await link(services))
    await expect(tab.get_by_role("heading", level=1)).to_contain_text("from v2 to v1")
    return tab


async def state(services: FakeServices) -> State:
    return (await incident_now(services)).state


async def test_an_approver_approves_by_keyboard_alone_and_reads_that_they_did(
    browser: Browser, base: str, services: FakeServices
) -> None:
    tab = await opened(browser, base, services, "approver")
    await tab.get_by_label("Your reason").focus()
    await tab.keyboard.type("v1 was fine")
    await tab.keyboard.press("Tab")
    await expect(tab.get_by_role("button", name="Approve the move")).to_be_focused()
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#standing")).to_contain_text("Approved by Local approver.")
    await expect(tab.get_by_role("button", name="Approve the move")).to_have_count(0)
    given = (await approval_now(services)).approvers
    assert [(one.by, one.reason) for one in given] == [(id_of("approver"), "v1 was fine")]
    assert await state(services) is State.DIAGNOSED
    await tab.close()


async def test_an_approver_refuses_and_must_say_why(
    browser: Browser, base: str, services: FakeServices
) -> None:
    tab = await opened(browser, base, services, "approver")
    await tab.get_by_role("button", name="Refuse it").click()
    await expect(tab.get_by_text("A refusal needs a reason")).to_be_visible()
    assert await state(services) is State.WAITING
    await tab.get_by_role("link", name="Go back").click()
    await tab.get_by_label("Your reason").fill("the index moved")
    await tab.get_by_role("button", name="Refuse it").click()
    await expect(tab.locator("#standing")).to_contain_text("Refused by Local approver")
    assert await state(services) is State.ESCALATED
    await tab.close()


async def test_a_form_that_is_sent_again_does_nothing_and_says_who_was_first(
    browser: Browser, base: str, services: FakeServices
) -> None:
    tab = await opened(browser, base, services, "approver")
    body = await tab.evaluate(
        "new URLSearchParams(new FormData(document.querySelector('#ruling'))).toString()"
    )
    send = f"""async (body) => {{
        const answer = await fetch("{await link(services)}/approve", {{
            method: "POST", body, headers: {{"Content-Type": "application/x-www-form-urlencoded"}}
        }});
        return [answer.status, await answer.text()];
    }}"""
    assert (await tab.evaluate(send, body))[0] == 200  # it was led back to the page
    status, text = await tab.evaluate(send, body)
    assert status == 409
    assert "Already approved by Local approver." in text
    assert kinds(services).count("approval.given") == 1
    await tab.close()


async def test_of_two_tabs_the_second_reads_what_the_first_did(
    browser: Browser, base: str, services: FakeServices
) -> None:
    first = await opened(browser, base, services, "approver")
    second = await opened(browser, base, services, "second-approver")
    await second.get_by_label("Your reason").fill("I was here, too")  # so it stays as it is
    await first.get_by_role("button", name="Approve the move").click()
    await expect(first.locator("#standing")).to_contain_text("Approved by")
    await second.get_by_role("button", name="Approve the move").click()
    await expect(second.get_by_text("Already approved by Local approver.")).to_be_visible()
    assert kinds(services).count("approval.given") == 1
    for tab in (first, second):
        await tab.close()


async def test_after_its_time_the_old_form_does_nothing_and_the_page_has_none(
    browser: Browser, base: str, services: FakeServices
) -> None:
    tab = await opened(browser, base, services, "approver")
    await tab.get_by_label("Your reason").fill("a little late")
    services.outside.wait(900)
    await tab.get_by_role("button", name="Approve the move").click()
    await expect(tab.get_by_text("The request expired at")).to_be_visible()
    await tab.get_by_role("link", name="Go back").click()
    await expect(tab.locator("#standing")).to_contain_text("Expired")
    await expect(tab.get_by_role("button", name="Approve the move")).to_have_count(0)
    assert await state(services) is State.WAITING
    await tab.close()


@pytest.mark.parametrize("who", ["responder", "auditor"])
async def test_the_wrong_person_sees_the_plan_and_no_button(
    browser: Browser, base: str, services: FakeServices, who: str
) -> None:
    tab = await opened(browser, base, services, who)
    await expect(tab.get_by_text("Your roles do not let you decide")).to_be_visible()
    await expect(tab.locator("form")).to_have_count(0)
    await tab.close()


async def test_another_site_presses_nobodys_button(
    browser: Browser, base: str, services: FakeServices
) -> None:
    tab = await opened(browser, base, services, "approver")
    asked = (await approval_now(services)).request
    await tab.route("https://evil.example/*", lambda route: route.fulfill(body="<h1>win</h1>"))
    await tab.goto("https://evil.example/")
    form = f"""() => {{
        const form = document.createElement("form");
        form.method = "post";
        form.action = "{base}/approvals/{asked.id}/approve";
        const said = [["plan_hash", "{asked.plan.hash}"], ["nonce", "{asked.nonce}"]];
        for (const [name, value] of said) {{
            const field = document.createElement("input");
            Object.assign(field, {{ name, value }});
            form.append(field);
        }}
        document.body.append(form);
        form.submit();
    }}"""
    await tab.evaluate(form)
    await tab.wait_for_url(f"{base}/**")
    assert await state(services) is State.WAITING
    await tab.close()


async def test_the_page_that_waits_tells_by_itself_what_somebody_else_decided(
    browser: Browser, base: str, services: FakeServices
) -> None:
    looking = await opened(browser, base, services, "responder")
    acting = await opened(browser, base, services, "approver")
    await acting.get_by_role("button", name="Approve the move").click()
    await expect(looking.locator("#standing")).to_contain_text("Approved by", timeout=15_000)
    for tab in (looking, acting):
        await tab.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 390)])
async def test_the_page_fits_a_phone_and_breaks_no_policy(
    browser: Browser,
    base: str,
    services: FakeServices,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    complaints: list[str] = []
    tab = await browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    await sign_in(tab, base, "approver", await link(services))
    tab.on("console", lambda said: complaints.append(said.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    await tab.reload()
    await expect(tab.locator("h1")).to_be_visible()
    assert await tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert complaints == []
    await tab.close()


async def test_from_the_incident_one_gets_to_the_plan_and_asks_for_a_rollback(
    browser: Browser, base: str, services: FakeServices
) -> None:
    tab = await browser.new_page()
    await sign_in(tab, base, "responder", f"/incidents/{INCIDENT.id}")
    await tab.get_by_role("link", name="Review the plan that waits").click()
    await tab.get_by_role("link", name="Everything about the incident").click()
    await tab.get_by_text("Roll back", exact=True).first.click()
    await tab.locator("#rollback-reason").fill("customers call")
    await tab.get_by_role("button", name="Ask for the rollback").click()
    await expect(tab.get_by_role("status").first).to_contain_text("Recorded")
    incident = await incident_now(services)
    assert incident.request is not None
    assert (incident.state, incident.request.by) == (State.OPENED, id_of("responder"))
    await tab.close()
