"""Foreign JSON: how bytes become plain values, and how one reads a field that may be anything.

The door of intake. `read_object` refuses what no honest sender writes, each with its own reason;
behind it the readers (`text`, `fields`, `items`, `moment`) never raise: a wrong type costs the
field and nothing else.
"""

import json
import math
import re
from collections import Counter
from datetime import UTC, datetime
from typing import NoReturn

from shared.errors import RejectedInput

MAX_BODY = 307_200  # bytes; Azure Monitor sends at most 256 KB
MAX_DEPTH = 64
MAX_TEXT = 2_048  # characters that are kept of one field

type Fields = dict[str, object]

# Strings are matched whole, even unterminated ones, so that the scan stays linear on any bytes.
_BRACKETS_AND_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+\\?"?|[\[\]{}]', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " ")
# They turn the rest of the line around that they are shown in: "devloser" would read "resolved".
_TURNING = dict.fromkeys([0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_UNSHOWN: dict[int, str | None] = {**_CONTROLS, **_TURNING}


def read_object(body: bytes) -> Fields:
    """Read one JSON object, or raise RejectedInput with the reason why it is none of ours.

    Reasons: too-large, empty-body, too-deep, not-json, duplicate-keys, not-finite, lone-surrogate,
    not-an-object.
    """
    if len(body) > MAX_BODY:
        raise RejectedInput("too-large", f"{len(body)} bytes; at most {MAX_BODY} are read")
    if not body.strip():
        raise RejectedInput("empty-body", "send the alert as JSON in the body")
    _refuse_depth(body)
    document = _decode(body)
    _refuse_lone_surrogates(body, document)
    if not isinstance(document, dict):
        raise RejectedInput("not-an-object", "the body must be one JSON object")
    return document


def canonical(document: Fields) -> str:
    """Write the object so that the order of its members does not matter."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def text(value: object) -> str:
    """Read a short text without controls of any kind; "" for anything else."""
    if not isinstance(value, str):
        return ""
    kept = value[:MAX_TEXT].strip()
    return kept if kept.isprintable() else kept.translate(_UNSHOWN).strip()


def scalar(value: object) -> str:
    """Read a text, or a number or truth value as text; "" for anything else."""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return text(value)


def fields(value: object) -> Fields:
    """Read an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """Read a list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def moment(value: object) -> datetime | None:
    """Read an ISO 8601 time as UTC, with up to seven fractional digits; None for anything else."""
    try:
        read = datetime.fromisoformat(text(value))
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _refuse_depth(body: bytes) -> None:
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return  # as good as every alert
    depth = 0
    for match in _BRACKETS_AND_STRINGS.finditer(body):
        token = match[0]
        depth += (token in b"[{") - (token in b"]}")
        if depth > MAX_DEPTH:
            raise RejectedInput("too-deep", f"nested deeper than {MAX_DEPTH} levels")


def _decode(body: bytes) -> object:
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_constant=_not_finite,
            parse_float=_finite,
        )
    except ValueError as error:
        raise RejectedInput("not-json", f"the body is not JSON in UTF-8: {error}") from error


def _unique(pairs: list[tuple[str, object]]) -> Fields:
    members = dict(pairs)
    if len(members) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise RejectedInput("duplicate-keys", f"member {twice[:80]!a} occurs twice in one object")
    return members


def _finite(literal: str) -> float:
    number = float(literal)
    return number if math.isfinite(number) else _not_finite(literal)


def _not_finite(literal: str) -> NoReturn:
    raise RejectedInput("not-finite", f"{literal[:20]} is not a finite number")


def _refuse_lone_surrogates(body: bytes, document: object) -> None:
    if not _SURROGATE_ESCAPE.search(body):
        return
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise RejectedInput("lone-surrogate", "a text holds half a surrogate pair") from error
