"""Effects: which calls change the outside, and which of Backstop's functions can make them.

Both are read from the code, so that neither a new adapter's method nor a new responder can be
forgotten. A function may make a call where it names it, or names a function that may.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from shared.adapters.app_events import AppEvents
from shared.adapters.blobs import Blobs
from shared.adapters.bus import Bus
from shared.adapters.control_plane import ControlPlane
from shared.adapters.doorbell import Doorbell
from shared.adapters.endpoint import Endpoints
from shared.adapters.fired_alerts import FiredAlerts
from shared.adapters.logs import Logs
from shared.adapters.pager import Pager
from shared.adapters.scoring import Scoring
from shared.adapters.search_index import SearchIndexes
from shared.adapters.tables import Table
from shared.adapters.teams import Teams
from shared.adapters.vault_secrets import VaultSecrets

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("responders", "shared/protocol")
PARTS: Mapping[str, type] = {
    **dict.fromkeys(("state", "deliveries", "ledger", "index"), Table),
    "bus": Bus,
    "blobs": Blobs,
    "endpoints": Endpoints,
    "teams": Teams,
    "pager": Pager,
    "logs": Logs,
    "scoring": Scoring,
    "fired_alerts": FiredAlerts,
    "search": SearchIndexes,
    "app_events": AppEvents,
    "control_plane": ControlPlane,
    "doorbell": Doorbell,
    "secrets": VaultSecrets,
}
CHANGING = frozenset(
    {
        "write",
        "create",
        "publish",
        "resubmit_dead_letter",
        "discard_dead_letter",
        "write_traffic",
        "post",
        "send",
    }
)
READING = frozenset(
    {
        "read",
        "scan",
        "scan_readable",
        "query",
        "probe",
        "ask",
        "watermark",
        "page",
        "identify",
        "rights",
        "alert_rules",
        "webhooks",
        "ring",
        "dead_letters",
        "wait_idle",
        "warm",
        "close",
        "names",
        "prepare",
        "try_writing",  # what can change nothing: its condition can never be met
        "try_reading",
    }
)


def methods() -> set[str]:
    """The public calls of all adapters."""
    found = set()
    for kind in set(PARTS.values()):
        calls = inspect.getmembers(kind, inspect.iscoroutinefunction)
        found |= {name for name, _ in calls if not name.startswith("_")}
    return found


@cache
def effects_of(module: str, function: str) -> frozenset[str]:
    """The effects that a function may have, such as "state.write" and "bus.publish"."""
    found: set[str] = set()
    seen: set[str] = set()
    todo = [f"{module}:{function}"]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            for used in _uses().get(name, ()):
                (found.add if "." in used and ":" not in used else todo.append)(used)
    return frozenset(found)


@cache
def _uses() -> dict[str, set[str]]:
    """By "module:function", the functions and effects that it names."""
    uses: dict[str, set[str]] = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            uses |= _uses_in(module, ast.parse(path.read_text()))
    return uses


def _uses_in(module: str, tree: ast.Module) -> dict[str, set[str]]:
    known = dict(_known(module, tree))
    uses: dict[str, set[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            uses[f"{module}:{node.name}"] = set(_named(node, known, f"{module}:"))
        for name in _assigned(node):  # a table of functions, for one
            uses[f"{module}:{name}"] = set(_named(node, known, f"{module}:")) - {f"{module}:{name}"}
        if isinstance(node, ast.ClassDef):
            inside = f"{module}:{node.name}."
            parts = [part for part in node.body if isinstance(part, ast.AsyncFunctionDef)]
            uses |= {f"{inside}{p.name}": set(_named(p, known, inside)) for p in parts}
            uses[f"{module}:{node.name}"] = {f"{inside}{part.name}" for part in parts}
    return uses


def _known(module: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What the module's names mean."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((a.asname or a.name, f"{node.module}:{a.name}") for a in node.names)
    for node in tree.body:
        yield from ((name, f"{module}:{name}") for name in _assigned(node))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, f"{module}:{node.name}"


def _assigned(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else []
    targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _named(node: ast.AST, known: Mapping[str, str], inside: str) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in known:
            yield known[part.id]
        if isinstance(part, ast.Attribute):
            owner = part.value
            if isinstance(owner, ast.Name) and owner.id == "self":
                yield f"{inside}{part.attr}"
            called = owner.attr if isinstance(owner, ast.Attribute) else ""
            if called in PARTS and part.attr in CHANGING and hasattr(PARTS[called], part.attr):
                yield f"{called}.{part.attr}"


def importable(module: str, function: str) -> bool:
    """Whether there is such a function."""
    return callable(getattr(import_module(module), function, None))
