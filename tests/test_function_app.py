"""The table of contents: each role has its own functions, and imports no more than it needs.

What it names exists, though nothing of it is imported before it is called.
"""

import asyncio
import inspect
import json
import subprocess
import sys
from functools import cache
from typing import Any

import azure.functions as func
import msgspec
import pytest

import function_app
from function_app import COMMANDS, JOBS, ROUTES, Later
from infra.local.world import ROOT
from shared.domain.authority.permissions import PERMISSIONS, PUBLIC
from shared.domain.message import Message
from shared.domain.views.http import Answer, Request
from shared.domain.views.refusal import lead_to_sign_in
from shared.protocol.kept import count_waiting
from shared.services import Services
from shared.settings import Role
from tests.fakes import FakeServices
from tests.fakes.scene import new_services

NAMED = [value for value in vars(function_app).values() if isinstance(value, Later)]
ROUTED = [respond for _, _, _, respond in ROUTES if isinstance(respond, Later)]
COMMANDED = [handler for handlers in COMMANDS.values() for handler in handlers.values()]
TICKED = [job for jobs in JOBS.values() for job in jobs]


@pytest.mark.parametrize("later", [*NAMED, *ROUTED, *COMMANDED, *TICKED], ids=lambda one: one.name)
def test_what_is_imported_later_exists(later: Later) -> None:
    assert callable(later.find())


@pytest.mark.parametrize("later", [*ROUTED, *COMMANDED, *TICKED], ids=lambda one: one.name)
def test_what_is_called_later_can_be_awaited(later: Later) -> None:
    assert inspect.iscoroutinefunction(later.find())


async def test_a_later_function_is_called_with_its_arguments() -> None:
    assert await Later("asyncio", "sleep")(0, "slept") == "slept"
    assert await Later("asyncio", "wait_for")(asyncio.sleep(0, "in time"), 1) == "in time"


def test_the_names_of_routes_are_those_of_what_answers_them() -> None:
    named = {name: respond.name for name, _, _, respond in ROUTES if isinstance(respond, Later)}
    assert all(name == responder for name, responder in named.items())


@pytest.mark.parametrize("role", COMMANDS)
def test_the_bus_brings_each_app_the_commands_that_it_knows_and_no_other(role: Role) -> None:
    topology = json.loads((ROOT / "infra" / "servicebus.json").read_text())
    (topics,) = [space["Topics"] for space in topology["UserConfig"]["Namespaces"]]
    (work,) = [topic for topic in topics if topic["Name"] == "work"]
    (own,) = [one for one in work["Subscriptions"] if one["Name"] == role.value]
    labels = {rule["Properties"]["CorrelationFilter"]["Label"] for rule in own["Rules"]}
    assert labels == set(COMMANDS[role])


HEAVY = ("azure.", "aiohttp", "yaml", "jinja2", "pydantic", "responders.", "shared.adapters.")
START = """
import function_app, json, sys
modules = list(sys.modules)
found = {f.get_function_name(): f.get_trigger().type for f in function_app.app.get_functions()}
print(json.dumps({"functions": found, "modules": modules}))
"""
IMPORT_ALL_OF_RESPONDER = """
import sys, function_app as app
every = [respond for _, _, _, respond in app.ROUTES if isinstance(respond, app.Later)]
every += [*app.COMMANDS[app.Role.RESPONDER].values(), *app.JOBS[app.Role.RESPONDER], app.NOTIFY]
for later in every: later.find()
print(*sys.modules)
"""
ROOT_LAST = f"""
import sys
sys.path = [path for path in sys.path if path] + [{str(ROOT)!r}]
import function_app, shared, responders
print(shared.__path__[0], responders.__path__[0])
"""


def run(program: str, role: str | None) -> str:
    """What a new process prints that starts as the app of this role."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"BACKSTOP_ROLE": role} if role is not None else {},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


class Started(msgspec.Struct, frozen=True):
    """What a role registers (names and triggers), and the modules that it has imported by then."""

    functions: dict[str, str]
    modules: list[str]


@cache
def start(role: str | None) -> Started:
    """Start the app of a role."""
    return msgspec.json.decode(run(START, role), type=Started)


def test_the_responder_has_the_routes_its_commands_the_cards_and_a_tick() -> None:
    others = {"work": "serviceBusTrigger", "tell": "serviceBusTrigger", "tick": "timerTrigger"}
    routes = {name: "httpTrigger" for name, _, _, _ in ROUTES}
    assert start("responder").functions == routes | others


def test_the_executor_has_no_route() -> None:
    assert start("executor").functions == {
        "work": "serviceBusTrigger",
        "write_ledger": "serviceBusTrigger",
        "tick": "timerTrigger",
    }


@pytest.mark.parametrize("role", [None, "Executor"])
def test_an_unset_or_unknown_role_registers_nothing(role: str | None) -> None:
    assert start(role).functions == {}


@pytest.mark.parametrize("role", ["responder", "executor"])
def test_importing_the_app_imports_nothing_heavy_and_no_responder(role: str) -> None:
    heavy = [name for name in start(role).modules if name.startswith(HEAVY)]
    assert [name for name in heavy if not name.startswith("azure.functions")] == []


def test_nothing_of_the_responder_can_write_to_arm_or_to_the_ledger() -> None:
    loaded = run(IMPORT_ALL_OF_RESPONDER, "responder").split()
    assert "responders.alert.ingest" in loaded
    forbidden = (
        "azure.ai",
        "shared.adapters.endpoint",
        "shared.protocol.acting.act",
        "shared.protocol.evidence.ledger",
        "shared.adapters.signer",
        "responders.alert.enforce",
        "responders.evidence.record",
    )
    assert [name for name in loaded if name.startswith(forbidden)] == []


def test_the_app_finds_its_own_packages_with_its_folder_last_on_the_path() -> None:
    assert run(ROOT_LAST, "responder").split() == [f"{ROOT}/shared", f"{ROOT}/responders"]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> func.FunctionApp:
    """An empty app in which a test registers what it needs."""
    made = func.FunctionApp()
    monkeypatch.setattr(function_app, "app", made)
    monkeypatch.setitem(PERMISSIONS, "route", PUBLIC)
    return made


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> FakeServices:
    made = new_services()
    monkeypatch.setattr(function_app, "services", made)
    return made


def registered(app: func.FunctionApp, name: str) -> Any:
    """The function itself, as the worker would call it."""
    found = {one.get_function_name(): one.get_user_function() for one in app.get_functions()}
    return found[name]


@pytest.mark.usefixtures("services")
async def test_a_request_reaches_its_responder_as_it_came(app: func.FunctionApp) -> None:
    seen: list[Request] = []

    async def respond(_: Services, request: Request) -> Answer:
        seen.append(request)
        return Answer(status=202, body=b"{}", headers={"X-Said": "yes"})

    function_app._serve("route", "POST", "route/{id}", respond)
    answer = await registered(app, "route")(
        func.HttpRequest(
            "POST",
            "http://127.0.0.1/route/7",
            headers={"Content-Type": "text/plain"},
            params={"limit": "3"},
            route_params={"id": "7"},
            body=b"hello",
        )
    )

    assert (answer.status_code, answer.get_body(), answer.headers["X-Said"]) == (202, b"{}", "yes")
    assert answer.headers["Cache-Control"] == "no-store"  # it is for who asked, and nobody else
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    (request,) = seen
    assert (request.method, request.path, request.query) == ("POST", {"id": "7"}, {"limit": "3"})
    assert (request.headers["content-type"], request.body) == ("text/plain", b"hello")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://backstop.example/incidents/INC-1?did=a&b=c", "/incidents/INC-1?did=a&b=c"),
        ("https://backstop.example", "/"),
    ],
)
def test_the_target_is_the_path_and_query_that_were_asked_for(url: str, target: str) -> None:
    assert function_app._target(url) == target


def test_no_target_names_another_host() -> None:
    found = function_app._target("https://backstop.example//evil.example/")
    assert lead_to_sign_in(found).headers["Location"].endswith("=%2F")


class Received(func.ServiceBusMessage):
    """A message as the worker hands it over."""

    def __init__(
        self, subject: str | None, body: bytes, attempt: object = None, only_for: str = ""
    ) -> None:
        self._said = (subject, body, attempt)
        self._only_for = {"only_for": only_for} if only_for else {}

    @property
    def label(self) -> str | None:
        return self._said[0]

    @property
    def message_id(self) -> str:
        return "id-1"

    @property
    def application_properties(self) -> dict[str, object]:
        attempt = {} if self._said[2] is None else {"attempt": self._said[2]}
        return {**attempt, **self._only_for}

    def get_body(self) -> bytes:
        return self._said[1]


@pytest.mark.parametrize(("attempt", "read"), [(None, 1), (3, 3), ("4", 4), ("many", 1)])
def test_a_message_is_read_tolerantly(attempt: object, read: int) -> None:
    found = function_app._message(Received("triage", b"key\xff", attempt))

    assert found == Message(subject="triage", body="key\ufffd", message_id="id-1", attempt=read)


async def test_a_copy_for_another_subscription_is_done_with(
    app: func.FunctionApp, services: FakeServices
) -> None:
    function_app._work("executor", COMMANDS[Role.EXECUTOR])

    await registered(app, "work")(Received("triage", b"key", 2, "responder"))

    assert await count_waiting(services, 10) == 0


async def test_a_command_that_nobody_knows_is_kept_and_done_with(
    app: func.FunctionApp, services: FakeServices
) -> None:
    function_app._work("executor", COMMANDS[Role.EXECUTOR])

    await registered(app, "work")(Received("triage", b"key"))

    assert await count_waiting(services, 10) == 1
    assert services.bus.published["work"] == []


TURNS: list[Services] = []


async def note_turn(services: Services, _: object) -> None:
    TURNS.append(services)


async def test_a_tick_runs_its_jobs(app: func.FunctionApp, services: FakeServices) -> None:
    function_app._tick((Later("tests.test_function_app", "note_turn"),))

    await registered(app, "tick")(None)

    assert services in TURNS
