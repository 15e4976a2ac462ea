"""Describe: the API's own description, made from the routes by which the app serves."""

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

from shared.domain.authority.permissions import permission_of
from shared.domain.views.http import Answer, json_answer
from shared.domain.views.openapi import Described
from shared.domain.views.openapi import describe as document
from shared.services import Services

ANYTHING = "*"  # a body that is read tolerantly: alerts come in many schemas


class Placed(Protocol):
    """What answers a route, by its place: see `function_app.Later`."""

    @property
    def module(self) -> str:
        """Where it is."""

    @property
    def name(self) -> str:
        """Its name there."""

    @property
    def body(self) -> str:
        """The struct beside it that it takes; "" for none."""

    @property
    def query(self) -> tuple[str, ...]:
        """What it reads from the query string."""


async def describe(services: Services, routes: Sequence[tuple[str, str, str, Placed]]) -> Answer:
    """The description of these routes in OpenAPI 3.1, as JSON."""
    told = [_described(*route) for route in routes]
    return json_answer(document(told, services.settings.public_url))


def _described(name: str, method: str, path: str, place: Placed) -> Described:
    module = import_module(place.module)
    named = place.body not in ("", ANYTHING)
    return Described(
        name=name,
        method=method,
        path=path,
        says=getattr(module, place.name).__doc__ or name,
        permission=permission_of(name),
        body=getattr(module, place.body) if named else None,
        any_body=place.body == ANYTHING,
        query=place.query,
    )
