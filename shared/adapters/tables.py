"""Tables: typed rows in Azure Table Storage, with transactions in one partition.

The only user of azure-data-tables. A row is one Struct as JSON under (partition, row); writes of
one partition go together or not at all. The SDK's errors end here: Conflict or Unavailable. What is
written goes through the redactor: nothing is stored that did not.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.adapters.table_clock import ClockedTransport, TableClock
from shared.domain.redaction.redactor import Redactor
from shared.domain.row import MUST_NOT_EXIST, Found, Put, Remove, Stored, Write
from shared.errors import Conflict, Refused, RejectedInput, Unavailable, Unreadable

CHUNK = 16_000  # characters; a string property holds 32 Ki UTF-16 units, a character takes two
LAST = "\uffff"
NO_VERSION = "W/\"datetime'2000-01-01T00%3A00%3A00.0000000Z'\""  # of no row: older than any
DEADLINE_S = 7.0  # Azure Monitor waits ten seconds for the webhook, and the SDK five minutes


class Table:
    """One table. Made by `TableAccount.table`. Each call ends within the account's deadline."""

    def __init__(
        self, client: TableClient, redactor: Redactor | None, deadline_s: float = DEADLINE_S
    ) -> None:
        self._client = client
        self._redactor = redactor
        self._deadline_s = deadline_s

    async def read[T: msgspec.Struct](
        self, partition: str, row: str, kind: type[T]
    ) -> Stored[T] | None:
        """One row, or None where there is none. Raises Unavailable."""
        async with _translated(self._deadline_s):
            try:
                entity = await self._client.get_entity(partition, row)
            except ResourceNotFoundError:
                return None
            return _stored(entity, kind)

    async def scan[T: msgspec.Struct](
        self,
        partition: str,
        prefix: str,
        kind: type[T],
        *,
        after: str = "",
        limit: int = 1000,
        flag: str = "",
    ) -> list[Stored[T]]:
        """Rows whose key starts with `prefix`, in key order, at most `limit`, behind `after`.

        Raises Unavailable, and Unreadable where one of them cannot be read.
        """
        async with _translated(self._deadline_s):
            found = await self._range(partition, prefix, after=after, limit=limit, flag=flag)
            return [_stored(entity, kind) for entity in found]

    async def scan_readable[T: msgspec.Struct](
        self,
        partition: str,
        prefix: str,
        kind: type[T],
        *,
        after: str = "",
        limit: int = 1000,
        flag: str = "",
    ) -> Found[T]:
        """The same, for who must go on: a row that cannot be read costs itself only.

        It counts against `limit` as any other. Raises Unavailable.
        """
        async with _translated(self._deadline_s):
            found = await self._range(partition, prefix, after=after, limit=limit, flag=flag)
            return sort_out(partial(_stored, entity, kind) for entity in found)

    async def _range(
        self, partition: str, prefix: str, *, after: str, limit: int, flag: str
    ) -> list[Mapping[str, Any]]:
        if limit < 1:
            return []
        low = "RowKey gt @after" if after else "RowKey ge @first"
        where = f"PartitionKey eq @partition and {low} and RowKey lt @last"
        where += f" and {flag} eq true" if flag else ""
        values = {
            "partition": partition,
            "after": after,
            "first": prefix,
            "last": prefix + LAST,
        }
        found: list[Mapping[str, Any]] = []
        query = self._client.query_entities(
            where, parameters=values, results_per_page=min(limit, 1000)
        )
        # By pages: the SDK's own iteration recurses once for every empty page.
        async for page in query.by_page():
            found += [entity async for entity in page]
            if len(found) >= limit:
                break
        return found[:limit]

    async def write(self, partition: str, writes: Sequence[Write]) -> None:
        """All writes or none, at most 100, in one partition.

        Raises Conflict where a version is not the expected one, and Unavailable.
        """
        async with _translated(self._deadline_s):
            if len(writes) == 1:
                await self._write_one(partition, writes[0])
            else:
                await self._client.submit_transaction(
                    [_operation(partition, w, self._redactor) for w in writes]
                )

    async def try_writing(self, partition: str) -> None:
        """Ask for a deletion that can delete nothing: who may not write is refused all the same.

        `partition` holds no row, and the version is one that no row has. Raises Refused,
        RejectedInput and Unavailable. That there is no table is not told: reading tells that.
        """
        async with _translated(self._deadline_s):
            await self._client.delete_entity(partition, "none", **_if(NO_VERSION))

    async def _write_one(self, partition: str, write: Write) -> None:
        if isinstance(write, Remove):
            await self._client.delete_entity(partition, write.row, **_if_any(write.etag))
            return
        entity = _entity(partition, write, self._redactor)
        if write.etag is None:
            await self._client.upsert_entity(entity, mode=UpdateMode.REPLACE)
        elif write.etag == MUST_NOT_EXIST:
            await self._client.create_entity(entity)
        else:
            await self._client.update_entity(entity, mode=UpdateMode.REPLACE, **_if(write.etag))


class TableAccount:
    """The storage account: one client for all tables."""

    def __init__(
        self,
        account: str,
        credential: Any = None,
        *,
        retry_total: int = 3,
        deadline_s: float = DEADLINE_S,
        clock: TableClock | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        """`account` is a connection string, or the account's table URL with a credential.

        `deadline_s` is for one call, with all its retries.
        """
        self.clock = clock or TableClock()
        self._deadline_s = deadline_s
        self._redactor = redactor or Redactor()
        options: dict[str, Any] = {
            "retry_total": retry_total,
            "retry_backoff_factor": 0.2,
            "transport": ClockedTransport(self.clock),
        }
        if "=" in account:
            self._client = TableServiceClient.from_connection_string(account, **options)
        else:
            self._client = TableServiceClient(account, credential=credential, **options)

    def table(self, name: str, *, verbatim: bool = False) -> Table:
        """The table of that name; it must exist (see `create`).

        `verbatim` is for what is hashed already and was redacted before: the ledger.
        """
        redactor = None if verbatim else self._redactor
        return Table(self._client.get_table_client(name), redactor, self._deadline_s)

    async def create(self, *names: str) -> None:
        """Make the tables that do not exist yet. Raises Unavailable."""
        async with _translated(self._deadline_s):
            for name in names:
                await self._client.create_table_if_not_exists(name)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


@asynccontextmanager
async def _translated(deadline_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except TimeoutError:
        raise Unavailable("tables", f"no answer in {deadline_s:g} s") from None
    except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError) as error:
        raise Conflict(_short(error)) from None
    except HttpResponseError as error:
        # A failed transaction arrives as TableTransactionError, whatever its first failure was.
        if error.status_code in (404, 409, 412) or _changed_before(error):
            raise Conflict(_short(error)) from None
        if error.status_code in (400, 413):
            raise RejectedInput("not-storable", _short(error)) from None
        kind = Refused if error.status_code in (401, 403) else Unavailable
        raise kind("tables", _short(error)) from None
    except AzureError as error:
        raise Unavailable("tables", _short(error)) from None
    # The SDK parses an answer without checking it: a foreign body fails anyhow.
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Unavailable("tables", f"the answer could not be read: {error!r}"[:200]) from None


def _changed_before(error: HttpResponseError) -> bool:
    code = str(getattr(error, "error_code", ""))
    return code in {"EntityAlreadyExists", "UpdateConditionNotSatisfied", "ResourceNotFound"}


def _short(error: Exception) -> str:
    first = str(error).splitlines()[0] if str(error) else ""
    return f"{type(error).__name__} {first}"[:200]


def _if(etag: str) -> dict[str, Any]:
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _if_any(etag: str | None) -> dict[str, Any]:
    return {} if etag is None else _if(etag)


def _operation(partition: str, write: Write, redactor: Redactor | None) -> tuple[Any, ...]:
    if isinstance(write, Remove):
        named = {"PartitionKey": partition, "RowKey": write.row}
        return ("delete", named, _if_any(write.etag))
    entity = _entity(partition, write, redactor)
    if write.etag is None:
        return ("upsert", entity, {"mode": UpdateMode.REPLACE})
    if write.etag == MUST_NOT_EXIST:
        return ("create", entity)
    return ("update", entity, {"mode": UpdateMode.REPLACE, **_if(write.etag)})


def row_text(write: Put, redactor: Redactor | None) -> str:
    """A row as it is stored."""
    text = msgspec.json.encode(write.value).decode()
    return redactor.json(text) if redactor and not write.redacted else text


def _entity(partition: str, write: Put, redactor: Redactor | None) -> dict[str, Any]:
    text = row_text(write, redactor)
    chunks = [text[i : i + CHUNK] for i in range(0, len(text), CHUNK)]
    body = {f"body{n:02d}": chunk for n, chunk in enumerate(chunks)}
    return {
        "PartitionKey": partition,
        "RowKey": write.row,
        **dict.fromkeys(write.flags, True),
        **body,
    }


def _stored[T: msgspec.Struct](entity: Mapping[str, Any], kind: type[T]) -> Stored[T]:
    # A chunk that somebody has made a number by hand makes the row unreadable, not the range.
    text = "".join(str(entity[name]) for name in sorted(entity) if name.startswith("body"))
    etag = entity.metadata["etag"]  # type: ignore[attr-defined] # TableEntity has metadata
    row = str(entity["RowKey"])
    return Stored(row=row, value=read_value(row, text, kind), etag=str(etag))


def read_value[T](row: str, text: str | bytes, kind: type[T]) -> T:
    """What a row holds. Raises Unreadable where it is nothing of ours."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        raise Unreadable("tables", row, str(error)) from None


def sort_out[T: msgspec.Struct](reads: Iterable[Callable[[], Stored[T]]]) -> Found[T]:
    """Read each row on its own."""
    rows, unreadable = list[Stored[T]](), list[str]()
    for read in reads:
        try:
            rows.append(read())
        except Unreadable as error:
            unreadable.append(error.row)
    return Found(rows=rows, unreadable=unreadable)
