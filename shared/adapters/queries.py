"""The shipped KQL: loads and describes `shared/queries/*.kql` and puts parameters in front of them.

A file begins with comments that say its name, purpose, parameters and columns. Parameters arrive as
`let` statements with typed literals, so a query names them freely and no value can become code.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from shared.domain.diagnosis.telemetry import Query

type Value = str | datetime | timedelta | bool | int | float

_FOLDER = Path(__file__).parent.parent / "queries"
_FIELD = re.compile(r"^// (\w+): (.*(?:\n//   .*)*)", re.MULTILINE)
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "datetime": datetime,
    "timespan": timedelta,
    "bool": bool,
    "int": int,
    "long": int,
    "real": (int, float),
}


def names() -> tuple[str, ...]:
    """Return the names of all shipped queries, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.kql")))


@cache
def load(name: str) -> Query:
    """Return a query by its name. Raises LookupError when none is shipped under it."""
    path = _FOLDER / f"{name}.kql"
    if name not in names():
        raise LookupError(f"no query is named {name!r}")
    text = path.read_text(encoding="utf-8")
    fields = {key: _joined(value) for key, value in _FIELD.findall(text)}
    return Query(
        name=fields["name"],
        purpose=fields["purpose"],
        parameters=_typed(fields["parameters"]),
        columns=_typed(fields["columns"]),
        text=text,
    )


def known(query: str | Query) -> Query:
    """The query itself: a shipped one by its name, a compiled one as it is. Raises LookupError."""
    return load(query) if isinstance(query, str) else query


def render(named: str | Query, **parameters: Value) -> str:
    """Return the query's text with its parameters in front, ready to send.

    Raises TypeError, naming the parameter, when one is unknown, missing or of the wrong type.
    """
    query = known(named)
    _check_names(query, parameters)
    lets = [
        f"let {parameter} = {_literal(query, parameter, parameters[parameter])};"
        for parameter in query.parameters
    ]
    return "\n".join([*lets, query.text])


def _check_names(query: Query, parameters: Mapping[str, Value]) -> None:
    unknown = parameters.keys() - query.parameters.keys()
    missing = query.parameters.keys() - parameters.keys()
    if unknown:
        raise TypeError(f"{query.name}: unknown parameter {', '.join(sorted(unknown))}")
    if missing:
        raise TypeError(f"{query.name}: missing parameter {', '.join(sorted(missing))}")


def _literal(query: Query, parameter: str, value: Value) -> str:
    kusto = query.parameters[parameter]
    wrong_bool = isinstance(value, bool) and kusto != "bool"
    if wrong_bool or not isinstance(value, _TYPES[kusto]):
        raise TypeError(f"{query.name}: {parameter} must be {kusto}, got {value!r}")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise TypeError(f"{query.name}: {parameter} must have a time zone, got {value!r}")
    return render_literal(value, kusto)


def render_literal(value: Value, kusto: str) -> str:
    """Return a Kusto literal of the named type; strings are escaped, times are UTC."""
    match value:
        case str():
            return json.dumps(value)
        case bool():
            return str(value).lower()
        case datetime():
            return f"datetime({value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z)"
        case timedelta():
            return _timespan(value)
        case int() | float():
            return _number(value, kusto)


def _number(value: float, kusto: str) -> str:
    if not math.isfinite(value):
        raise TypeError(f"{value} is no finite number")
    return f"real({float(value)!r})" if kusto == "real" else f"{kusto}({value})"


def _timespan(value: timedelta) -> str:
    sign = "-" if value < timedelta() else ""
    whole = abs(value)
    minutes, seconds = divmod(whole.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"time({sign}{whole.days}.{hours:02}:{minutes:02}:{seconds:02}.{whole.microseconds:06})"


def _joined(value: str) -> str:
    return re.sub(r"\n//\s+", " ", value).strip()


def _typed(text: str) -> dict[str, str]:
    pairs = (item.strip().split(":") for item in text.split(","))
    return {name: kusto for name, kusto in pairs}  # noqa: C416 - says what the pairs are
