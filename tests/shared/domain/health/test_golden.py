"""Golden cases: an answer is right by what it says, by its shape and its time, never by its 200."""

import msgspec
import pytest

from shared.domain.health.golden import GoldenCase, Reply, judge

CASE = GoldenCase(
    name="burst-pipe",
    request={"claim_id": "G-01", "text": "Water in the kitchen."},
    contains=("G-01", "Water"),
    lacks=("withheld",),
    schema={
        "summary": "text",
        "tokens": "number",
        "final": "flag",
        "parts": "list",
        "by": "object",
    },
    within_ms=500,
)
RIGHT = {
    "summary": "G-01: water in the kitchen",
    "tokens": 12,
    "final": True,
    "parts": [],
    "by": {},
}


def reply(answer: object = RIGHT, **changes: object) -> Reply:
    usual = Reply(status=200, body=msgspec.json.encode(answer), elapsed_ms=500)
    return msgspec.structs.replace(usual, **changes)


def test_a_right_answer_passes() -> None:
    assert judge(CASE, reply()) == ""


def test_words_are_read_as_people_would_and_not_as_json_escapes_them() -> None:
    case = msgspec.structs.replace(CASE, contains=('the "Café" roof',), schema={}, lacks=())
    escaped = rb'{"parts": [{"said": "The \"Caf\u00e9\" roof leaks"}]}'
    assert judge(case, reply(body=escaped)) == ""
    unwanted = msgspec.structs.replace(CASE, contains=(), schema={}, lacks=("café",))
    assert judge(unwanted, reply(body=escaped)) == "says 'café'"


def test_an_answer_of_any_depth_is_judged() -> None:
    deep = b'{"x": ' * 5_000 + b'"G-01 water"' + b"}" * 5_000
    case = msgspec.structs.replace(CASE, schema={})
    assert judge(case, reply(body=deep)) == ""


@pytest.mark.parametrize(
    ("wrong", "trouble"),
    [
        (reply({**RIGHT, "summary": "G-02: water"}), "does not say 'G-01'"),
        (reply({**RIGHT, "summary": "G-01 water (withheld)"}), "says 'withheld'"),
        (reply({**RIGHT, "tokens": "12"}), "field tokens is no number"),
        (reply({**RIGHT, "tokens": True}), "field tokens is no number"),
        (reply({**RIGHT, "final": 1}), "field final is no flag"),
        (reply({**RIGHT, "parts": {}}), "field parts is no list"),
        (reply({**RIGHT, "by": None}), "field by is no object"),
        (
            reply({**RIGHT, "note": RIGHT.get("nothing"), "summary": ""} | {"x": "G-01 water"}),
            "field summary is no text",
        ),
        (reply(["G-01 water"]), "is no JSON object"),
        (reply(body=b"<html>G-01 water"), "is no JSON object"),
        (reply(elapsed_ms=501.0), "took 501 ms, 500 are allowed"),
        (reply(status=424), "HTTP 424"),
        (reply(status=302), "HTTP 302"),
        (Reply(trouble="no answer in time"), "no answer in time"),
    ],
)
def test_what_is_wrong_is_named(wrong: Reply, trouble: str) -> None:
    assert judge(CASE, wrong) == trouble


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (400, ""),
        (422, ""),
        (200, "HTTP 200 instead of a refusal"),
        (424, "HTTP 424 instead of a refusal"),
        (429, "HTTP 429 instead of a refusal"),
        (500, "HTTP 500 instead of a refusal"),
    ],
)
def test_what_must_be_refused_is_refused_and_does_not_merely_fail(
    status: int, trouble: str
) -> None:
    refused = GoldenCase(name="no-claim", request={}, refused=True)
    assert judge(refused, Reply(status=status)) == trouble


def test_nothing_in_time_is_no_refusal() -> None:
    refused = GoldenCase(name="no-claim", request={}, refused=True)
    assert judge(refused, Reply(trouble="no answer in time")) == "no answer in time"
