"""The API's description: every route is told, by the tables by which the app serves."""

from typing import Any

import jsonschema_rs
import msgspec
import pytest

import function_app
from function_app import ROUTES
from shared.domain.authority.permissions import permission_of
from shared.domain.views.http import Request
from tests.fakes.scene import new_services

DESCRIBE = next(respond for name, *_, respond in ROUTES if name == "describe")
API = {
    (f"/{path}", method.lower()): name
    for name, method, path, _ in ROUTES
    if path.startswith("api/") and name != "describe"
}


@pytest.fixture
async def document() -> dict[str, Any]:
    answer = await DESCRIBE(new_services(), Request())
    found: dict[str, Any] = msgspec.json.decode(answer.body)
    return found


async def test_every_route_of_the_api_is_told_and_no_other(document: dict[str, Any]) -> None:
    told = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert told == set(API)


async def test_each_says_what_it_does_and_who_may_call_it(document: dict[str, Any]) -> None:
    for (path, method), name in API.items():
        operation, permission = document["paths"][path][method], permission_of(name)
        assert operation["operationId"] == name
        assert operation["summary"].endswith((".", "?"))
        assert operation["security"] == [{"token": []}]
        assert operation["x-roles"] == sorted({*permission.people, *permission.apps})


async def test_whatever_is_posted_has_a_schema_and_it_refuses_strange_fields(
    document: dict[str, Any],
) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert ("requestBody" in operation) == (method == "post"), path
    schemas = document["components"]["schemas"]
    body = document["paths"]["/api/kill-switch"]["post"]["requestBody"]["content"]
    validator = jsonschema_rs.validator_for(
        {**body["application/json"]["schema"], "components": {"schemas": schemas}}
    )
    good = {"scope": "*", "on": True, "reason": "strange decisions"}
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "who": "somebody"})
    assert not validator.is_valid({**good, "on": "yes"})


def test_it_is_not_open_to_everybody() -> None:
    assert not permission_of("describe").public
    assert function_app.ROUTES
