"""What a part says to somebody who tries a right: refused, missing and silent are three things.

Over the SDKs and a real socket, in the statuses that Azure answers with.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

import pytest

from infra.local.azurite import blob_connection_string, connection_string
from shared.adapters.app_events import AppEvents
from shared.adapters.blobs import Blobs
from shared.adapters.search_index import SearchIndexes
from shared.adapters.tables import TableAccount
from shared.adapters.vault_secrets import VaultSecrets
from shared.domain.app_event import AppEvent
from shared.errors import (
    BackstopError,
    Misconfigured,
    Missing,
    Refused,
    RejectedInput,
    Unavailable,
)
from tests.batteries.wire import Wire, http, listening, saying

type Try = Callable[[], Awaitable[object]]
EVENT = AppEvent(name="backstop.readiness", role="backstop", at=datetime(2026, 11, 23, tzinfo=UTC))


@asynccontextmanager
async def tables(wire: Wire) -> AsyncIterator[Try]:
    account = TableAccount(connection_string(wire.port), retry_total=0)
    yield lambda: account.table("state").try_writing("nowhere")
    await account.close()


@asynccontextmanager
async def blobs(wire: Wire) -> AsyncIterator[Try]:
    account = Blobs(blob_connection_string(wire.port))
    yield lambda: account.try_writing("seals", "nowhere/none")
    await account.close()


@asynccontextmanager
async def search(wire: Wire) -> AsyncIterator[Try]:
    indexes = SearchIndexes("local", wire.url)
    yield lambda: indexes.watermark("https://unused.example", "policies", "updated")
    await indexes.close()


@asynccontextmanager
async def telemetry(wire: Wire) -> AsyncIterator[Try]:
    events = AppEvents(f"InstrumentationKey=k;IngestionEndpoint={wire.url}", None)
    yield lambda: events.send([EVENT])
    await events.close()


@asynccontextmanager
async def secrets(wire: Wire) -> AsyncIterator[Try]:
    vault = VaultSecrets(wire.url, None)
    yield vault.try_reading
    await vault.close()


type Part = Callable[[Wire], AbstractAsyncContextManager[Try]]
ALL: list[Part] = [tables, blobs, search, telemetry, secrets]
MISSING: list[Part] = [search, blobs]
SAID = [
    *((part, f"{status} No", Refused) for part in ALL for status in (401, 403)),
    *((part, "400 No", RejectedInput if part is tables else Unavailable) for part in ALL),
    *((part, "404 No", Missing) for part in MISSING),
]


@pytest.mark.parametrize(("part", "status", "kind"), SAID)
async def test_a_missing_right_is_told_from_trouble(
    part: Part, status: str, kind: type[BackstopError]
) -> None:
    async with listening(saying(status)) as wire, part(wire) as attempt:
        with pytest.raises(kind) as raised:
            await attempt()
    assert type(raised.value) is kind


async def test_a_vault_is_asked_for_one_name_of_its_list_and_for_no_value() -> None:
    asked: list[bytes] = []

    async def note(request: bytes) -> bytes:
        asked.append(request.split(b"\r\n", 1)[0])
        return http("200 OK", b'{"value": [{"id": "https://kv/secrets/teams-url"}]}')

    async with listening(note) as wire, secrets(wire) as attempt:
        await attempt()
    assert asked == [b"GET /secrets?api-version=7.4&maxresults=1 HTTP/1.1"]


@pytest.mark.parametrize(
    "vault", ["", "http://kv.vault.azure.net", "https://kv.example", "https://kv.vault.azure.net"]
)
def test_a_token_is_for_a_vault_alone(vault: str) -> None:
    with pytest.raises(Misconfigured, match="BACKSTOP_VAULT"):
        VaultSecrets(vault, None)
