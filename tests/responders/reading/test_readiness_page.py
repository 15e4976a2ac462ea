"""The readiness page over a made-up world: what both apps found, and what to do about it."""

import re

import msgspec
import pytest

from responders.reading.console import show_home
from responders.reading.readiness import show_readiness_page
from responders.watching.ready_executor import ready_executor
from responders.watching.ready_responder import ready_responder
from shared.domain.authority.caller import AppRole
from shared.domain.readiness.check import Area, failed, passed
from shared.domain.readiness.report import Report
from shared.domain.row import Put
from shared.domain.views.http import Request
from shared.protocol.leftovers import Leftovers
from shared.protocol.waking import SHARD
from tests.fakes import FakeServices
from tests.fakes.callers import person
from tests.fakes.scene import NOW, SERVICE, new_services

EVIL = "<script>alert(1)</script>"
NOTHING = Leftovers(messages={}, effects=[], intents=[])
READER = Request(caller=person(AppRole.AUDITOR))


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def look(services: FakeServices) -> None:
    await ready_responder(services.another("responder"), NOTHING)
    await ready_executor(services.another("executor"), NOTHING)


async def page(services: FakeServices) -> str:
    answer = await show_readiness_page(services, READER)
    assert answer.status == 200
    return answer.body.decode()


async def test_before_any_look_everything_is_unknown_and_what_to_do_is_said(
    services: FakeServices,
) -> None:
    html = await page(services)

    assert "Backstop has not looked at itself yet." in html
    assert html.count("It has not looked at itself yet") == 2
    assert "make doctor" in html
    assert "passed" not in html


async def test_where_nothing_ever_looks_the_setting_is_named(services: FakeServices) -> None:
    off = msgspec.structs.replace(services.settings, readiness_every_s=0.0)
    html = await page(FakeServices(services.outside, off))
    assert html.count("BACKSTOP_READINESS_EVERY_S") == 2


async def test_both_looks_are_shown_with_what_to_do_and_the_stage(services: FakeServices) -> None:
    await look(services)
    services.outside.wait(150)

    html = await page(services)

    assert "The responder, by itself" in html
    assert "The executor, by itself" in html
    assert "2 min ago" in html
    assert "<strong>Pilot</strong>: Triage by hand" in html
    assert "Missing for MVP-Prod" in html
    assert "let a version serve well for its soak." in html
    assert "run <code>make generate</code>, then <code>azd provision</code>" in html
    assert f'href="#{SERVICE.name}"' not in html


async def test_what_is_out_is_unknown_and_never_passed(services: FakeServices) -> None:
    services.outside.bus.out = services.outside.signer.out = True
    await look(services)

    rows = re.findall(r"<tr class=\"(\w+)\">(.*?)</tr>", await page(services), re.DOTALL)

    silent = [(tone, row) for tone, row in rows if "could not be asked" in row]
    assert len(silent) > 2
    assert {tone for tone, _ in silent} == {"plain"}
    assert all("unknown" in row and "passed" not in row for _, row in silent)


async def test_what_passed_too_long_ago_is_not_shown_as_passed(services: FakeServices) -> None:
    await look(services)
    services.outside.wait(9 * 86_400)
    html = await page(services)
    assert "nobody has looked since" in html
    assert ", passed</span>" not in html


async def test_looking_changes_nothing(services: FakeServices) -> None:
    await look(services)
    before = services.state.rows(SHARD)
    await page(services)
    assert services.state.rows(SHARD) == before
    assert services.bus.published == {"work": [], "changes": []}


async def test_what_a_part_said_stays_text(services: FakeServices) -> None:
    found = failed(Area.TABLES, EVIL, EVIL, EVIL, EVIL)
    report = Report(app="responder", at=NOW, checks=(found,))
    await services.state.write(SHARD, [Put(row="readiness|responder", value=report)])
    assert EVIL not in await page(services)


async def test_tables_that_are_out_are_a_page_that_says_so(services: FakeServices) -> None:
    services.outside.tables_out(out=True)
    answer = await show_readiness_page(services, READER)
    assert answer.status == 503
    assert "tables is unavailable" in answer.body.decode()


async def test_the_first_page_says_it_in_short_and_leads_there(services: FakeServices) -> None:
    whole = Report(app="responder", at=NOW, checks=(passed(Area.BUS, "work", "it answers"),))
    await services.state.write(SHARD, [Put(row="readiness|responder", value=whole)])

    html = (await show_home(services, READER)).body.decode()

    assert html.count('href="/readiness"') == 2
    assert "Backstop could act now." in html
    assert "Stage <strong>Pilot</strong>" in html
