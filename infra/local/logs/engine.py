"""KQL on DuckDB: lift what changes, rewrite, translate, run.

Parsing is slow (it is pure Python), so translations are cached by their text. What changes from
call to call, the clock included, is bound as parameters.
"""

from datetime import datetime
from functools import lru_cache

import duckdb
import duckdb_kql
import msgspec
from duckdb_kql.translate import CLOCK_SLOT

from infra.local.logs import schema
from infra.local.logs.functions import extend_translator
from infra.local.logs.lifting import Value, lift
from infra.local.logs.rewriter import rewrite

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
    lifted = lift(text)
    values = dict(lifted.values)
    for name, question in lifted.instants.items():
        values[name] = _instant(_execute(connection, question, {}, now))
    return _execute(connection, lifted.text, values, now)


def know(text: str) -> None:
    """Have a query translated before it is asked. Raises QueryRefused when it is wrong."""
    lifted = lift(text)
    for question in (*lifted.instants.values(), lifted.text):
        _translate_or_refuse(question)


def _execute(
    connection: duckdb.DuckDBPyConnection, text: str, values: dict[str, Value], now: datetime
) -> Result:
    translation = _translate_or_refuse(text)
    try:
        cursor = connection.execute(translation.sql, translation.bind(values, now))
        rows = cursor.fetchall()
    except duckdb.InterruptException as error:
        raise QueryTimedOut from error
    except duckdb.Error as error:
        raise QueryRefused("SemanticError", str(error)) from error
    described = cursor.description or []
    columns = [(name, schema.kusto_type(str(sql_type))) for name, sql_type, *_ in described]
    return Result(columns=columns, rows=rows)


def _instant(printed: Result) -> datetime:
    value = printed.rows[0][0]
    if not isinstance(value, datetime):
        raise QueryRefused("SemanticError", f"{value} is no datetime")
    return value


MOST_KNOWN = 256
KNOWN: dict[str, Translation] = {}  # the first ones, by their KQL: see `kept`


@lru_cache(maxsize=256)
def translate(text: str) -> Translation:
    """Translate KQL against the tables of the schema. Raises the translator's KqlError."""
    known = KNOWN.get(text)
    if known is None:
        known = _translate(text)
        if len(KNOWN) < MOST_KNOWN:
            KNOWN[text] = known
    return known


def _translate(text: str) -> Translation:
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
