"""The releases' page over a made-up world: it shows what is declared, and text stays text."""

import re
from urllib.parse import unquote

import pytest
from msgspec.structs import replace

from responders.reading.console import show_home, show_releases_page
from responders.watching.compare import compare
from shared.domain.decisions.release import Release
from shared.domain.views.http import Request
from shared.protocol.leftovers import Leftovers
from shared.protocol.lineage import release_puts
from tests.fakes import FakeServices
from tests.fakes.scene import NOW, SERVICE, SHARD, new_services
from tests.shared.domain.decisions.worked_case import LIVE

EVIL = "<script>alert(1)</script>"


def release(number: int, **changes: str) -> Release:
    made = replace(LIVE, service=SERVICE.name, version=f"2.{number}", registered_at=NOW)
    return replace(made, prompt_revision=f"p{number}", **changes)


async def store(services: FakeServices, *releases: Release) -> None:
    for one in releases:
        await services.state.write(SHARD, release_puts(one))


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def page(
    services: FakeServices, service: str = SERVICE.name, **query: str
) -> tuple[int, str]:
    answer = await show_releases_page(services, Request(path={"service": service}, query=query))
    return answer.status, answer.body.decode()


async def test_the_first_page_leads_to_the_releases(services: FakeServices) -> None:
    shown = (await show_home(services, Request())).body.decode()

    assert f'href="/releases/{SERVICE.name}"' in shown


async def test_nothing_registered_is_said(services: FakeServices) -> None:
    status, shown = await page(services)

    assert status == 200
    assert "No release is registered" in shown
    assert "Compare" not in shown


async def test_the_page_says_what_serves_and_what_nobody_explains(services: FakeServices) -> None:
    await store(services, release(1))
    await compare(services, Leftovers(messages={}, effects=[], intents=[]))
    services.endpoints.move({"v2": 60, "v1": 40})
    services.outside.wait(300)
    await compare(services, Leftovers(messages={}, effects=[], intents=[]))

    _, shown = await page(services)

    assert "serves 60 %" in shown
    assert "Unattributed change." in shown
    assert "waiting for a release that explains it" in shown


async def test_any_two_can_be_compared_on_the_page(services: FakeServices) -> None:
    await store(services, release(1), release(2))

    status, shown = await page(services, a="2.1", b="2.2")

    assert status == 200
    assert "From 2.1 to 2.2" in shown
    assert re.search(r"Prompt</th><td[^>]*>p1</td><td[^>]*>p2</td>", shown)


async def test_older_releases_are_a_page_further(services: FakeServices) -> None:
    await store(services, *(release(number) for number in range(14)))

    _, shown = await page(services)
    older = re.search(r'after=([^"]+)"', shown)

    assert older is not None
    assert (await page(services, after=unquote(older[1])))[1].count("<h3>") == 2


@pytest.mark.parametrize("query", [{}, {"a": "2.1", "b": "2.2"}])
async def test_what_a_pipeline_says_stays_text(
    services: FakeServices, query: dict[str, str]
) -> None:
    await store(services, release(1, why=EVIL, who=EVIL), release(2, model=EVIL, deployment=EVIL))

    status, shown = await page(services, **query)

    assert status == 200
    assert EVIL not in shown


@pytest.mark.parametrize("query", [{"service": "nobody's"}, {"a": "2.1", "b": "no such"}])
async def test_what_is_not_there_is_a_page_that_says_so(
    services: FakeServices, query: dict[str, str]
) -> None:
    assert (await page(services, **query))[0] == 404
