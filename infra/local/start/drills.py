"""The drills page: buttons that break the simulated world, and what one should see then.

It belongs to the process that owns the world, because only that one can kill a worker. Everything
else is played by the control route of the simulated services.
"""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import jinja2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.local.foundry.seed import FURTHER_PROMPTS, MODEL, SERVICE
from infra.local.processes import Child
from infra.local.start.buttons import DRILLS, Drill
from infra.local.world import Addresses
from shared.adapters.pages import FOLDER as CONSOLE
from shared.adapters.pages import HEADERS, TYPES

HERE = Path(__file__).parent / "pages"
ASSETS = ("console.css", "console.js", "icon.svg")
DEAD_S = 2.0


class Drills:
    """The buttons' handlers over one running world."""

    def __init__(
        self,
        addresses: Addresses,
        executor: Child,
        session: aiohttp.ClientSession,
        further: tuple[str, ...] = (),
    ) -> None:
        self._addresses = addresses
        self.further = further
        self._executor = executor
        self._session = session
        self._restarts: set[asyncio.Task[None]] = set()
        self._broken: list[str] = []
        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader([HERE, CONSOLE]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        templates.globals["asset"] = "/assets/{}".format
        self._page = templates.get_template("drills.html")
        self._watching = templates.get_template("watching.html")

    async def show(self, request: Request) -> Response:
        """The page."""
        did, refused = (request.query_params.get(name, "") for name in ("did", "refused"))
        html = self._page.render(
            drills=DRILLS,
            status=await self.status(),
            further={name: await self.status(name) for name in self.further},
            executor=self.executor(),
            broken=self._broken,
            addresses=self._addresses,
            did=_title(did),
            refused=_title(refused),
        )
        return HTMLResponse(html, headers=HEADERS)

    async def watching(self, request: Request) -> Response:
        """The page of what watches a service: its alert rules, and its rows of the workbook."""
        names = (SERVICE, *self.further)
        asked = request.query_params.get("service", SERVICE)
        if asked not in names:
            return JSONResponse({"known": names}, status_code=404)
        url = f"{self._addresses.control}/watching"
        async with self._session.get(url, params={"service": asked}) as answer:
            answer.raise_for_status()
            found = await answer.json(content_type=None)
        html = self._watching.render(
            addresses=self._addresses, service=asked, services=names, **found
        )
        return HTMLResponse(html, headers=HEADERS)

    async def play(self, request: Request) -> Response:
        """Do what a button says, and show the page again."""
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return JSONResponse({"error": "only the drills page may do this"}, status_code=403)
        name = request.path_params["name"]
        drill = next((drill for drill in DRILLS if drill.name == name), None)
        if drill is None:
            return JSONResponse({"known": [drill.name for drill in DRILLS]}, status_code=404)
        service = request.query_params.get("service", SERVICE)
        try:
            await self._do(name, service)
        except aiohttp.ClientResponseError:  # the simulated service will not
            return RedirectResponse(f"/?refused={name}", status_code=303)
        self._remember(drill)
        return RedirectResponse(f"/?did={name}", status_code=303)

    async def _do(self, name: str, service: str) -> None:
        if name == "kill-executor":
            self._kill()
        else:
            await self.play_drill(name, service)

    def _remember(self, drill: Drill) -> None:
        if drill.name == "heal":
            self._broken.clear()
        elif drill.breaks and drill.breaks not in self._broken:
            self._broken.append(drill.breaks)

    async def status(self, service: str = SERVICE) -> dict[str, Any]:
        """What an observer of the simulated world sees of a service."""
        url = f"{self._addresses.control}/status"
        async with self._session.get(url, params={"service": service}) as answer:
            found: dict[str, Any] = await answer.json(content_type=None)
            return found

    def executor(self) -> str:
        """Whether the executor runs, and as which process."""
        if not self._executor.is_alive():
            return "killed; a new one comes in a moment"
        return f"runs as process {self._executor.pid}"

    async def start_load(self) -> None:
        """Register the versions that serve, and let the customers come."""
        for service in (SERVICE, *self.further):
            await register_release(self._session, self._addresses, "v1", service)
        await self._post(f"{self._addresses.control}/load")

    async def settled(self) -> None:
        """Wait until a killed executor is back."""
        await asyncio.gather(*self._restarts)

    async def play_drill(self, name: str, service: str = SERVICE) -> None:
        """Do one of the things that the simulated services can play."""
        if name == "ship-v2":
            await register_release(self._session, self._addresses, "v2", service)
        await self._post(f"{self._addresses.control}/drills/{name}", service)

    async def _post(self, url: str, service: str = SERVICE) -> None:
        async with self._session.post(url, params={"service": service}) as answer:
            answer.raise_for_status()

    def _kill(self) -> None:
        if self._executor.is_alive():
            self._executor.kill()
            task = asyncio.create_task(self._start_again())
            self._restarts.add(task)
            task.add_done_callback(self._restarts.discard)

    async def _start_again(self) -> None:
        await asyncio.sleep(DEAD_S)
        self._executor.start()


def _title(name: str) -> str:
    return next((drill.title for drill in DRILLS if drill.name == name), "")


async def register_release(
    session: aiohttp.ClientSession, addresses: Addresses, deployment: str, service: str = SERVICE
) -> None:
    """Tell Backstop of a release, as a pipeline does before it ships."""
    first = {"v1": "p12", "v2": "p13"}
    prompt = (first if service == SERVICE else FURTHER_PROMPTS)[deployment]
    release = {
        "service": service,
        "version": f"{deployment}-{prompt}",
        "deployment": deployment,
        "why": {"v1": "the version of last month", "v2": "shorter answers"}[deployment],
        "prompt_revision": prompt,
        "model": MODEL,
    }
    if service == SERVICE:  # of the others nobody knows whether they have an index
        release["index_version"] = "policy-wordings-41"
    async with session.post(f"{addresses.api}/api/releases", json=release) as answer:
        answer.raise_for_status()


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in ASSETS:
        return Response(status_code=404)
    kind = TYPES[Path(name).suffix]
    content = (CONSOLE / "assets" / name).read_bytes()
    return Response(content, media_type=kind, headers={"Cache-Control": "no-cache"})


def create_drills(drills: Drills) -> Starlette:
    """The page as an app."""
    return Starlette(
        routes=[
            Route("/", drills.show),
            Route("/watching", drills.watching),
            Route("/drills/{name}", drills.play, methods=["POST"]),
            Route("/assets/{name}", _asset),
        ]
    )
