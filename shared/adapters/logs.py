"""Asks Log Analytics shipped and compiled queries, and names every way to fall short of an answer.

It never raises for the service's trouble: an outage, a refusal, a timeout or half an answer is a
status of the answer, and none of them means healthy.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import AsyncRetryPolicy, SansIOHTTPPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.monitor.query import LogsQueryError, LogsQueryPartialResult, LogsTable, LogsTableRow
from azure.monitor.query.aio import LogsQueryClient

from shared.adapters import queries
from shared.domain.diagnosis.telemetry import AnswerStatus, Query, QueryAnswer
from shared.domain.redaction.redactor import Redactor
from shared.errors import Misconfigured

_AZURE = "https://api.loganalytics.io"
_THIS_MACHINE = "127.0.0.1"
_RETRIES = 2
_BACKOFF_S = 0.5
_THROTTLED = 429
_GATEWAY_TIMEOUT = 504

type Rows = tuple[dict[str, object], ...]
type Answered = tuple[AnswerStatus, Rows, str]


class Logs:
    """One workspace, asked by name: `await logs.query("slices", Service=..., Since=..., ...)`.

    `lag_s` is how long the newest telemetry is left out because it may still be arriving, `bin_s`
    the width of a bin; both reach every query that names Lag and Bin. At most `concurrency` queries
    run at once, each answered within `timeout_s` once it is its turn, with at most `max_rows` rows;
    what has not had its turn within `wait_s` has timed out, too.

    Raises Misconfigured for http to another machine, or without a credential for https.
    """

    def __init__(  # noqa: PLR0913 - settings, all but two by keyword
        self,
        workspace_id: str,
        credential: AsyncTokenCredential | None = None,
        endpoint: str | None = None,
        *,
        lag_s: float = 120.0,
        bin_s: float = 60.0,
        concurrency: int = 4,
        timeout_s: float = 20.0,
        wait_s: float = 60.0,
        max_rows: int = 5000,
        redactor: Redactor | None = None,
    ) -> None:
        self._redactor = redactor or Redactor()
        self._workspace_id = workspace_id
        self._windows = {"Lag": timedelta(seconds=lag_s), "Bin": timedelta(seconds=bin_s)}
        self._timeout_s = timeout_s
        self._wait_s = wait_s
        self._max_rows = max_rows
        self._slots = asyncio.Semaphore(concurrency)
        self._client = _client(credential, endpoint or _AZURE, timeout_s)

    async def query(self, named: str | Query, **parameters: queries.Value) -> QueryAnswer:
        """Answer a shipped query by its name, or one that was compiled. Lag and Bin are added.

        Raises LookupError or TypeError for a wrong name or parameter, nothing for the service.
        """
        query = queries.known(named)
        text = self._render(query, parameters)
        started = time.monotonic()
        status, rows, detail = await self._ask(text)
        seconds = time.monotonic() - started
        kept = tuple(kept_row(query, row, self._redactor) for row in rows)
        said = self._redactor.text(detail)
        return QueryAnswer(name=query.name, status=status, rows=kept, detail=said, seconds=seconds)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _render(self, query: Query, parameters: dict[str, queries.Value]) -> str:
        windows = {k: value for k, value in self._windows.items() if k in query.parameters}
        return queries.render(query, **(windows | parameters))

    async def _ask(self, text: str) -> Answered:
        """Wait for a turn; only then does the query's own time run.

        Where many services break at once, their queries would time each other out otherwise.
        """
        try:
            async with asyncio.timeout(self._wait_s):
                await self._slots.acquire()
        except TimeoutError:
            return AnswerStatus.TIMED_OUT, (), f"not asked within {self._wait_s:g} s: others wait"
        try:
            return await self._answered(text)
        finally:
            self._slots.release()

    async def _answered(self, text: str) -> Answered:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._send(text)
        except (TimeoutError, ServiceRequestTimeoutError, ServiceResponseTimeoutError):
            return AnswerStatus.TIMED_OUT, (), f"no answer within {self._timeout_s:g} s"
        except HttpResponseError as error:
            return _refused(error)
        except AzureError as error:
            return AnswerStatus.UNAVAILABLE, (), f"not reachable: {error.message}"
        # The SDK parses an answer without checking it: a 204 or a foreign body fails anyhow.
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            return AnswerStatus.UNAVAILABLE, (), f"the answer could not be read: {error!r}"

    async def _send(self, text: str) -> Answered:
        # timespan=None: the service would intersect it with the query's own windows.
        result = await self._client.query_workspace(
            self._workspace_id,
            text,
            timespan=None,
            server_timeout=math.ceil(self._timeout_s),
        )
        if isinstance(result, LogsQueryPartialResult):
            rows = self._rows(result.partial_data)
            return AnswerStatus.PARTIAL, rows, _partial_reason(result.partial_error)
        return self._complete(result.tables)

    def _complete(self, tables: list[LogsTable]) -> Answered:
        if not tables:  # what found no rows still has its columns
            raise ValueError("an answer without a table")
        rows = self._rows(tables)
        if not rows:
            return AnswerStatus.EMPTY, (), "no rows"
        if len(tables[0].rows) > self._max_rows:
            return AnswerStatus.TRUNCATED, rows, f"more than {self._max_rows} rows"
        return AnswerStatus.COMPLETE, rows, ""

    def _rows(self, tables: list[LogsTable] | None) -> Rows:
        if not tables:
            return ()
        return tuple(_row(tables[0], row) for row in tables[0].rows[: self._max_rows])


def kept_row(query: Query, row: Mapping[str, object], redactor: Redactor) -> dict[str, object]:
    """The columns that the query names and no others, with tokens in their texts."""
    return {
        name: redactor.value(cell) if isinstance(cell, str | dict | list) else cell
        for name, cell in row.items()
        if name in query.columns
    }


def _row(table: LogsTable, row: LogsTableRow) -> dict[str, object]:
    cells = zip(table.columns, table.columns_types, row, strict=True)
    return {name: _cell(value, kusto) for name, kusto, value in cells}


def _cell(value: Any, kusto: str) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    # JSON has no NaN and no infinity: the service writes them as strings.
    return float(value) if kusto == "real" and value is not None else value


def _refused(error: HttpResponseError) -> Answered:
    reason = f"{error.status_code} {_innermost(error)}"
    if error.status_code == _GATEWAY_TIMEOUT:
        return AnswerStatus.TIMED_OUT, (), reason
    return AnswerStatus.UNAVAILABLE, (), reason


def _innermost(error: HttpResponseError) -> str:
    """Return the innermost message: a 400's outer one says nothing of the cause."""
    cause = _cause(getattr(error.error, "innererror", None) or {})
    return cause or str(error.message).partition("\n")[0]


def _partial_reason(error: LogsQueryError | None) -> str:
    if error is None:
        return "partial, without a reason"
    causes = [_cause(detail) for detail in error.details or []]
    return "partial: " + ("; ".join(filter(None, causes)) or error.message)


def _cause(error: Mapping[str, Any]) -> str:
    while error.get("innererror"):
        error = error["innererror"]
    return str(error.get("message") or "")


def _client(
    credential: AsyncTokenCredential | None, endpoint: str, timeout_s: float
) -> LogsQueryClient:
    # Answers are cached for minutes unless asked not to: a recovery would be seen late.
    options: dict[str, Any] = {
        "endpoint": endpoint,
        "headers": {"Cache-Control": "no-cache"},
        "retry_policy": _QueryRetry(retry_total=_RETRIES, retry_backoff_factor=_BACKOFF_S),
        "read_timeout": timeout_s,
        # Else every request asks two other threads for a proxy and a .netrc.
        "transport": AioHttpTransport(use_env_settings=False),
    }
    address = urlsplit(endpoint)
    if address.scheme == "http":
        if address.hostname != _THIS_MACHINE:
            raise Misconfigured(f"http is for {_THIS_MACHINE} only, not {endpoint}")
        unused = cast("AsyncTokenCredential", object())  # the SDK wants one, the policy replaces it
        return LogsQueryClient(unused, authentication_policy=_LocalToken(), **options)
    if credential is None:
        raise Misconfigured(f"a credential is needed for {endpoint}")
    return LogsQueryClient(credential, **options)


class _QueryRetry(AsyncRetryPolicy[Any, Any]):
    """The SDK's retries, but no second run of a query that timed out, and patience with a 429."""

    def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
        status = response.http_response.status_code
        if status == _GATEWAY_TIMEOUT:
            return False
        if status == _THROTTLED:
            return bool(settings["total"])
        return bool(super().is_retry(settings, response))


class _LocalToken(SansIOHTTPPolicy[Any, Any]):
    """Stands for the bearer token where there is no Entra ID, on this machine."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = "Bearer local"
