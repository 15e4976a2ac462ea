"""Golden cases: questions whose right answers are known, and how an answer is judged.

Part of the health check. A status of 200 proves nothing here: an answer must hold what it should,
in the shape that callers rely on, in time; and what the service must refuse, it must refuse.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

MOST_BYTES = 65_536  # of an answer that are read
_ANSWERED = range(200, 300)
_REFUSED = (400, 403, 404, 409, 413, 415, 422)  # not 408, 424 and 429: those are troubles

_KINDS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str) and value != "",
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "flag": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
KINDS = tuple(_KINDS)


class GoldenCase(msgspec.Struct, frozen=True, kw_only=True):
    """One question. The answer holds every one of `contains` and none of `lacks`, in any case.

    `schema` is the kind of each field that the answer must have; `refused`: the service must say
    no to it; `within_ms` is how long it may take.
    """

    name: str
    request: dict[str, Any]
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    schema: dict[str, str] = {}
    refused: bool = False
    within_ms: int = 2_000


class GoldenCases(msgspec.Struct, frozen=True, kw_only=True):
    """The cases of one service: how often they are asked, and what share of them must pass."""

    service: str
    cases: tuple[GoldenCase, ...]
    every_s: int = 300
    pass_share: float = 0.95
    concurrency: int = 4


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: `trouble` is why nothing did, "" where an answer came."""

    status: int = 0
    body: bytes = b""
    elapsed_ms: float = 0.0
    answered_by: str = ""
    trouble: str = ""


def judge(case: GoldenCase, reply: Reply) -> str:
    """What is wrong with the answer to a case, in a few words; "" where it passes."""
    if reply.trouble:
        return reply.trouble
    if case.refused:
        return "" if reply.status in _REFUSED else f"HTTP {reply.status} instead of a refusal"
    if reply.status not in _ANSWERED:
        return f"HTTP {reply.status}"
    return _judge_content(case, reply.body) or _judge_time(case, reply.elapsed_ms)


def _judge_content(case: GoldenCase, body: bytes) -> str:
    said = _said(body)
    missing = [wanted for wanted in case.contains if wanted.lower() not in said]
    if missing:
        return f"does not say {missing[0]!r}"
    unwanted = [one for one in case.lacks if one.lower() in said]
    if unwanted:
        return f"says {unwanted[0]!r}"
    return _judge_shape(case, body) if case.schema else ""


def _said(body: bytes) -> str:
    """The answer in lower case, and once more its texts as they read without JSON's escapes."""
    raw = body.decode("utf-8", "replace")
    return "\n".join([raw, *_texts(_decoded(body))]).lower()


def _texts(answer: object) -> Iterator[str]:
    # A list of what is left, not recursion: the answer says how deep it is.
    left: list[object] = [answer]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            left += reversed(value.values())
        elif isinstance(value, list):
            left += reversed(value)


def _decoded(body: bytes) -> object:
    """What the body is as JSON; None where it is none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _judge_shape(case: GoldenCase, body: bytes) -> str:
    answer = _decoded(body)
    if not isinstance(answer, dict):
        return "is no JSON object"
    wrong = [name for name, kind in case.schema.items() if not _KINDS[kind](answer.get(name))]
    return f"field {wrong[0]} is no {case.schema[wrong[0]]}" if wrong else ""


def _judge_time(case: GoldenCase, elapsed_ms: float) -> str:
    late = elapsed_ms > case.within_ms
    return f"took {elapsed_ms:.0f} ms, {case.within_ms} are allowed" if late else ""
