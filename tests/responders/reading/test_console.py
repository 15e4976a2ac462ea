"""The pages, over a made-up world: what is stored is shown, what is out is said to be unknown."""

import re
from datetime import timedelta
from urllib.parse import unquote

import msgspec
import pytest
from msgspec.structs import replace

from responders.evidence.order import order_by_form
from responders.reading.console import (
    show_asset,
    show_evidence_page,
    show_home,
    show_incident_page,
    show_quarantine_page,
)
from shared.domain.authority.caller import AppRole
from shared.domain.diagnosis.telemetry import AnswerStatus
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import State
from shared.domain.row import Put
from shared.domain.views.http import Answer, Request
from shared.errors import RejectedInput
from shared.protocol.commit import event_row
from shared.protocol.quarantine import keep_body
from tests.fakes import FakeServices
from tests.fakes.callers import person
from tests.fakes.scene import INCIDENT, NOW, SERVICE, SHARD, new_services, store_case

AUDITOR = person(AppRole.AUDITOR)
COMMANDER = person(AppRole.COMMANDER)
EVIL = "<script>alert(1)</script>"
REFUSED = RejectedInput("not-json", EVIL)


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def home(services: FakeServices, did: str = "") -> Answer:
    return await show_home(services, Request(query={"did": did}, caller=COMMANDER))


async def incident_page(services: FakeServices, incident: str = INCIDENT.id) -> Answer:
    return await show_incident_page(services, Request(path={"id": incident}, caller=COMMANDER))


async def quarantine_page(services: FakeServices, after: str = "") -> Answer:
    return await show_quarantine_page(services, Request(query={"after": after}, caller=COMMANDER))


def told(answer: Answer) -> str:
    return answer.body.decode()


async def test_the_first_page_shows_services_and_what_is_open(services: FakeServices) -> None:
    await store_case(services)
    answer = await home(services)
    assert answer.status == 200
    for expected in (SERVICE.title, "automatic", "rolls back on its own", INCIDENT.id, "v1"):
        assert expected in told(answer)


async def test_an_empty_world_has_nothing_open(services: FakeServices) -> None:
    assert "Nothing is open." in told(await home(services))


async def test_a_resolved_incident_is_not_open_any_more(services: FakeServices) -> None:
    await store_case(services, state=State.RESOLVED)
    shown = told(await home(services))
    assert "Nothing is open." in shown
    assert "Earlier" in shown


async def test_logs_that_are_out_make_the_budget_unknown(services: FakeServices) -> None:
    services.logs.fail("budgets")
    answer = await home(services)
    assert answer.status == 200
    assert "unknown" in told(answer)


async def test_tables_that_are_out_are_a_page_and_a_log_line_that_say_so(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.outside.tables_out(out=True)
    answer = await home(services)
    assert answer.status == 503
    assert "tables is unavailable" in told(answer)
    assert "show_home: tables is unavailable" in caplog.text


async def test_reloading_the_page_does_not_ask_the_logs_again(services: FakeServices) -> None:
    await store_case(services)
    for _ in range(5):
        await home(services)
        await incident_page(services)
    assert sorted(name for name, _ in services.logs.asked) == ["budgets", "onset", "slices"]


async def test_looking_changes_nothing(services: FakeServices) -> None:
    await store_case(services)
    before = services.state.rows(SHARD)
    await home(services)
    await incident_page(services)
    assert services.state.rows(SHARD) == before
    assert services.bus.published == {"work": [], "changes": []}


async def test_the_incident_s_page_has_everything_that_is_stored(services: FakeServices) -> None:
    await store_case(services)
    shown = told(await incident_page(services))
    for expected in (INCIDENT.id, "SEV1", "Acknowledge", "Findings", "Timeline"):
        assert expected in shown


async def test_the_chart_shows_the_versions_of_the_last_minutes(services: FakeServices) -> None:
    await store_case(services)
    rows = [
        {
            "TimeGenerated": NOW - timedelta(minutes=minute),
            "Deployment": "v2",
            "Region": "swedencentral",
            "Total": 50,
            "Failed": 20,
            "P95Ms": 900.0,
        }
        for minute in range(1, 10)
    ]
    services.logs.answer("onset", rows)
    shown = told(await incident_page(services))
    assert '<svg class="chart"' in shown
    assert "180 (40 %)" in shown


@pytest.mark.parametrize("status", [AnswerStatus.UNAVAILABLE, AnswerStatus.TIMED_OUT])
async def test_without_logs_there_is_no_chart_and_all_else(
    services: FakeServices, status: AnswerStatus
) -> None:
    await store_case(services)
    services.logs.fail("onset", status)
    answer = await incident_page(services)
    assert answer.status == 200
    assert "The logs did not answer" in told(answer)


async def test_the_timeline_stays_text_whatever_it_says(services: FakeServices) -> None:
    await store_case(services, title=EVIL)
    event = ChangeEvent(
        id="x",
        kind=EventKind.NOTED,
        service=SERVICE.name,
        incident=INCIDENT.id,
        sequence=3,
        actor=EVIL,
        what=EVIL,
        why=EVIL,
        happened_at=NOW,
        recorded_at=NOW,
    )
    await services.state.write(SHARD, [Put(row=event_row(INCIDENT.id, 3), value=event)])
    shown = told(await incident_page(services))
    assert EVIL not in shown
    assert shown.count("&lt;script&gt;") >= 4


async def test_a_resolved_incident_has_no_buttons(services: FakeServices) -> None:
    await store_case(services, state=State.RESOLVED)
    assert "<form" not in told(await incident_page(services))


async def test_an_acknowledged_incident_offers_command_only(services: FakeServices) -> None:
    await store_case(services, acknowledged_by="Dana")
    shown = told(await incident_page(services))
    assert ">Acknowledge<" not in shown
    assert "Take command" in shown


@pytest.mark.parametrize("unknown", ["INC-00-261123-00000000", "nope", "../x", "a|b"])
async def test_an_unknown_incident_is_a_page_too(services: FakeServices, unknown: str) -> None:
    answer = await incident_page(services, unknown)
    assert answer.status == 404
    assert "There is no such thing" in told(answer)


async def test_an_incident_of_a_service_that_is_gone_can_be_read(services: FakeServices) -> None:
    await store_case(services)
    services.outside.catalog = replace(services.outside.catalog, services={})
    assert (await incident_page(services)).status == 200


async def test_drills_are_linked_where_there_are_any(services: FakeServices) -> None:
    local = new_services(drills_url="http://127.0.0.1:7074")
    assert "Drills" in told(await home(local))
    assert "Drills" not in told(await home(services))


async def test_what_waits_in_quarantine_is_said_on_the_first_page(services: FakeServices) -> None:
    assert "/quarantine" not in told(await home(services))
    for number in range(2):
        await keep_body(services, "api/alerts", b'{"schemaId": %d' % number, REFUSED)
    shown = told(await home(services))
    assert "2 inputs could not be taken" in shown
    assert 'href="/quarantine"' in shown


async def test_noise_in_quarantine_is_not_said_on_the_first_page(services: FakeServices) -> None:
    for number in range(3):
        await keep_body(services, "api/alerts", b"%d" % number, REFUSED)
    await keep_body(services, "api/alerts", b'{"schemaId"', REFUSED)

    assert "1 input could not be taken" in told(await home(services))


async def test_the_quarantine_has_a_button_for_everything_that_waits(
    services: FakeServices,
) -> None:
    key = await keep_body(services, "api/alerts", EVIL.encode(), REFUSED)
    shown = told(await quarantine_page(services))
    assert f'action="/quarantine/{key}/resubmit"' in shown
    assert f'action="/quarantine/{key}/discard"' in shown
    assert "not-json" in shown
    assert EVIL not in shown


async def test_the_quarantine_goes_on_behind_its_first_page(services: FakeServices) -> None:
    for number in range(60):
        await keep_body(services, "api/alerts", b"%d" % number, REFUSED)
    first = told(await quarantine_page(services))
    (older,) = re.findall(r'href="/quarantine\?after=([^"]+)"', first)
    rest = told(await quarantine_page(services, unquote(older)))
    assert (first.count("<form"), rest.count("<form")) == (100, 20)
    assert "Older" not in rest


async def test_an_empty_quarantine_says_so(services: FakeServices) -> None:
    assert "Everything could be taken." in told(await quarantine_page(services))


async def test_files_come_by_their_name(services: FakeServices) -> None:
    good = await show_asset(services, Request(path={"name": "console.css"}))
    bad = await show_asset(services, Request(path={"name": "secrets.env"}))
    assert (good.status, bad.status) == (200, 404)


async def test_the_evidence_page_shows_orders_and_forms(services: FakeServices) -> None:
    empty = told(await show_evidence_page(services, Request(caller=AUDITOR)))
    body = msgspec.json.encode({"first": "2026-11-01", "last": "2026-11-02"})
    await order_by_form(services, Request(body=body, caller=AUDITOR))

    page = told(await show_evidence_page(services, Request(caller=AUDITOR)))

    assert "Nothing was ordered yet." in empty
    assert "All that was recorded from 2026-11-01T00:00:00" in page
    assert "to 2026-11-03T00:00:00" in page
    assert "Begins in a moment." in page
