"""What the table of contents names exists, though nothing of it is imported before it is called."""

import asyncio
import inspect
import subprocess
import sys

import pytest

import function_app
from function_app import COMMANDS, JOBS, ROUTES, Later
from infra.local.world import ROOT

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


@pytest.mark.parametrize("role", ["responder", "executor"])
def test_importing_the_app_imports_no_responder(role: str) -> None:
    program = "import sys, function_app; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"BACKSTOP_ROLE": role},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    loaded = done.stdout.decode().split()
    assert not [name for name in loaded if name.startswith(("responders.", "shared.adapters."))]
