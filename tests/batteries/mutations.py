"""Mutations: real alerts spoiled in one to three ways, and plain noise, each from its own seed.

A document is spoiled as JSON (a member is lost, doubled, renamed, of another type, absurd) or as
bytes (`damages`: cut, flipped, in another encoding). What is sent beside it, the headers, is too.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from tests.batteries.damages import DAMAGES, noise, odd_headers
from tests.batteries.deliveries import EVENTS

EVERY = {path.stem: path.read_bytes() for path in sorted(EVENTS.glob("*.json"))}
READ: dict[str, Any] = {name: json.loads(body) for name, body in EVERY.items()}  # never changed
NAMES = sorted(EVERY)
MARK = "<script>alert('mark')</script>\u202e\u2028\x1b[31m"  # must not come back as it is
HUGE = "@huge@"  # stands for a number that json.dumps would not write
NOISE_SHARE = 0.1
DEEPER = 0.8  # how likely what lies inside of a place is spoiled, and not the place itself

type Place = tuple[Any, ...]
type Spoil = Callable[[Random, Any], Any]


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """One request to the webhook: how it was made, its body and its headers."""

    made: str
    body: bytes
    headers: dict[str, str] = {}


def posted(seed: str) -> Posted:
    """One request; the same seed makes the same."""
    chance = Random(seed)  # noqa: S311 - the same seed must make the same request
    if chance.random() < NOISE_SHARE:
        return Posted(made="noise", body=noise(chance), headers=odd_headers(chance))
    name = chance.choice(NAMES)
    document = READ[name]
    ways = [name]
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        spoil = chance.choice(SPOILS)
        ways.append(spoil.__name__)
        document = spoil(chance, document)
    body = _written(chance, document)
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        damage = chance.choice(DAMAGES)
        ways.append(damage.__name__)
        body = damage(chance, body)
    return Posted(made=" ".join(ways), body=body, headers=odd_headers(chance))


def _chosen(chance: Random, document: Any) -> Place:
    """A place in the document, found by walking down into it; () where it is no container."""
    path: Place = ()
    value = document
    while isinstance(value, dict | list) and value and (not path or chance.random() < DEEPER):
        step = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
        path, value = (*path, step), value[step]
    return path


def _changed(document: Any, path: Place, change: Callable[[Any], Any]) -> Any:
    """The same document with `change` made to what is at the path."""
    if not path:
        return change(document)
    copy = document.copy()
    copy[path[0]] = _changed(document[path[0]], path[1:], change)
    return copy


def drop(chance: Random, document: Any) -> Any:
    """A member or an item is missing."""
    path = _chosen(chance, document)

    def without(holder: Any) -> Any:
        copy = holder.copy()
        del copy[path[-1]]
        return copy

    return _changed(document, path[:-1], without) if path else document


def rename(chance: Random, document: Any) -> Any:
    """A member has another name, or another spelling of its own."""
    path = _chosen(chance, document)
    if not path or not isinstance(path[-1], str):
        return document
    name = path[-1]
    other = chance.choice((name.upper(), name + "\u0000", f" {name}", "", MARK, name[:-1]))
    return _changed(
        document, path[:-1], lambda holder: {other if k == name else k: holder[k] for k in holder}
    )


def retype(chance: Random, document: Any) -> Any:
    """Something of another type stands where a field was."""
    other = chance.choice(ODDITIES)
    return _changed(document, _chosen(chance, document), lambda _: other)


def retime(chance: Random, document: Any) -> Any:
    """A time at the edge of what a calendar knows, or beyond."""
    names = ("firedDateTime", "resolvedDateTime")
    path = ("data", "essentials", chance.choice(names))
    said = chance.choice(TIMES)
    try:
        return _changed(document, path[:-1], lambda holder: {**holder, path[-1]: said})
    except (KeyError, TypeError, AttributeError):
        return document


def nest(chance: Random, document: Any) -> Any:
    """A value lies at the bottom of many lists or objects."""
    depth, listed = chance.choice((3, 30, 62, 64, 70)), chance.random() < 0.5

    def deep(value: Any) -> Any:
        for _ in range(depth):
            value = [value] if listed else {"a": value}
        return value

    return _changed(document, _chosen(chance, document), deep)


def swell(chance: Random, document: Any) -> Any:
    """A value is very long: a text, a list, or an object of many members."""
    size = chance.choice((300, 3_000, 3_000, 20_000))
    long = chance.choice(
        (
            "x" * size,
            MARK * (size // 40),
            "\U0001f525" * (size // 4),
            ["a@b.example"] * (size // 12),
            {f"k{number}": number for number in range(size // 10)},
        )
    )
    return _changed(document, _chosen(chance, document), lambda _: long)


def cross(chance: Random, document: Any) -> Any:
    """A part of another kind of alert stands in its place."""
    other = READ[chance.choice(NAMES)]
    mine, path = _chosen(chance, document), _chosen(chance, other)
    for step in path:
        other = other[step]
    return _changed(document, mine, lambda _: other)


SPOILS: tuple[Spoil, ...] = (drop, rename, retype, retype, retime, nest, swell, cross)
ODDITIES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**18, 10**400, 1e308, HUGE, 5e-324),
    *(float("nan"), float("inf"), float("-inf")),
    *("", " ", MARK, "\ud83d", "\udc00x", "\u0000", "\ufeff", "\u200f\u202e\u2066", "Sev\u0663"),
    *("Fired", "Resolved", "Sev0", "null", "{}", "2026-11-20T09:14:07Z", "/", "//", "a/" * 50),
    *([], {}, [[]], [None], {"": ""}, [{}], {"name": []}, [MARK], {MARK: MARK}, ["x", 1, {}]),
)
TIMES: tuple[Any, ...] = (
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9999999-14:00"),
    *("1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z", "2026-11-21T10:30:01Z", "2027-01-01"),
    *("2026-02-30T00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T09:14:60Z", "2026-W47-5"),
    *("20261120T091407Z", "2026-11-20T09:14:07.22150830000Z", "2026-11-20 09:14:07+25:00"),
    *("\u0662\u0660\u0662\u0666-11-20T09:14:07Z", "1763630047", 1763630047, "-2026-11-20", "now"),
)


def _written(chance: Random, document: Any) -> bytes:
    """As JSON, ASCII or not; numbers that Python would not write are put in as text."""
    plain = chance.random() < 0.7
    text = json.dumps(document, ensure_ascii=plain, indent=chance.choice((None, None, 2)))
    digits = chance.choice(("9" * 4_300, "9" * 5_000, "1e999", "-1e-999", "0." + "3" * 9_000))
    return text.replace(f'"{HUGE}"', digits).encode("utf-8", "surrogatepass")
