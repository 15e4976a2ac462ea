"""The drills page over a simulated world of one route, with a real process to be killed."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.processes import Child, Children, says
from infra.local.simulation.plan import Ports
from infra.local.start import drills as room
from infra.local.start.buttons import DRILLS
from infra.local.start.drills import Drills, create_drills
from infra.local.world import Addresses
from tests.infra.local.inbox.serving import serving

STATUS = {
    "traffic": {"v1": 100, "v2": 0},
    "recent": {"swedencentral": {"all": 40, "good": 20}, "westeurope": {"all": 60, "good": 60}},
}


WATCHING = {
    "rules": [
        {
            "name": "fnol-summary-part",
            "title": "one region burns",
            "every": "PT1M",
            "window": "PT1H",
            "series": 6,
            "firing": ["region, swedencentral"],
        }
    ],
    "panels": [
        {
            "title": "Error budgets",
            "columns": ["Slo"],
            "rows": [["<availability>"]],
            "left_out": 7,
        },
        {"title": "What changed", "columns": [], "rows": [], "left_out": 0},
    ],
}


class World:
    """The control route and the API in one: keeps what it was told."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.releases: list[str] = []
        self.services: list[str] = []
        self.refuses = False

    async def status(self, _: Request) -> Response:
        return JSONResponse(STATUS)

    async def watching(self, request: Request) -> Response:
        self.services.append(request.query_params["service"])
        return JSONResponse(WATCHING)

    async def drill(self, request: Request) -> Response:
        self.done.append(request.path_params["name"])
        self.services.append(request.query_params["service"])
        return JSONResponse({}, status_code=409 if self.refuses else 200)

    async def load(self, _: Request) -> Response:
        self.done.append("load")
        return JSONResponse({})

    async def register(self, request: Request) -> Response:
        said = await request.json()
        self.releases.append(said["deployment"])
        self.services.append(said["service"])
        return JSONResponse({}, status_code=201)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/status", self.status),
                Route("/watching", self.watching),
                Route("/load", self.load, methods=["POST"]),
                Route("/drills/{name}", self.drill, methods=["POST"]),
                Route("/api/releases", self.register, methods=["POST"]),
            ]
        )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[Child]:
    program = "import time; print('ready', flush=True); time.sleep(60)"
    with Children(tmp_path) as children:
        child = children.start("executor", [sys.executable, "-c", program], ready=says("ready"))
        child.wait_ready()
        yield child


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


@pytest.fixture
async def drills(
    world: World, executor: Child, session: aiohttp.ClientSession
) -> AsyncIterator[Drills]:
    async with serving(world.app()) as url:
        port = int(url.rsplit(":", 1)[1])
        ports = Ports(bus=1, logs=1, arm=1, scoring=1, inbox=1, control=port, issuer=port)
        where = Addresses(tables=1, blobs=1, responder=port, executor=1, ports=ports)
        yield Drills(where, executor, session)


@pytest.fixture
async def page(drills: Drills) -> AsyncIterator[str]:
    async with serving(create_drills(drills)) as url:
        yield url


async def press(session: aiohttp.ClientSession, page: str, name: str, **headers: str) -> int:
    url = f"{page}/drills/{name}"
    async with session.post(url, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def shown(session: aiohttp.ClientSession, page: str) -> str:
    async with session.get(page) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_the_page_shows_who_serves_and_every_button(
    session: aiohttp.ClientSession, page: str
) -> None:
    html = await shown(session, page)
    assert "50 % good answers" in html
    assert all(f'action="/drills/{drill.name}"' in html for drill in DRILLS)


async def test_the_rules_and_the_workbook_of_a_service_are_a_page(
    session: aiohttp.ClientSession, page: str, world: World
) -> None:
    html = await shown(session, f"{page}/watching?service=fnol-summary")
    assert world.services == ["fnol-summary"]
    assert "region, swedencentral" in html
    assert "&lt;availability&gt;" in html
    assert html.count("7 more are not shown.") == html.count("more are not shown") == 1
    assert "Nothing was told in the last hour." in html


async def test_a_service_that_is_not_played_has_no_such_page(
    session: aiohttp.ClientSession, page: str
) -> None:
    async with session.get(f"{page}/watching?service=payments") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("name", [drill.name for drill in DRILLS if drill.name != "kill-executor"])
async def test_a_button_plays_its_drill_and_shows_the_page_again(
    session: aiohttp.ClientSession, page: str, world: World, name: str
) -> None:
    assert await press(session, page, name) == 303
    assert world.done == [name]


async def test_shipping_v2_is_registered_before_it_happens(
    session: aiohttp.ClientSession, page: str, world: World
) -> None:
    await press(session, page, "ship-v2")
    assert world.releases == ["v2"]


async def test_the_customers_come_once_the_serving_version_is_registered(
    drills: Drills, world: World
) -> None:
    await drills.start_load()
    assert (world.releases, world.done) == (["v1"], ["load"])


async def test_every_further_service_has_its_traffic_and_its_buttons(
    session: aiohttp.ClientSession, drills: Drills, world: World
) -> None:
    drills.further = ("quotes",)
    async with serving(create_drills(drills)) as url:
        html = await shown(session, url)
        assert 'action="/drills/ship-v2?service=quotes"' in html
        assert html.count("50 % good answers") == 2
        assert await press(session, url, "ship-v2?service=quotes") == 303
    assert (world.releases, world.done) == (["v2"], ["ship-v2"])
    assert world.services == ["quotes", "quotes"]


async def test_customers_come_to_further_services_once_they_are_registered(
    drills: Drills, world: World
) -> None:
    drills.further = ("quotes",)
    await drills.start_load()
    assert world.releases == ["v1", "v1"]
    assert world.services == ["fnol-summary", "quotes"]


async def test_the_executor_is_killed_and_comes_back(
    session: aiohttp.ClientSession,
    page: str,
    drills: Drills,
    executor: Child,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "DEAD_S", 0.0)
    before = executor.pid
    assert f"runs as process {before}" in await shown(session, page)
    assert await press(session, page, "kill-executor") == 303
    await drills.settled()
    assert executor.is_alive()
    assert executor.pid != before
    assert f"runs as process {executor.pid}" in await shown(session, page)


async def test_a_killed_executor_is_said_until_the_new_one_comes(
    session: aiohttp.ClientSession, page: str, executor: Child
) -> None:
    executor.kill()
    assert "killed; a new one comes in a moment" in await shown(session, page)


async def test_what_is_broken_is_said_until_it_is_healed(
    session: aiohttp.ClientSession, page: str
) -> None:
    for name in ("stale-index", "logs-out", "logs-out"):
        await press(session, page, name)
    assert "the index stands still, the logs are out<" in await shown(session, page)
    await press(session, page, "heal")
    assert "<dd>nothing</dd>" in await shown(session, page)


async def test_what_the_world_refuses_is_said_and_nothing_is_called_broken(
    session: aiohttp.ClientSession, page: str, world: World
) -> None:
    world.refuses = True
    async with session.post(f"{page}/drills/logs-out") as answer:
        html = await answer.text()
    assert answer.status == 200
    assert "Not done: Take the logs out." in html
    assert "<dd>nothing</dd>" in html


async def test_an_unknown_drill_does_nothing(
    session: aiohttp.ClientSession, page: str, world: World
) -> None:
    assert await press(session, page, "format-disk") == 404
    assert world.done == []


async def test_another_site_s_page_may_not_break_anything(
    session: aiohttp.ClientSession, page: str, world: World
) -> None:
    assert await press(session, page, "ship-v2", **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert world.done == []


@pytest.mark.parametrize(("name", "status"), [("console.css", 200), ("../drills.html", 404)])
async def test_the_page_has_the_console_s_looks_and_no_other_files(
    session: aiohttp.ClientSession, page: str, name: str, status: int
) -> None:
    async with session.get(f"{page}/assets/{name}") as answer:
        assert answer.status == status
