"""What each app ships: the packages that its code can reach, all of them and no other.

Read from the code alone, imports inside of functions among them. A responder counts by the
functions that triggers call, and what those call beside them; `shared/services.py`, which makes the
clients of both apps, by the attributes that are asked for.
"""

import ast
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import pytest

import function_app
from function_app import COMMANDS, JOBS, ROUTES, Later
from infra.local.world import ROOT
from shared.settings import Role

OURS = ("shared", "responders")
SERVICES = "shared.services"
BASES = frozenset({"services", "known", "self._services", "self.services"})
WORKER = {"azure-functions", "azure-functions-runtime"}  # what loads function_app.py itself
LATER = {name: one for name, one in vars(function_app).items() if isinstance(one, Later)}
APPS = (Role.RESPONDER, Role.EXECUTOR)


def entries(role: Role) -> dict[str, set[str]]:
    """The modules that the triggers of an app call, each with the functions that they call."""
    called = [*COMMANDS[role].values(), *JOBS[role], LATER["RUN_TICK"]]
    if role is Role.EXECUTOR:
        called.append(LATER["RECORD"])
    else:
        called += [respond for _, _, _, respond in ROUTES if isinstance(respond, Later)]
        called += [one for name, one in LATER.items() if name != "RECORD"]
        called.append(Later("shared.protocol.door.serve", "serve"))
    found: dict[str, set[str]] = {"shared.protocol.settle": {"settle", "settle_batch"}}
    for one in called:
        found.setdefault(one.module, set()).add(one.name)
    return found


@cache
def tree(module: str) -> ast.Module:
    path = ROOT / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text())


def parts(module: str, wanted: set[str] | None) -> list[ast.stmt]:
    """The statements that count: of a responder `wanted`, the functions, and their helpers."""
    body = [one for one in tree(module).body if not _is_for_types(one)]
    if wanted is None or not module.startswith("responders."):
        return body  # what others import may be called by any of them
    named = {
        one.name: one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    seen, waiting = set[str](), set(wanted)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= _names_in(named[name]) & named.keys() - seen if name in named else set()
    return [one for one in body if getattr(one, "name", "") in seen or one not in named.values()]


def _is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in _names_in(node.test)


def _names_in(node: ast.AST) -> set[str]:
    return {found.id for found in ast.walk(node) if isinstance(found, ast.Name)}


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that a piece of code imports, wherever in it."""
    for found in ast.walk(node):
        if isinstance(found, ast.Import):
            yield from (alias.name for alias in found.names)
        elif isinstance(found, ast.ImportFrom) and found.module:
            yield found.module
            whole = (f"{found.module}.{alias.name}" for alias in found.names)
            yield from (name for name in whole if is_module(name))


@cache
def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return name.startswith(OURS) and (path.is_dir() or path.with_suffix(".py").is_file())


def asked_for(node: ast.AST, bases: frozenset[str] = BASES) -> set[str]:
    """The names of all attributes of Services that a piece of code reads."""
    return {
        found.attr
        for found in ast.walk(node)
        if isinstance(found, ast.Attribute)
        and found.attr in clients()
        and ast.unparse(found.value) in bases  # last: it takes longest
    }


@cache
def clients() -> dict[str, ast.AST]:
    """The attributes of Services, and what makes each."""
    (services,) = (
        node
        for node in tree(SERVICES).body
        if isinstance(node, ast.ClassDef) and node.name == "Services"
    )
    return {
        node.name: node
        for node in services.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "close"
    }


class Reach(msgspec.Struct):
    """Of an app: its own modules, those of packages, and the clients that it asks Services for."""

    ours: set[str] = set()
    foreign: set[str] = set()
    asked: set[str] = set()


@cache
def reached(role: Role) -> Reach:
    """All that an app can come to import."""
    called, found = entries(role), Reach()
    waiting = {"shared.settings", "shared.services", *called}
    while waiting:
        module = waiting.pop()
        found.ours.add(module)
        pieces: list[ast.AST] = []
        if module != SERVICES:
            pieces += parts(module, called.get(module))
        new = {name for piece in pieces for name in asked_for(piece)} - found.asked
        pieces += [clients()[name] for name in _with_what_they_need(new)]
        found.asked |= _with_what_they_need(new)
        names = {name for piece in pieces for name in imported(piece)}
        waiting |= {name for name in names if is_module(name)} - found.ours
        found.foreign |= {name for name in names if not name.startswith(OURS)}
    return found


def _with_what_they_need(names: set[str]) -> set[str]:
    inner = {one for name in names for one in asked_for(clients()[name], frozenset({"self"}))}
    return names if inner <= names else _with_what_they_need(names | inner)


def distributions(modules: set[str]) -> set[str]:
    """The packages that these modules are of; the standard library is of none."""
    return {owner for module in modules if (owner := _owners().get(_file_of(module), ""))}


def _file_of(module: str) -> str:
    """Where a module is; a folder that only holds others is of nobody."""
    spec = importlib.util.find_spec(module)
    return spec.origin or "" if spec else ""


@cache
def _owners() -> dict[str, str]:
    shipped = pins("requirements.txt")
    return {
        str(Path(str(found.locate_file(file))).resolve()): name
        for found in importlib.metadata.distributions()
        if (name := _normal(found.name)) in shipped
        for file in found.files or ()
        if file.suffix in {".py", ".so"}
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: str) -> dict[str, str]:
    """Package and version of every line of a compiled file."""
    lines = (ROOT / file).read_text().splitlines()
    return dict(line.split("==") for line in lines if re.match(r"\w", line))


def named(file: str) -> set[str]:
    """The packages that a file asks for."""
    lines = (ROOT / file).read_text().splitlines()
    found = (re.match(r"[\w-]+", line) for line in lines)
    return {_normal(match[0]) for match in found if match}


@pytest.mark.parametrize("role", APPS)
def test_an_app_asks_for_what_its_code_imports_and_for_nothing_else(role: Role) -> None:
    assert distributions(reached(role).foreign) | WORKER == named(f"requirements-{role}.in")


@pytest.mark.parametrize("role", APPS)
def test_what_an_app_asks_for_is_compiled(role: Role) -> None:
    assert named(f"requirements-{role}.in") <= pins(f"requirements-{role}.txt").keys()


@pytest.mark.parametrize("role", APPS)
def test_both_apps_and_the_whole_have_the_same_versions(role: Role) -> None:
    assert pins(f"requirements-{role}.txt").items() <= pins("requirements.txt").items()


def test_the_whole_asks_for_what_the_apps_ask_for() -> None:
    apps = (named(f"requirements-{role}.in") for role in APPS)
    assert set().union(*apps) == named("requirements.in")


def test_azure_ai_ml_is_neither_in_the_responder_s_reach_nor_in_its_package() -> None:
    found = reached(Role.RESPONDER)
    assert [name for name in found.foreign if name.startswith("azure.ai")] == []
    assert [name for name in pins("requirements-responder.txt") if "ai-ml" in name] == []


def test_the_responder_asks_for_nothing_that_writes_to_arm_or_to_the_ledger() -> None:
    found = reached(Role.RESPONDER)
    assert {"endpoints", "sync_credential", "signer"} & found.asked == set()
    writers = {
        "shared.adapters.endpoint",
        "shared.protocol.acting.act",
        "shared.protocol.evidence.ledger",
    }
    assert (
        writers | {"responders.evidence.record", "responders.alert.enforce"}
    ) & found.ours == set()


def test_of_the_ledger_s_table_and_of_the_blobs_the_responder_only_reads() -> None:
    calls = {
        ast.unparse(node.func)
        for module in reached(Role.RESPONDER).ours - {SERVICES}
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call)
    }
    kept = {call for call in calls if call.startswith(("services.ledger.", "services.blobs."))}
    blobs = {"services.blobs.read", "services.blobs.names"}
    assert kept <= {"services.ledger.read", "services.ledger.scan", *blobs}


def test_the_executor_checks_no_token_and_calls_nobody() -> None:
    found = reached(Role.EXECUTOR)
    assert {"tokens", "teams", "pager"} & found.asked == set()
    assert {"shared.protocol.door.admit", "shared.adapters.tokens"} & found.ours == set()


def test_the_reach_is_the_real_one() -> None:
    found = reached(Role.EXECUTOR)
    known = {
        "responders.repair.reconcile",
        "shared.protocol.acting.actor",
        "shared.adapters.arm_client",
    }
    assert known <= found.ours
    assert "azure.ai.ml" in found.foreign
    assert {"endpoints", "sync_credential", "account"} <= found.asked
