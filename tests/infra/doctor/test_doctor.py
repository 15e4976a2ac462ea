"""`make doctor`: it says what failed first, and how to start where there is nothing to look at."""

import io
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from infra.azure import tools
from infra.doctor.__main__ import main
from infra.doctor.api import NotRunning
from infra.doctor.deployed import NAME, look_at_deployment
from infra.doctor.local import ask_local_world
from infra.doctor.table import Findings, Part, show
from responders.reading.readiness import show_readiness
from responders.watching.ready_executor import ready_executor
from shared.domain.readiness.check import Area, Check, Verdict, failed, passed
from shared.domain.views.http import Request
from shared.domain.windows import Once
from shared.errors import Refused
from tests.fakes import FakeServices, catalog_of
from tests.fakes.scene import NOW, SERVICE, new_services
from tests.infra.local.foundry.serving import served
from tests.simulation.crossing.scenes import NOTHING

OPEN = Once(start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=1), reason="patching")


def shown(findings: Findings) -> str:
    screen = Console(file=io.StringIO(), width=160)
    show(findings, screen)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def the(findings: Findings, name: str) -> Check:
    return next(c for part in findings.parts for c in part.checks if name in c.name)


async def test_a_world_that_was_never_started_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="no local world"):
        await ask_local_world(tmp_path / "start.json")


async def test_a_world_that_has_ended_is_said(tmp_path: Path) -> None:
    bulletin = tmp_path / "start.json"
    bulletin.write_bytes(msgspec.json.encode({"api": "http://127.0.0.1:9", "token": "t"}))
    with pytest.raises(NotRunning, match="does not answer"):
        await ask_local_world(bulletin)


def test_without_anything_to_look_at_it_says_how_to_begin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BACKSTOP_TABLES", raising=False)
    monkeypatch.setattr("infra.doctor.__main__.ask_local_world", lambda: ask_local_world(tmp_path))
    monkeypatch.setattr("infra.doctor.local._read", _nothing)
    assert main([]) == 1
    said = capsys.readouterr().out
    assert "make start" in said
    assert "az login" in said


def _nothing(_: Path) -> None:
    raise NotRunning("nobody is there")


def test_what_failed_comes_first_and_with_what_to_do() -> None:
    good, bad = passed(Area.BUS, "topic", "fine"), failed(Area.TABLES, "state", "shut", "open it")
    findings = Findings(parts=(Part(whose="Somebody", checks=(good, bad)),), stage="pilot")
    text = shown(findings)
    assert findings.failed
    assert text.index("shut") < text.index("fine")
    assert "open it" in text
    assert "2 checks: 1 failed, 0 unknown, 1 passed" in text


async def test_what_refuses_you_says_nothing_of_the_app() -> None:
    services = new_services()
    services.outside.deliveries.refuses = True
    services.control_plane.trouble = Refused("control-plane", "it answers 403")
    await ready_executor(services.another("the app"), NOTHING)

    found = await look_at_deployment(services, write=False)

    mine, app = found.parts
    verdicts = {check.name: check.verdict for check in mine.checks}
    assert verdicts["deliveries"] is Verdict.UNKNOWN
    assert {c.name: c.verdict for c in app.checks}["deliveries"] is Verdict.FAILED
    assert "executor" in app.whose


async def test_what_only_the_app_can_do_is_not_done_as_you() -> None:
    services = new_services(vault="https://kv.vault.azure.net")

    found = await look_at_deployment(services, write=False)

    assert services.app_events.sent == []
    areas = {check.area for part in found.parts for check in part.checks}
    assert not areas & {Area.TELEMETRY, Area.VAULT}


async def test_reports_that_the_tables_keep_from_you_are_asked_of_the_api(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever deploys owns the subscription, and may read no row of a table by that."""
    services = new_services()
    await ready_executor(services.another("the app"), NOTHING)
    shown = await show_readiness(services, Request())
    asked: list[str] = []

    async def answer(request: HttpRequest) -> Response:
        asked.append(request.headers["authorization"])
        return Response(shown.body)

    words: list[tuple[str, ...]] = []

    def az(*said: str) -> str:
        words.append(said)
        return '{"accessToken": "yours"}'

    monkeypatch.setattr(tools, "run", az)
    services.outside.state.refuses = True
    async with served(Starlette(routes=[Route("/api/readiness", answer)])) as url:
        settings = msgspec.structs.replace(services.settings, public_url=url, audience="our-app")
        found = await look_at_deployment(FakeServices(services.outside, settings), write=False)

    assert [part.whose.split(",")[0] for part in found.parts] == ["From here", "The executor"]
    assert asked == ["Bearer yours"]
    assert words[0][3:5] == ("--resource", "api://our-app")


async def test_where_nobody_tells_you_it_is_looked_from_here_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def az(*_: str) -> str:
        raise tools.ToolFailed("az is not installed")

    monkeypatch.setattr(tools, "run", az)
    services = new_services()
    services.outside.state.refuses = True
    found = await look_at_deployment(services, write=False)
    assert [part.whose for part in found.parts] == ["From here, as you"]
    assert found.stage == "pilot"


@pytest.mark.parametrize(
    ("write", "window", "verdict"),
    [
        (False, True, Verdict.UNKNOWN),
        (True, False, Verdict.UNKNOWN),
        (True, True, Verdict.PASSED),
    ],
)
async def test_a_write_is_made_only_where_it_was_asked_for_in_a_window(
    write: bool, window: bool, verdict: Verdict
) -> None:
    services = new_services()
    maintained = msgspec.structs.replace(SERVICE, maintenance=(OPEN,) if window else ())
    services.outside.catalog = catalog_of(maintained)
    before = dict(services.endpoints.snapshot.traffic)

    found = await look_at_deployment(services, write=write)

    assert the(found, NAME).verdict is verdict
    assert len(services.endpoints.writes) == int(verdict is Verdict.PASSED)
    assert dict(services.endpoints.snapshot.traffic) == before


def test_in_a_narrow_terminal_no_word_is_broken() -> None:
    remedy = "let a version serve well for its soak. v2 waits: an incident of its service is open."
    check = failed(Area.KNOWN_GOOD, "ep", "no version to go back to is known", remedy, "quotes")
    part = Part(whose="The responder", checks=(check,))
    screen = Console(file=io.StringIO(), width=80)
    show(Findings(parts=(part,), stage="pilot"), screen)
    assert isinstance(screen.file, io.StringIO)
    lines = screen.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert set(remedy.split()) <= {word for line in lines for word in line.split()}
