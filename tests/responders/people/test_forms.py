"""Forms: every page shows to each role what the door would let it press, and nothing else."""

import re
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from function_app import ROOT, ROUTES
from responders.evidence.hold import place_hold
from responders.people.control import set_kill_switch
from responders.people.freeze import set_freeze
from responders.reading.console import (
    show_approval_page,
    show_evidence_page,
    show_home,
    show_incident_page,
    show_quarantine_page,
)
from responders.reading.readiness import show_readiness_page
from responders.reading.slos import show_slos_page
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.authority.permissions import EVERYBODY_INSIDE, may
from shared.domain.incidents.incident import Incident
from shared.domain.reviews.review import Opening, ReviewKind, open_review
from shared.domain.views.http import Answer, Request
from shared.errors import RejectedInput
from shared.protocol.quarantine import keep_body
from shared.protocol.revise import Revision, revise
from shared.services import Services
from tests.fakes import FakeServices
from tests.fakes.callers import app, person
from tests.fakes.scene import INCIDENT, SERVICE
from tests.fakes.waiting import CHIEF, approval_now, waiting_services

type Page = Callable[[Services, Request], Awaitable[Answer]]

_TARGET = re.compile(r'(?:form[^>]* method="post"[^>]* action|formaction)="([^"]+)"')
_LINK = re.compile(r'<a [^>]*href="(/[^"#?]*)"')
AUDITOR = person(AppRole.AUDITOR)


@pytest.fixture
async def services() -> FakeServices:
    """A world in which everything waits that a form is shown for."""
    made = await waiting_services()
    for respond, asked in (
        (set_kill_switch, {"scope": "*", "on": True, "reason": "a test"}),
        (set_freeze, {"scope": "*", "on": True, "reason": "a test", "minutes": 5}),
        (place_hold, {"scope": SERVICE.name, "reason": "a test"}),
    ):
        await respond(made, Request(body=msgspec.json.encode(asked), caller=CHIEF))
    await keep_body(made, "api/alerts", b"{", RejectedInput("not-json", "it is cut"))
    await revise(made, INCIDENT.id, _reviewed)
    return made


def _reviewed(incident: Incident) -> Revision:
    kind = ReviewKind.EMERGENCY_WAIVER
    opening = Opening(kind=kind, about="x", why="a test", by="backstop", days=5, zone="UTC")
    opened = open_review(incident, opening, incident.changed_at)
    return Revision(step=opened.step, writes=opened.writes)


async def pages(services: FakeServices, caller: Caller | None) -> list[tuple[str, str]]:
    """Every page that this caller may open, by the name of its route."""
    waits = (await approval_now(services)).request.id
    every: list[tuple[Page, str]] = [
        (show_home, ""),
        (show_incident_page, INCIDENT.id),
        (show_approval_page, waits),
        (show_evidence_page, ""),
        (show_quarantine_page, ""),
        (show_readiness_page, ""),
        (show_slos_page, ""),
    ]
    shown = []
    for page, key in every:
        if may(caller, page.__name__):
            answer = await page(services, Request(path={"id": key}, caller=caller))
            assert answer.status == 200
            shown.append((page.__name__, answer.body.decode()))
    return shown


def pressed(html: str) -> set[tuple[str, str]]:
    """The routes and actions of all forms of a page."""
    return {_route("POST", target) for target in _TARGET.findall(html)}


def _route(method: str, target: str) -> tuple[str, str]:
    """The route that serves an address, and the action that it names."""
    for name, verb, path, _ in ROUTES:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", "" if path == ROOT else path)
        found = re.fullmatch(f"/{pattern}", target)
        if verb == method and found:
            return name, found.groupdict().get("action", "")
    raise AssertionError(f"nothing serves {method} {target}")


@pytest.mark.parametrize("role", EVERYBODY_INSIDE)
async def test_no_form_and_no_link_leads_to_a_closed_door(
    services: FakeServices, role: AppRole
) -> None:
    caller = person(role)
    for page, html in await pages(services, caller):
        shut = [one for one in pressed(html) if not may(caller, *one)]
        links = {_route("GET", link) for link in _LINK.findall(html)}
        shut += [one for one in links if not may(caller, *one)]
        assert shut == [], page


@pytest.mark.parametrize("role", EVERYBODY_INSIDE)
async def test_what_the_door_lets_in_has_its_form(services: FakeServices, role: AppRole) -> None:
    caller = person(role)
    shown = {one for _, html in await pages(services, caller) for one in pressed(html)}
    everything = {
        one for _, html in await pages(services, person(*EVERYBODY_INSIDE)) for one in pressed(html)
    }
    assert {name for name, _ in everything} == {
        name for name, method, path, _ in ROUTES if method == "POST" and path[:4] != "api/"
    }
    assert shown == {one for one in everything if may(caller, *one)}


async def test_nobody_and_no_program_has_a_form(services: FakeServices) -> None:
    assert await pages(services, None) == []
    program = app(*EVERYBODY_INSIDE)
    assert [page for page, html in await pages(services, program) if pressed(html)] == []


async def test_whoever_acted_has_no_form_for_the_review_of_it(services: FakeServices) -> None:
    def lone(incident: Incident) -> Revision:
        opening = Opening(
            kind=ReviewKind.LONE_APPROVAL,
            about="y",
            why="a test",
            by=CHIEF.id,
            role=CHIEF.role,
            days=5,
            zone="UTC",
        )
        opened = open_review(incident, opening, incident.changed_at)
        return Revision(step=opened.step, writes=opened.writes)

    await revise(services, INCIDENT.id, lone)
    counts = [
        (await show_home(services, Request(caller=one))).body.decode().count('action="/reviews/')
        for one in (CHIEF, AUDITOR)
    ]
    assert counts == [1, 2]
