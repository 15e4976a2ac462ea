"""Problems: each error has its status, a refusal lists its failed rules, and nothing leaks."""

import json

import pytest

from shared.domain.views.problem import (
    answer_of,
    problem_from,
)
from shared.errors import (
    BackstopError,
    Conflict,
    Misconfigured,
    NotFound,
    RejectedInput,
    Unavailable,
)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RejectedInput("not-json", "send JSON"), 400, "not-json"),
        (NotFound("no incident x"), 404, "not-found"),
        (Conflict("somebody was first"), 409, "conflict"),
        (Unavailable("tables", "no answer"), 503, "unavailable"),
        (Misconfigured("BACKSTOP_ROLE is unset"), 503, "not-set-up"),
    ],
)
def test_each_error_has_its_status_and_type(error: BackstopError, status: int, code: str) -> None:
    problem = problem_from(error, "/api/alerts")
    assert (problem.status, problem.type) == (status, f"urn:backstop:problem:{code}")
    assert problem.instance == "/api/alerts"
    assert problem.detail


def test_the_body_has_the_members_of_the_standard_and_no_empty_ones() -> None:
    answer = answer_of(problem_from(RejectedInput("not-json", "send JSON")))
    assert answer.content_type == "application/problem+json"
    assert json.loads(answer.body) == {
        "type": "urn:backstop:problem:not-json",
        "title": "The request cannot be accepted",
        "status": 400,
        "detail": "send JSON",
    }
    assert answer.headers == {}


@pytest.mark.parametrize(("wait", "header"), [(5.0, "5"), (0.2, "1"), (2.1, "3")])
def test_a_part_that_is_out_says_when_to_come_again(wait: float, header: str) -> None:
    answer = answer_of(problem_from(Unavailable("tables", "no answer", wait)))
    assert (answer.status, answer.headers) == (503, {"Retry-After": header})


def test_what_is_set_up_wrongly_is_not_told_outside() -> None:
    told = problem_from(Misconfigured("BACKSTOP_ROLE is unset"))
    assert b"BACKSTOP_ROLE" not in answer_of(told).body
