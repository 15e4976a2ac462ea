"""The service's JSON: tables, cells and errors, spelled as api.loganalytics.io spells them."""

import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local.logs.engine import Result
from infra.local.logs.store import Timespan

type Json = dict[str, Any]

_DURATION = re.compile(
    r"P(?:(?P<days>[\d.]+)D)?"
    r"(?:T(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+)S)?)?"
)


def render_tables(result: Result, max_rows: int) -> Json:
    """Return the body of an answer; past `max_rows` it is cut and carries a PartialError."""
    types = [kusto for _, kusto in result.columns]
    table = {
        "name": "PrimaryResult",
        "columns": [{"name": name, "type": kusto} for name, kusto in result.columns],
        "rows": [_row(row, types) for row in result.rows[:max_rows]],
    }
    body: Json = {"tables": [table]}
    if len(result.rows) > max_rows:
        limit = f"The results of this query exceed the set limit of {max_rows} records."
        body |= render_partial_error(limit)
    return body


def render_error(code: str, message: str, inner: Json | None = None) -> Json:
    """Return the body of a refusal."""
    error: Json = {"message": message, "code": code}
    return {"error": error | ({"innererror": inner} if inner else {})}


def render_bad_argument(code: str, message: str) -> Json:
    """Return the body of a 400: the query's own fault lies two levels deep, as in the service."""
    kind = "semantic" if code == "SemanticError" else "syntax"
    cause = {"code": code, "message": message[:500]}
    inner = {"code": code, "message": f"A {kind} error occurred.", "innererror": cause}
    return render_error("BadArgumentError", "The request had some invalid properties", inner)


def render_partial_error(message: str) -> Json:
    """Return the `error` that stands beside the tables of a 200 answer."""
    inner = {"code": "-2133196797", "message": message, "severity": 2, "severityName": "Error"}
    detail = {
        "code": "EngineError",
        "message": "Something went wrong processing your query on the server.",
        "innererror": inner,
    }
    return {
        "error": {
            "code": "PartialError",
            "message": "There were some errors when processing your query.",
            "details": [detail],
        }
    }


def parse_timespan(text: str | None, now: datetime) -> Timespan | None:
    """Read `start/end`, `start/duration` or `duration` (ISO 8601). Raises ValueError."""
    if not text:
        return None
    first, _, second = text.partition("/")
    if not second:
        return now - _duration(first), now
    start = _instant(first)
    return start, start + _duration(second) if second.startswith("P") else _instant(second)


def _instant(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if not match or text in {"P", "PT"}:
        raise ValueError(f"{text} is no ISO 8601 duration")
    parts = {unit: float(value) for unit, value in match.groupdict().items() if value}
    return timedelta(**parts)


def _row(row: tuple[object, ...], types: list[str]) -> list[object]:
    return [_cell(value, kusto) for value, kusto in zip(row, types, strict=True)]


def _cell(value: object, kusto: str) -> object:
    match value:
        case datetime():
            return f"{value.replace(tzinfo=None):%Y-%m-%dT%H:%M:%S.%f}0Z"
        case timedelta():
            return _timespan(value)
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
        case None | str() | bool() | int() | float():
            return value
        case _:
            return json.dumps(value, default=str) if kusto == "dynamic" else str(value)


def _timespan(value: timedelta) -> str:
    sign = "-" if value < timedelta() else ""
    whole = abs(value)
    minutes, seconds = divmod(whole.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{whole.days}." if whole.days else ""
    fraction = f".{whole.microseconds:06}0" if whole.microseconds else ""
    return f"{sign}{days}{hours:02}:{minutes:02}:{seconds:02}{fraction}"
