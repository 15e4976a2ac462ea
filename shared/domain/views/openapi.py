"""The API's own description (OpenAPI 3.1): every route, what it takes, and what it may answer.

Made from the same tables by which the app serves: the routes, the structs of their bodies and who
may call them. What is served without being told here, or told without being served, cannot be.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from shared.domain.authority.permissions import Permission
from shared.domain.views.http import HTML, JSON, PROBLEM

VERSION = "1"  # of the API: it is raised when something that callers rely on goes
PROBLEM_SCHEMA = "Problem"
_NAMED = re.compile(r"{(\w+)}")
_STORED = ("202", "Stored: nothing that was answered so is lost")
_SUCCESS = {"ingest": _STORED, "take_signal": _STORED}
_REFUSALS = {
    "400": "The request cannot be accepted; `detail` says what is wrong with it",
    "401": "No valid token came with the request",
    "403": "The caller's roles do not open this route",
    "404": "There is no such thing",
    "409": "Somebody else was first, or it may not be done now",
    "429": "Too many calls, or too many that were refused; wait",
    "503": "A part does not answer; nothing was done, try again after Retry-After",
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "rules": {"type": "array", "items": {"type": "object"}},
        "freeze": {"type": "object"},
        "retry_after_s": {"type": "number"},
    },
}


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """One route to be told of. `body` is the struct of its JSON body; None where it takes none.

    `says` is its responder's docstring, of which the first paragraph counts. `query` are the names
    that it reads from the query string. `any_body`: it takes any JSON object, as alerts are.
    """

    name: str
    method: str
    path: str
    says: str
    permission: Permission
    body: type[msgspec.Struct] | None = None
    any_body: bool = False
    query: tuple[str, ...] = ()


def describe(routes: Iterable[Described], server: str) -> dict[str, Any]:
    """The document, ready to be written as JSON."""
    every = list(routes)
    bodies = [route.body for route in every if route.body is not None]
    schemas, components = msgspec.json.schema_components(bodies, ref_template=_REFERENCE)
    by_body = dict(zip(bodies, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in every:
        schema = by_body.get(route.body) if route.body else None
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = _operation(route, schema)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Backstop", "version": VERSION},
        "servers": [{"url": server}] if server else [],
        "paths": paths,
        "components": {
            "schemas": {**components, PROBLEM_SCHEMA: _PROBLEM},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


_REFERENCE = "#/components/schemas/{name}"


def _operation(route: Described, schema: dict[str, Any] | None) -> dict[str, Any]:
    said = " ".join(route.says.split("\n\n")[0].split())
    found: dict[str, Any] = {
        "operationId": route.name,
        "summary": said,
        "parameters": [*_in_path(route), *_in_query(route)],
        "responses": _answers(route),
        "x-roles": sorted({*route.permission.people, *route.permission.apps}),
    }
    if not route.permission.public:
        found["security"] = [{"token": []}]
    if schema is not None or route.any_body:
        content = {JSON: {"schema": schema or {"type": "object"}}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _in_path(route: Described) -> list[dict[str, Any]]:
    text = {"type": "string", "minLength": 1}
    return [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in _NAMED.findall(route.path)
    ]


def _in_query(route: Described) -> list[dict[str, Any]]:
    number = {"type": "integer", "minimum": 1}
    return [
        {"name": name, "in": "query", "schema": number if name == "limit" else {"type": "string"}}
        for name in route.query
    ]


def _answers(route: Described) -> dict[str, Any]:
    status, means = _SUCCESS.get(route.name, ("200", "Done, or found"))
    page = {HTML: {"schema": {"type": "string"}}}
    data = {JSON: {"schema": {"type": "object"}}}
    problem = {PROBLEM: {"schema": {"$ref": _REFERENCE.format(name=PROBLEM_SCHEMA)}}}
    good = {"description": means, "content": data if route.path.startswith("api/") else page}
    refusals = {code: {"description": told, "content": problem} for code, told in _REFUSALS.items()}
    return {status: good, **refusals}
