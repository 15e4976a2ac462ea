"""The telemetry itself: tables in DuckDB that take live rows one by one and answer KQL.

A row costs a list append; rows reach DuckDB in bulk, at the latest before the next query. Every
call is safe from any thread. The clock is given, so that tests and replays can stand still.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import msgspec

from infra.local.logs import engine, functions, schema

type Row = dict[str, Any]
type Timespan = tuple[datetime, datetime]

_BUFFERED_ROWS = 200
_PATIENCE_S = 60.0


def _system_now() -> datetime:
    return datetime.now(UTC)


class TelemetryStore:
    """The workspace of one simulated world; in memory, or in a file that outlives it."""

    def __init__(self, path: str = ":memory:", now: Callable[[], datetime] = _system_now) -> None:
        self.now = now
        self._buffers: dict[str, list[Row]] = {table: [] for table in schema.TABLES}
        self._buffer_lock = threading.Lock()
        self._write_lock = threading.Lock()
        # One thread a query: queries run side by side, and each has little to read.
        self._root = duckdb.connect(path, config={"threads": 1})
        functions.install(self._root)
        self._inserts = {table: self._create(table) for table in schema.TABLES}

    def append(self, table: str, rows: list[Row]) -> None:
        """Add rows. ItemCount defaults to 1, TimeGenerated to now; a naive time is UTC.

        Raises KeyError for a table and ValueError for a column that does not exist.
        """
        columns = schema.TABLES[table]
        prepared = [self._prepare(columns, row) for row in rows]
        with self._buffer_lock:
            buffer = self._buffers[table]
            buffer.extend(prepared)
            is_full = len(buffer) >= _BUFFERED_ROWS
        if is_full:
            self.flush()

    def repeat(self, table: str, row: Row, times: list[datetime]) -> None:
        """Add a row once for each time, all at once: a long past costs no time row by row."""
        prepared = self._prepare(schema.TABLES[table], row | {"TimeGenerated": self.now()})
        del prepared["TimeGenerated"]
        names = ", ".join(f'"{name}"' for name in prepared)
        values = ", ".join(f"${number}" for number in range(2, len(prepared) + 2))
        insert = f'INSERT INTO "{table}" ("TimeGenerated", {names}) SELECT unnest($1), {values}'
        naive = [_utc(time).replace(tzinfo=None) for time in times]
        with self._write_lock:
            self._root.execute(insert, [naive, *prepared.values()])

    def flush(self) -> None:
        """Write what is buffered."""
        with self._write_lock:
            for table, rows in self._take_buffers().items():
                self._root.execute(self._inserts[table], [msgspec.json.encode(rows).decode()])

    def query(
        self, text: str, *, timespan: Timespan | None = None, timeout_s: float = 180.0
    ) -> engine.Result:
        """Answer KQL over everything appended so far; `timespan` cuts every table (UTC, half open).

        Raises engine.QueryRefused and engine.QueryTimedOut.
        """
        self.flush()
        with self._cursor(timeout_s) as cursor:
            if timespan:
                _cut_tables(cursor, timespan)
            return engine.run(cursor, text, self._naive_now())

    def query_hurried(self, text: str, *, window: timedelta, pace: float) -> engine.Result:
        """Answer KQL over the last `window`, as if the past had gone by `pace` times as slowly.

        To the query a row of ten seconds ago is `pace` times as old: a window of five minutes then
        ends after seconds, and the query's text stays as it is. Raises as `query` does.
        """
        self.flush()
        now = self._naive_now()
        with self._cursor(_PATIENCE_S) as cursor:
            _stretch_tables(cursor, text, now, window, pace)
            return engine.run(cursor, text, now)

    def close(self) -> None:
        """Write what is buffered and close the database."""
        self.flush()
        self._root.close()

    def _naive_now(self) -> datetime:
        return self.now().astimezone(UTC).replace(tzinfo=None)

    def _create(self, table: str) -> str:
        types = schema.sql_columns(table)
        columns = ", ".join(f'"{name}" {sql}' for name, sql in types.items())
        self._root.execute(f'CREATE TABLE IF NOT EXISTS "{table}" ({columns})')
        texts = {name: "VARCHAR" for name, sql in types.items() if sql == "JSON"}
        shape = msgspec.json.encode([types | texts]).decode()
        values = ", ".join(f'r."{name}"' for name in types)
        source = f"SELECT unnest(from_json($1::JSON, '{shape}')) AS r"
        return f'INSERT INTO "{table}" SELECT {values} FROM ({source})'  # noqa: S608 - our own names

    def _prepare(self, columns: dict[str, str], row: Row) -> Row:
        unknown = row.keys() - columns.keys()
        if unknown:
            raise ValueError(f"no such column: {', '.join(sorted(unknown))}")
        time = row.get("TimeGenerated") or self.now()
        prepared = {"ItemCount": 1, **row, "TimeGenerated": _utc(time)}
        for name in ("Properties", "Measurements"):
            if prepared.get(name) is not None:
                prepared[name] = msgspec.json.encode(prepared[name]).decode()
        return prepared

    def _take_buffers(self) -> dict[str, list[Row]]:
        with self._buffer_lock:
            taken = {table: rows for table, rows in self._buffers.items() if rows}
            for table in taken:
                self._buffers[table] = []
        return taken

    @contextmanager
    def _cursor(self, timeout_s: float) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self._root.cursor()
        timer = threading.Timer(timeout_s, cursor.interrupt)
        timer.start()
        try:
            cursor.execute("SET TimeZone='UTC'")
            yield cursor
        finally:
            timer.cancel()
            cursor.close()


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _cut_tables(cursor: duckdb.DuckDBPyConnection, timespan: Timespan) -> None:
    start, end = (_timestamp(_utc(t).replace(tzinfo=None)) for t in timespan)
    within = f"TimeGenerated >= {start} AND TimeGenerated < {end}"
    origins = _origins(cursor)
    for table in schema.TABLES:
        _view(cursor, table, f"SELECT * FROM {origins}.{table} WHERE {within}")  # noqa: S608 - our own names


def _stretch_tables(
    cursor: duckdb.DuckDBPyConnection, text: str, now: datetime, window: timedelta, pace: float
) -> None:
    """Let the query's tables hold the rows of the window, with times as far back as they seem."""
    here = f"epoch_us({_timestamp(now)})"
    aged = f"make_timestamp(CAST({here} - ({here} - epoch_us(TimeGenerated)) * {pace} AS BIGINT))"
    within = f"TimeGenerated >= {_timestamp(now - window / pace)}"
    origins = _origins(cursor)
    for table in (name for name in schema.TABLES if name in text):
        columns = f"* REPLACE ({aged} AS TimeGenerated)"
        _view(cursor, table, f"SELECT {columns} FROM {origins}.{table} WHERE {within}")  # noqa: S608 - our own names


def _origins(cursor: duckdb.DuckDBPyConnection) -> str:
    """Where the tables themselves are: the views that hide them have their names."""
    return f'"{cursor.execute("SELECT current_database()").fetchall()[0][0]}".main'


def _view(cursor: duckdb.DuckDBPyConnection, table: str, rows: str) -> None:
    cursor.execute(f'CREATE TEMP VIEW "{table}" AS {rows}')


def _timestamp(time: datetime) -> str:
    return f"TIMESTAMP '{time.isoformat(' ')}'"
