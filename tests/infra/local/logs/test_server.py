"""What is on the wire, without the SDK; what the SDK makes of it is tested with its adapter."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from infra.local.logs.server import Faults, create_app
from infra.local.logs.store import TelemetryStore
from tests.infra.local.logs.workspace import NOW, make_store, serve

type Answer = tuple[int, dict[str, Any]]


@pytest.fixture
def store() -> Iterator[TelemetryStore]:
    with make_store() as made:
        yield made


@pytest.fixture
async def client(store: TelemetryStore) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": "Bearer token"}
    async with (
        serve(create_app(store, max_rows=3)) as address,
        aiohttp.ClientSession(address, headers=headers) as session,
    ):
        yield session


async def post(client: aiohttp.ClientSession, body: object, **headers: str) -> Answer:
    path = "/v1/workspaces/workspace/query"
    async with client.post(path, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_an_answer_is_one_table_with_typed_columns(client: aiohttp.ClientSession) -> None:
    status, body = await post(client, {"query": 'print a = 1, b = "x", c = 1.5'})

    assert status == 200
    assert body == {
        "tables": [
            {
                "name": "PrimaryResult",
                "columns": [
                    {"name": "a", "type": "long"},
                    {"name": "b", "type": "string"},
                    {"name": "c", "type": "real"},
                ],
                "rows": [[1, "x", 1.5]],
            }
        ]
    }


async def test_the_timespan_limits_what_the_query_sees(
    client: aiohttp.ClientSession, store: TelemetryStore
) -> None:
    store.append("AppEvents", [{"TimeGenerated": NOW.replace(hour=hour)} for hour in (9, 10, 11)])

    _, body = await post(client, {"query": "AppEvents | count", "timespan": "PT1H"})

    assert body["tables"][0]["rows"] == [[1]]


async def test_too_many_rows_are_a_partial_answer(client: aiohttp.ClientSession) -> None:
    status, body = await post(client, {"query": "range x from 1 to 9 step 1"})

    assert status == 200
    assert len(body["tables"][0]["rows"]) == 3
    assert body["error"]["code"] == "PartialError"


@pytest.mark.parametrize(
    ("query", "code"),
    [("AppEvents | wher", "SyntaxError"), ("AppEvents | where Foo == 1", "SemanticError")],
)
async def test_a_wrong_query_is_a_400_with_the_cause_inside(
    client: aiohttp.ClientSession, query: str, code: str
) -> None:
    status, body = await post(client, {"query": query})

    assert status == 400
    assert body["error"]["code"] == "BadArgumentError"
    assert body["error"]["innererror"]["code"] == code


@pytest.mark.parametrize("body", [{}, [], {"query": "print 1", "timespan": "soon"}])
async def test_a_body_that_is_no_question_is_a_400(
    client: aiohttp.ClientSession, body: object
) -> None:
    status, _ = await post(client, body)

    assert status == 400


async def test_the_callers_patience_ends_a_query(client: aiohttp.ClientSession) -> None:
    numbers = "range {0} from 1 to 3000000 step 1 | extend k = {0} % 2"
    endless = f"{numbers.format('x')} | join kind=inner ({numbers.format('y')}) on k | count"

    status, body = await post(client, {"query": endless}, Prefer="wait=1")

    assert (status, body["error"]["code"]) == (504, "GatewayTimeout")


async def test_without_a_token_nothing_is_answered(client: aiohttp.ClientSession) -> None:
    status, _ = await post(client, {"query": "print 1"}, Authorization="")

    assert status == 401


async def test_another_path_does_not_exist(client: aiohttp.ClientSession) -> None:
    async with client.post("/v1/elsewhere", json={}) as answer:
        body = await answer.json()

    assert (answer.status, body["error"]["code"]) == (404, "PathNotFoundError")


@pytest.mark.parametrize(("fault", "status"), [("outage", 503), ("throttled", 429)])
async def test_a_fault_is_answered_until_it_is_lifted(
    store: TelemetryStore, fault: str, status: int
) -> None:
    faults = Faults()
    setattr(faults, fault, True)
    headers = {"Authorization": "Bearer token"}
    async with (
        serve(create_app(store, faults)) as address,
        aiohttp.ClientSession(address, headers=headers) as client,
    ):
        troubled, _ = await post(client, {"query": "print 1"})
        setattr(faults, fault, False)
        healthy, _ = await post(client, {"query": "print 1"})

    assert (troubled, healthy) == (status, 200)
