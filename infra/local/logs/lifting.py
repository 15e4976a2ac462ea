"""Takes out of a query what changes from call to call, so that its translation can be kept.

Our queries begin with `let` statements: the caller's strings, times and thresholds, and instants
made from the clock, such as `let End = bin(now() - Lag, Bin);`. All of them become declared
parameters. Timespans and whole numbers stay: the translator chooses its SQL by them.
"""

import json
import re
from datetime import UTC, datetime

import msgspec

type Value = str | datetime | float

_SKIP = re.compile(r"\s+|//[^\n]*")
_LET = re.compile(r"let\s+(\w+)\s*=\s*([^;\"'\n]+|\"(?:[^\"\\\n]|\\.)*\")\s*;")
_DATETIME = re.compile(r"datetime\(([0-9T:.+-]+Z?)\)")
_REAL = re.compile(r"real\((-?[0-9.]+(?:e[+-]?[0-9]+)?)\)")
_INSTANT = re.compile(r"bin\(now\(\)[^()]*\)|ago\([^()]*\)|now\([^()]*\)")
_NAME = re.compile(r"\b[A-Za-z_]\w*")
_CLOCK_FUNCTIONS = {"bin", "now", "ago"}


class Lifted(msgspec.Struct, frozen=True, kw_only=True):
    """A query with declared parameters in place of its first `let` statements.

    `values` are the parameters that are known; `instants` maps the others to a query that prints
    them, to be asked with the clock of the moment. Datetimes are naive UTC.
    """

    text: str
    values: dict[str, Value]
    instants: dict[str, str]


def lift(text: str) -> Lifted:
    """Turn leading strings, datetimes, reals and instants into parameters; keep other `let`s."""
    values: dict[str, Value] = {}
    instants: dict[str, str] = {}
    kept: dict[str, str] = {}
    position = _skip(text, 0)
    while match := _LET.match(text, position):
        name, expression = match[1], match[2].strip()
        value = _literal(expression)
        if value is not None:
            values[name] = value
        elif _is_instant(expression, kept):
            instants[name] = "\n".join([*kept.values(), f"print {expression}"])
        else:
            kept[name] = match[0]
        position = _skip(text, match.end())
    lines = [*_declaration(values, instants), *kept.values(), text[position:]]
    return Lifted(text="\n".join(lines), values=values, instants=instants)


def _declaration(values: dict[str, Value], instants: dict[str, str]) -> list[str]:
    typed = [f"{name}:{_kusto_type(value)}" for name, value in values.items()]
    typed += [f"{name}:datetime" for name in instants]
    return [f"declare query_parameters({', '.join(typed)});"] if typed else []


def _skip(text: str, position: int) -> int:
    while match := _SKIP.match(text, position):
        position = match.end()
    return position


def _literal(text: str) -> Value | None:
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:  # an escape that JSON does not know: the translator reads it itself
            return None
    if real := _REAL.fullmatch(text):
        return float(real[1])
    instant = _DATETIME.fullmatch(text)
    return _naive_utc(datetime.fromisoformat(instant[1])) if instant else None


def _naive_utc(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


def _is_instant(expression: str, kept: dict[str, str]) -> bool:
    names = set(_NAME.findall(expression)) - _CLOCK_FUNCTIONS
    return bool(_INSTANT.fullmatch(expression)) and names <= kept.keys()


def _kusto_type(value: Value) -> str:
    match value:
        case str():
            return "string"
        case datetime():
            return "datetime"
        case float():
            return "real"
