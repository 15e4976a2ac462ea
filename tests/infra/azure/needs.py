"""What each app asks of Azure, read from its code: every call of a client that it can reach.

The reach is that of `tests.test_requirements`. A client is an attribute of Services; what its
methods need of which resource stands in the tables below, which `test_grants` holds to what the
adapters really send.
"""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module

import msgspec

from shared.domain.message import CHANGES, SUBSCRIPTIONS, WORK
from shared.services import CONTAINERS, TABLES
from shared.settings import Role
from tests.test_requirements import BASES, SERVICES, clients, entries, parts, reached, tree

READ, WRITE = "read", "write"
OWN = "the app's own"
ALL_TOPICS = (WORK, CHANGES)
ALL_SUBSCRIPTIONS = tuple(f"{topic}/{name}" for topic, name in SUBSCRIPTIONS)


class Need(msgspec.Struct, frozen=True, order=True):
    """To do something with one resource: a kind of grants.json, its name, and what is done."""

    on: str
    name: str
    does: str


class Call(msgspec.Struct, frozen=True):
    """One use of a client: its method, and the first argument where that is a name or a text."""

    module: str
    client: str
    method: str
    argument: str = ""


# Tables: whether a method of `Table` reads or writes.
OF_TABLES = {
    "read": READ,
    "scan": READ,
    "scan_readable": READ,
    "write": WRITE,
    "try_writing": WRITE,
}
# Blobs: the same, of the container that is the first argument.
OF_BLOBS = {"read": READ, "names": READ, "create": WRITE, "try_writing": WRITE}
OF_BUS = {
    "publish": ("send",),
    "warm": ("send",),
    "dead_letters": ("receive",),
    "discard_dead_letter": ("receive",),
    "resubmit_dead_letter": ("receive", "send"),
}
READING_AN_ENDPOINT = (
    Need("endpoint", "", "read"),
    Need("endpoint", "", "read-deployments"),
    Need("foundry", "", "read"),
)
OF_OTHERS = {
    ("logs", "query"): (Need("workspace", "", "query"),),
    ("lately", "query"): (Need("workspace", "", "query"),),
    ("endpoints", "read"): READING_AN_ENDPOINT,
    ("endpoints", "wait_idle"): READING_AN_ENDPOINT,
    ("endpoints", "write_traffic"): (*READING_AN_ENDPOINT, Need("endpoint-traffic", "", "write")),
    ("scoring", "probe"): (Need("endpoint", "", "score"),),
    ("scoring", "ask"): (Need("endpoint", "", "score"),),
    ("search", "watermark"): (Need("search", "", "read-index"),),
    ("app_events", "send"): (Need("insights", "", "publish"),),
    ("fired_alerts", "page"): (Need("fired-alerts", "", "read"),),
    ("fired_alerts", "may_ask"): (),
    ("control_plane", "identify"): (),  # a token, and nothing that it is for
    ("control_plane", "rights"): (Need("endpoint", "", "read-rights"),),
    ("control_plane", "alert_rules"): (Need("fired-alerts", "", "read"),),
    ("control_plane", "webhooks"): (Need("fired-alerts", "", "read"),),
    ("signer", "sign"): (Need("key", "executor", "sign"),),
    ("signer", "public_key"): (Need("key", "executor", "sign"),),
    ("secrets", "try_reading"): (Need("vault", OWN, "secrets"),),
}
# Clients that ask nothing of Azure's: other people's services, and what is only ours.
OUTSIDE_AZURE = {
    "teams",
    "pager",
    "doorbell",
    "tokens",
    "pages",
    "catalog",
    "settings",
    "redactor",
    "now",
}
PURE = {"budget_query", "golden_of"}  # no client at all, or one that asks nobody
# Where a client is handed on by a name of its own: what is done with it there. Anything, elsewhere.
HANDED_ON = {
    ("shared.protocol.evidence.dossier", "state"): ("read", "scan"),
    ("responders.watching.warm", "logs"): (),
}


@cache
def needs(role: Role) -> frozenset[Need]:
    """All that the code of an app asks of Azure."""
    every = (need for call in calls(role) for need in needs_of(call))
    return frozenset(
        msgspec.structs.replace(need, name=str(role)) if need.name == OWN else need
        for need in every
    )


def needs_of(call: Call) -> Iterator[Need]:
    """What one call needs. Raises LookupError for a method that no table names."""
    if call.client in TABLES:
        yield Need("table", call.client, OF_TABLES[call.method])
    elif call.client == "blobs":
        names = [call.argument] if call.argument in CONTAINERS else CONTAINERS
        yield from (Need("container", name, OF_BLOBS[call.method]) for name in names)
    elif call.client == "bus":
        yield from _of_bus(call)
    elif call.client not in OUTSIDE_AZURE | PURE:
        yield from OF_OTHERS[call.client, call.method]


def _of_bus(call: Call) -> Iterator[Need]:
    for does in OF_BUS[call.method]:
        if does == "receive":
            named = (call.argument,) if call.argument in ALL_SUBSCRIPTIONS else ALL_SUBSCRIPTIONS
            yield from (Need("subscription", name, does) for name in named)
        else:
            named = (call.argument,) if call.argument in ALL_TOPICS else ALL_TOPICS
            yield from (Need("topic", name, does) for name in named)


def calls(role: Role) -> set[Call]:
    """Every use of a client in what an app can reach."""
    called = entries(role)
    return {
        call
        for module in reached(role).ours - {SERVICES}
        for piece in pieces(module, called.get(module))
        for call in _calls_in(module, piece)
    }


def pieces(module: str, wanted: set[str] | None) -> list[ast.stmt]:
    """The parts of a module that count, with the functions that its own tables name."""
    found = parts(module, wanted)
    if wanted is None or not module.startswith("responders."):
        return found
    tables = [one for one in found if isinstance(one, ast.Assign | ast.AnnAssign)]
    named = {name.id for one in tables for name in ast.walk(one) if isinstance(name, ast.Name)}
    functions = {getattr(one, "name", "") for one in tree(module).body}
    return parts(module, wanted | (named & functions))


def _calls_in(module: str, piece: ast.stmt) -> Iterator[Call]:
    arguments = {
        id(node.func): node.args
        for node in ast.walk(piece)
        if isinstance(node, ast.Call) and node.args
    }
    handed = {id(node) for node in ast.walk(piece) if _is_client(node)}
    for node in ast.walk(piece):
        if isinstance(node, ast.Attribute) and _is_client(node.value):
            handed.discard(id(node.value))
            argument = _named(module, arguments.get(id(node), []))
            yield Call(module, node.value.attr, node.attr, argument)  # type: ignore[attr-defined]
    for node in ast.walk(piece):
        if id(node) in handed and node.attr not in OUTSIDE_AZURE | PURE:  # type: ignore[attr-defined]
            client = node.attr  # type: ignore[attr-defined]
            for method in HANDED_ON.get((module, client), methods_of(client)):
                yield Call(module, client, method)


def methods_of(client: str) -> tuple[str, ...]:
    """All that a client can do, as far as the tables know."""
    if client in TABLES:
        return tuple(OF_TABLES)
    known = {"blobs": tuple(OF_BLOBS), "bus": tuple(OF_BUS)}
    return known.get(client) or tuple(method for name, method in OF_OTHERS if name == client)


def _is_client(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in clients()
        and ast.unparse(node.value) in BASES  # last: it takes longest
    )


def _named(module: str, arguments: list[ast.expr]) -> str:
    """The first argument; of a topic and its subscription both, "work/executor"."""
    first, second = ([_constant(module, one) for one in arguments[:2]] + ["", ""])[:2]
    both = f"{first}/{second}"
    return both if both in ALL_SUBSCRIPTIONS else first


def _constant(module: str, node: ast.expr | None) -> str:
    """What an argument is worth, where it is a text or a name of the module."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        found = getattr(import_module(module), node.id, "")
        return found if isinstance(found, str) else ""
    return ""
