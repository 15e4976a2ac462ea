"""Buttons: a form does what the API does, from a page of ours only, and ends in a redirect."""

from pathlib import Path
from urllib.parse import urlencode

import pytest

from responders.people.control import set_kill_switch
from responders.people.handle import handle
from responders.people.press import FORM, LONGEST_FORM, MOST_FIELDS, press, read_form
from responders.repair.quarantine import resubmit
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.incidents.incident import Severity, State
from shared.domain.views.http import Answer, Request
from shared.errors import RejectedInput
from shared.protocol.kept import read_kept
from shared.protocol.quarantine import keep_body
from shared.protocol.records import read_controls
from tests.fakes import FakeServices
from tests.fakes.callers import BEN, person
from tests.fakes.scene import INCIDENT, SERVICE, incident_now, kinds, new_services, store_case

EVENTS = Path(__file__).parents[2] / "events"
DANA = person(AppRole.COMMANDER)
OURS = {"content-type": FORM, "sec-fetch-site": "same-origin"}


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made)
    return made


async def pressed(
    services: FakeServices,
    action: str,
    headers: dict[str, str] = OURS,
    caller: Caller = DANA,
    **fields: str,
) -> Answer:
    request = Request(
        method="POST",
        path={"id": INCIDENT.id, "action": action},
        headers=headers,
        body=urlencode(fields).encode(),
        caller=caller,
    )
    return await press(handle)(services, request)


async def test_acknowledging_shows_the_page_again(services: FakeServices) -> None:
    answer = await pressed(services, "acknowledge")
    assert answer.status == 303
    assert answer.headers["Location"] == f"/incidents/{INCIDENT.id}?did=acknowledge"
    assert (await incident_now(services)).acknowledged_by == DANA.id


@pytest.mark.parametrize("local", ["2026-11-23T14:02", "2026-11-23T14:02:31"])
def test_a_moment_of_a_form_is_utc_as_its_page_says(local: str) -> None:
    body = urlencode({"at": local}).encode()
    request = Request(method="POST", headers=OURS, body=body)
    assert read_form(request) == {"at": "2026-11-23T14:02:00Z"}


async def test_every_button_of_the_page_works(services: FakeServices) -> None:
    await pressed(services, "command")
    await pressed(services, "notes", text="first\r\nsecond")
    await pressed(services, "severity", severity="SEV2", why="few users")
    await pressed(services, "resolve", why="over")
    incident = await incident_now(services)
    assert (incident.commander, incident.severity) == (DANA.id, Severity.SEV2)
    assert incident.notes[0].text == "first\r\nsecond"
    assert incident.state is State.RESOLVED


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": FORM, "sec-fetch-site": "cross-site"}, 403),
        ({"content-type": FORM, "origin": "https://evil.example"}, 403),
        ({"content-type": FORM}, 403),
        ({"content-type": "text/plain", "sec-fetch-site": "same-origin"}, 400),
        ({"sec-fetch-site": "same-origin"}, 400),
    ],
)
async def test_what_is_no_form_of_ours_does_nothing(
    services: FakeServices, headers: dict[str, str], status: int
) -> None:
    answer = await pressed(services, "acknowledge", headers)
    assert answer.status == status
    assert (await incident_now(services)).acknowledged_by == ""
    assert kinds(services) == []


async def test_without_a_reason_nothing_happens_and_a_page_says_why(
    services: FakeServices,
) -> None:
    answer = await pressed(services, "resolve", why="   ")
    assert answer.status == 400
    assert b"why" in answer.body
    assert f'href="/incidents/{INCIDENT.id}"'.encode() in answer.body


async def test_who_was_second_is_told_who_was_first(services: FakeServices) -> None:
    await pressed(services, "acknowledge")
    answer = await pressed(services, "acknowledge", caller=person(AppRole.RESPONDER, id=BEN))
    assert answer.status == 409
    assert f"already acknowledged by {DANA.id}".encode() in answer.body


async def test_an_unknown_action_is_refused(services: FakeServices) -> None:
    assert (await pressed(services, "delete")).status == 400


async def test_the_kill_switch_has_a_form_too(services: FakeServices) -> None:
    fields = {"scope": SERVICE.name, "on": "true", "reason": "x", "minutes": "30"}
    body = urlencode(fields).encode()
    request = Request(method="POST", headers=OURS, body=body, caller=DANA)
    answer = await press(set_kill_switch)(services, request)
    assert answer.headers["Location"] == "/?did=kill-switch"
    (switch,) = (await read_controls(services)).kill_switches
    assert switch.stops(SERVICE.name, services.now())


async def test_a_resubmit_has_a_form_that_leads_back_to_the_quarantine(
    services: FakeServices,
) -> None:
    body = (EVENTS / "metric_static_fired.json").read_bytes()
    key = await keep_body(services, "api/alerts", body, RejectedInput("not-json", "no"))
    request = Request(
        method="POST", path={"id": key}, headers=OURS, body=b"why=mended", caller=DANA
    )
    answer = await press(resubmit, "/quarantine")(services, request)
    assert answer.headers["Location"] == "/quarantine?did=done"
    assert (await read_kept(services, key)).value.by == DANA.id


def form(body: bytes) -> Request:
    return Request(headers=OURS, body=body)


def test_empty_fields_are_left_out_and_the_rest_has_its_type() -> None:
    fields = read_form(form(b"name=+Dana+&why=&on=false&minutes=30&text=%E2%9C%93"))
    assert fields == {"name": "Dana", "on": False, "minutes": 30, "text": "\u2713"}


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"no form at all",
        b"a=1&" * MOST_FIELDS + b"a=1",
        b"text=" + b"x" * LONGEST_FORM,
    ],
)
def test_what_cannot_be_a_form_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedInput):
        read_form(form(body))
