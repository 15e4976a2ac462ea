"""Blobs: what is written once and never again, in the storage account that keeps seals and copies.

The only user of azure-storage-blob. Every write says If-None-Match, so nothing is overwritten even
where no immutability policy forbids it; one that only tries the right says what can never match.
The SDK's errors end here: Unavailable.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob.aio import BlobServiceClient

from shared.errors import Missing, Refused, Unavailable

PART = "blobs"
DEADLINE_S = 10.0  # other jobs of the tick wait
NO_VERSION = '"0x0"'  # of no blob


class Blobs:
    """One storage account. Each call ends within the deadline."""

    def __init__(
        self, account: str, credential: Any = None, *, deadline_s: float = DEADLINE_S
    ) -> None:
        """`account` is a connection string, or the account's blob URL with a credential."""
        self._deadline_s = deadline_s
        options: dict[str, Any] = {"retry_total": 2, "retry_backoff_factor": 0.2}
        if "=" in account:
            self._client = BlobServiceClient.from_connection_string(account, **options)
        else:
            self._client = BlobServiceClient(account, credential=credential, **options)

    async def create(self, container: str, name: str, data: bytes) -> bool:
        """Write a blob; False where one of that name exists, which stays. Raises Unavailable."""
        async with _translated(self._deadline_s):
            client = self._client.get_blob_client(container, name)
            try:
                await client.upload_blob(data, overwrite=False)
            except ResourceExistsError:
                return False
        return True

    async def try_writing(self, container: str, name: str) -> None:
        """Ask for a write that can write nothing: who may not write is refused all the same.

        There is no blob of that name, and the version is one that no blob has, so the service finds
        the condition not met. Raises Refused, Missing where there is no container, Unavailable.
        """
        async with _translated(self._deadline_s):
            client = self._client.get_blob_client(container, name)
            condition: dict[str, Any] = {
                "etag": NO_VERSION,
                "match_condition": MatchConditions.IfNotModified,
            }
            try:
                await client.upload_blob(b"", overwrite=True, **condition)
            except ResourceModifiedError:
                return
        raise Unavailable(PART, f"{container}/{name} was written against its condition")

    async def read(self, container: str, name: str) -> bytes | None:
        """A blob's bytes, or None where there is none. Raises Unavailable."""
        async with _translated(self._deadline_s):
            try:
                found = await self._client.get_blob_client(container, name).download_blob()
            except ResourceNotFoundError:
                return None
            data: bytes = await found.readall()
        return data

    async def names(self, container: str, prefix: str = "") -> list[str]:
        """The names of the blobs that begin so, in order. Raises Unavailable."""
        async with _translated(self._deadline_s):
            listed = self._client.get_container_client(container).list_blob_names(
                name_starts_with=prefix
            )
            return [name async for name in listed]

    async def prepare(self, *containers: str) -> None:
        """Make the containers that do not exist yet. Raises Unavailable."""
        for container in containers:
            async with _translated(self._deadline_s):
                try:
                    await self._client.create_container(container)
                except ResourceExistsError:
                    continue

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


@asynccontextmanager
async def _translated(deadline_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except TimeoutError:
        raise Unavailable(PART, f"no answer in {deadline_s:g} s") from None
    except ResourceNotFoundError as error:
        raise Missing(PART, type(error).__name__) from None
    except HttpResponseError as error:
        kind = Refused if error.status_code in (401, 403) else Unavailable
        raise kind(PART, type(error).__name__) from None
    except AzureError as error:
        raise Unavailable(PART, type(error).__name__) from None
