"""Somebody else's service: nobody here knows the form of its requests.

Any JSON object is one. A question of the service's golden cases gets the answer that they call
right, made up from what they ask for: so its health check tells a good version from a bad one.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from infra.local.foundry.resources import Endpoint
from shared.domain.health.golden import GoldenCase

Request = dict[str, Any]

_EXAMPLES: Mapping[str, Any] = {
    "text": "as asked for",
    "number": 1,
    "flag": True,
    "list": [],
    "object": {},
}
SAID_IN = "answer"  # where the schema has no field of text


def read_request(body: bytes) -> Request:
    """Read a request; raises msgspec.DecodeError where it is no JSON object."""
    return msgspec.json.decode(body, type=Request)


def golden_case(endpoint: Endpoint, request: Request) -> GoldenCase | None:
    """Find the golden case that asks this, perhaps of another region: a probe chooses its own."""
    for case in endpoint.golden:
        if request == case.request:
            return case
    placeless = _placeless(request)
    asked = (case for case in endpoint.golden if not case.refused)
    return next((case for case in asked if _placeless(case.request) == placeless), None)


def right_answer(case: GoldenCase) -> dict[str, Any]:
    """Write an answer that `judge` lets pass: every field of its kind, all that it must say."""
    answer = {name: _EXAMPLES[kind] for name, kind in case.schema.items()}
    texts = [name for name, kind in case.schema.items() if kind == "text"]
    said_in = texts[-1] if texts else SAID_IN
    return {**answer, said_in: ", ".join(case.contains)}


def _placeless(request: Request) -> Request:
    return {name: value for name, value in request.items() if name != "region"}
