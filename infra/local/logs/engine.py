"""KQL on DuckDB: lift the literals, rewrite, translate, run.

Parsing is slow (it is pure Python), so translations are cached by text. Queries differ from call to
call only in the strings and times that their first `let` statements carry, and in the clock: those
are bound as parameters, never part of the text, so the cache holds.
"""

import json
import re
from datetime import datetime
from functools import lru_cache

import duckdb
import duckdb_kql
import msgspec
from duckdb_kql.translate import CLOCK_SLOT

from infra.local.logs import schema
from infra.local.logs.functions import extend_translator
from infra.local.logs.rewriter import rewrite

type Value = str | datetime

_SKIP = re.compile(r"\s+|//[^\n]*")
_LET = re.compile(r"let\s+(\w+)\s*=\s*([^;\"'\n]+|\"(?:[^\"\\\n]|\\.)*\")\s*;")
_DATETIME = re.compile(r"datetime\(([0-9T:.+-]+Z?)\)")
# Any instant will do: it only makes the translator render the clock as a parameter.
_SOME_INSTANT = datetime(2000, 1, 1)  # noqa: DTZ001 - KQL datetimes are UTC and carry no zone

extend_translator()


class QueryRefused(Exception):
    """The query is wrong: `code` is SyntaxError or SemanticError, as the service names them."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class QueryTimedOut(Exception):
    """The query was interrupted before it ended."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Columns as (name, Kusto type) and rows of Python values in their order."""

    columns: list[tuple[str, str]]
    rows: list[tuple[object, ...]]


class Lifted(msgspec.Struct, frozen=True, kw_only=True):
    """A query whose leading string and datetime literals have become declared parameters."""

    text: str
    values: dict[str, Value]


class Translation(msgspec.Struct, frozen=True, kw_only=True):
    """SQL, the parameter behind each placeholder, and whether it reads the clock."""

    sql: str
    names: dict[str, str]
    reads_clock: bool

    def bind(self, values: dict[str, Value], now: datetime) -> dict[str, Value]:
        """Return placeholder -> value; `now` is naive UTC."""
        bound: dict[str, Value] = {slot: values[name] for slot, name in self.names.items()}
        return bound | {CLOCK_SLOT: now} if self.reads_clock else bound


def run(connection: duckdb.DuckDBPyConnection, text: str, now: datetime) -> Result:
    """Answer a KQL query as of `now` (naive UTC).

    Raises QueryRefused when the query is wrong, QueryTimedOut when the connection is interrupted.
    """
    lifted = lift_literals(text)
    translation = _translate_or_refuse(lifted.text)
    try:
        cursor = connection.execute(translation.sql, translation.bind(lifted.values, now))
        rows = cursor.fetchall()
    except duckdb.InterruptException as error:
        raise QueryTimedOut from error
    except duckdb.Error as error:
        raise QueryRefused("SemanticError", str(error)) from error
    described = cursor.description or []
    columns = [(name, schema.kusto_type(str(sql_type))) for name, sql_type, *_ in described]
    return Result(columns=columns, rows=rows)


def lift_literals(text: str) -> Lifted:
    """Turn the strings and datetimes of the leading `let` statements into declared parameters.

    Timespans and numbers stay: the translator chooses its SQL by them, and they rarely change.
    """
    values: dict[str, Value] = {}
    kept: list[str] = []
    position = _skip(text, 0)
    while match := _LET.match(text, position):
        value = _literal(match[2].strip())
        if value is None:
            kept.append(match[0])
        else:
            values[match[1]] = value
        position = _skip(text, match.end())
    declared = ", ".join(f"{name}:{_kusto_type(value)}" for name, value in values.items())
    head = [f"declare query_parameters({declared});"] if values else []
    return Lifted(text="\n".join([*head, *kept, text[position:]]), values=values)


@lru_cache(maxsize=256)
def translate(text: str) -> Translation:
    """Translate KQL against the tables of the schema. Raises the translator's KqlError."""
    result = duckdb_kql.to_sql(
        rewrite(text),
        schema=schema.column_names(),
        allow_write=False,
        query_now=_SOME_INSTANT,
    )
    sql = str(result)
    names = {p.slot: p.name for p in result.declarations if f"${p.slot} " in sql}
    return Translation(sql=sql, names=names, reads_clock=CLOCK_SLOT in result.parameters)


def _translate_or_refuse(text: str) -> Translation:
    try:
        return translate(text)
    except duckdb_kql.KqlSyntaxError as error:
        raise QueryRefused("SyntaxError", str(error)) from error
    except duckdb_kql.KqlError as error:
        raise QueryRefused("SemanticError", str(error)) from error


def _skip(text: str, position: int) -> int:
    while match := _SKIP.match(text, position):
        position = match.end()
    return position


def _literal(text: str) -> Value | None:
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            return None
    instant = _DATETIME.fullmatch(text)
    return datetime.fromisoformat(instant[1]).replace(tzinfo=None) if instant else None


def _kusto_type(value: Value) -> str:
    return "string" if isinstance(value, str) else "datetime"
