"""Every way in which an answer can fall short has its status, and none raises."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.logs.server import Faults
from infra.local.logs.store import TelemetryStore
from shared.adapters.logs import Logs
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.errors import Misconfigured
from tests.infra.local.logs.workspace import NOW, ask, make_store, serve

WINDOW: dict[str, Any] = {"Service": "fnol-summary", "Since": NOW - timedelta(hours=1)}


@pytest.fixture
def store() -> Iterator[TelemetryStore]:
    with make_store() as made:
        properties = {"backstop.deployment": "v1", "backstop.region": "westeurope"}
        row = {"AppRoleName": "fnol-summary", "Success": True, "DurationMs": 5.0}
        made.append(
            "AppRequests",
            [
                row | {"TimeGenerated": NOW - timedelta(minutes=m), "Properties": properties}
                for m in (2, 3, 4, 5)
            ],
        )
        yield made


class Scripted:
    """A service that answers what it is told, and remembers what it was asked."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.headers: list[dict[str, str]] = []
        self.bodies: list[dict[str, Any]] = []

    async def answer(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.json())
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def ask(self, **settings: Any) -> QueryAnswer:
        app = Starlette(
            routes=[Route("/v1/workspaces/workspace/query", self.answer, methods=["POST"])]
        )
        async with serve(app) as address:
            logs = Logs("workspace", endpoint=address, **settings)
            try:
                return await logs.query("versions", **WINDOW)
            finally:
                await logs.close()


def table(*rows: list[object]) -> dict[str, Any]:
    columns = [{"name": "Deployment", "type": "string"}, {"name": "P95Ms", "type": "real"}]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": list(rows)}]}


async def test_a_complete_answer_has_its_rows_by_name(store: TelemetryStore) -> None:
    async with ask(store) as logs:
        answer = await logs.query("versions", **WINDOW)

    assert answer.status is AnswerStatus.COMPLETE
    assert answer.name == "versions"
    assert answer.detail == ""
    assert answer.rows == (
        {
            "Deployment": "v1",
            "ModelVersion": "",
            "PromptVersion": "",
            "Total": 4,
            "Failed": 0,
            "P50Ms": 5.0,
            "P95Ms": 5.0,
            "FirstSeen": NOW - timedelta(minutes=5),
            "LastSeen": NOW - timedelta(minutes=2),
        },
    )


async def test_the_newest_telemetry_is_held_back(store: TelemetryStore) -> None:
    async with ask(store, lag_s=180.0, bin_s=60.0) as logs:
        answer = await logs.query("versions", **WINDOW)

    assert answer.rows[0]["Total"] == 2


async def test_no_rows_are_empty(store: TelemetryStore) -> None:
    async with ask(store) as logs:
        answer = await logs.query("versions", **WINDOW | {"Service": "silent"})

    assert (answer.status, answer.rows) == (AnswerStatus.EMPTY, ())


async def test_a_partial_answer_is_partial_however_many_rows_it_has(store: TelemetryStore) -> None:
    async with ask(store, Faults(partial=True)) as logs:
        answer = await logs.query("onset", **WINDOW)

    assert answer.status is AnswerStatus.PARTIAL
    assert len(answer.rows) == 2
    assert answer.detail == "partial: A part of the data could not be read."


async def test_too_many_rows_are_truncated(store: TelemetryStore) -> None:
    async with ask(store, max_rows=3) as logs:
        answer = await logs.query("onset", **WINDOW)

    assert (answer.status, len(answer.rows)) == (AnswerStatus.TRUNCATED, 3)


async def test_an_answer_that_is_late_has_timed_out(store: TelemetryStore) -> None:
    async with ask(store, Faults(slow=30.0), timeout_s=0.2) as logs:
        answer = await logs.query("versions", **WINDOW)

    assert answer.status is AnswerStatus.TIMED_OUT
    assert answer.detail == "no answer within 0.2 s"


async def test_those_that_run_before_it_take_nothing_of_a_querys_time() -> None:
    async def answer(_: Request) -> Response:
        await asyncio.sleep(0.4)
        return JSONResponse(table(["v1", 5.0]))

    app = Starlette(routes=[Route("/v1/workspaces/workspace/query", answer, methods=["POST"])])
    async with serve(app) as address:
        logs = Logs("workspace", endpoint=address, timeout_s=1.0, concurrency=1)
        answers = await asyncio.gather(*(logs.query("versions", **WINDOW) for _ in range(4)))
        await logs.close()

    assert {answer.status for answer in answers} == {AnswerStatus.COMPLETE}


async def test_nobody_waits_for_a_turn_without_end(store: TelemetryStore) -> None:
    async with ask(store, Faults(slow=30.0), timeout_s=2.0, wait_s=0.2, concurrency=1) as logs:
        answers = await asyncio.gather(*(logs.query("versions", **WINDOW) for _ in range(2)))

    assert {answer.status for answer in answers} == {AnswerStatus.TIMED_OUT}
    assert "not asked within 0.2 s: others wait" in {answer.detail for answer in answers}


async def test_a_query_that_the_service_gave_up_is_not_run_again() -> None:
    service = Scripted(JSONResponse({"error": {"code": "GatewayTimeout", "message": "slow"}}, 504))

    answer = await service.ask()

    assert answer.status is AnswerStatus.TIMED_OUT
    assert len(service.bodies) == 1


@pytest.mark.parametrize(
    ("faults", "detail"),
    [
        (Faults(outage=True), "503 (ServiceUnavailable) The service is down"),
        (Faults(throttled=True), "429 (ThrottledError) Too many requests"),
    ],
)
async def test_an_outage_is_unavailable(
    store: TelemetryStore, faults: Faults, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.adapters.logs._BACKOFF_S", 0.01)
    async with ask(store, faults) as logs:
        answer = await logs.query("versions", **WINDOW)

    assert (answer.status, answer.rows, answer.detail) == (AnswerStatus.UNAVAILABLE, (), detail)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_short_trouble_is_outlasted(status: int) -> None:
    service = Scripted(JSONResponse({}, status), JSONResponse(table(["v1", 5.0])))

    answer = await service.ask()

    assert answer.status is AnswerStatus.COMPLETE
    assert len(service.bodies) == 2


async def test_a_refused_query_says_the_innermost_reason() -> None:
    cause = {"code": "SEM0100", "message": "'where' operator: Failed to resolve 'Foo'"}
    inner = {"code": "SemanticError", "message": "A semantic error.", "innererror": cause}
    error = {"code": "BadArgumentError", "message": "Some invalid properties", "innererror": inner}

    answer = await Scripted(JSONResponse({"error": error}, 400)).ask()

    assert answer.status is AnswerStatus.UNAVAILABLE
    assert answer.detail == "400 'where' operator: Failed to resolve 'Foo'"


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refusal_is_unavailable(status: int) -> None:
    answer = await Scripted(JSONResponse({"error": {"code": "No", "message": "no"}}, status)).ask()

    assert answer.status is AnswerStatus.UNAVAILABLE
    assert answer.detail.startswith(str(status))


@pytest.mark.parametrize(
    "response",
    [
        Response(status_code=204),
        Response("<html>", media_type="text/html"),
        Response("not json", media_type="application/json"),
        JSONResponse([1]),
        JSONResponse({}),
        JSONResponse({"tables": []}),
        JSONResponse({"tables": [{"name": "x", "columns": [{}], "rows": [[1]]}]}),
    ],
)
async def test_an_answer_that_cannot_be_read_is_unavailable(response: Response) -> None:
    answer = await Scripted(response).ask()

    assert answer.status is AnswerStatus.UNAVAILABLE


async def test_nobody_there_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        logs = Logs("workspace", endpoint=f"http://127.0.0.1:{unused.getsockname()[1]}")
        answer = await logs.query("versions", **WINDOW)
        await logs.close()

    assert answer.status is AnswerStatus.UNAVAILABLE
    assert answer.detail.startswith("not reachable")


async def test_numbers_that_json_cannot_hold_are_numbers() -> None:
    answer = await Scripted(JSONResponse(table(["v1", "NaN"], ["v2", None]))).ask()

    assert str(answer.rows[0]["P95Ms"]) == "nan"
    assert answer.rows[1]["P95Ms"] is None


async def test_it_asks_for_fresh_answers_over_the_querys_own_windows() -> None:
    service = Scripted(JSONResponse(table(["v1", 5.0])))

    await service.ask(timeout_s=7.5)

    assert service.headers[0]["cache-control"] == "no-cache"
    assert service.headers[0]["prefer"] == "wait=8"
    assert service.bodies[0]["timespan"] is None


async def test_a_mistake_of_ours_is_raised(store: TelemetryStore) -> None:
    async with ask(store) as logs:
        with pytest.raises(TypeError, match="missing parameter Since"):
            await logs.query("versions", Service="fnol-summary")
        with pytest.raises(LookupError, match="no_such"):
            await logs.query("no_such")


async def test_no_more_queries_run_at_once_than_allowed(store: TelemetryStore) -> None:
    running: list[int] = [0, 0]

    async def answer(_: Request) -> Response:
        running[0] += 1
        running[1] = max(running)
        await asyncio.sleep(0.02)
        running[0] -= 1
        return JSONResponse(table(["v1", 5.0]))

    app = Starlette(routes=[Route("/v1/workspaces/workspace/query", answer, methods=["POST"])])
    async with serve(app) as address:
        logs = Logs("workspace", endpoint=address, concurrency=2)
        await asyncio.gather(*(logs.query("versions", **WINDOW) for _ in range(6)))
        await logs.close()

    assert running == [0, 2]


def test_plain_http_stays_on_this_machine() -> None:
    with pytest.raises(Misconfigured, match=r"127\.0\.0\.1 only"):
        Logs("workspace", endpoint="http://logs.example")


@pytest.mark.parametrize("endpoint", [None, "", "https://api.loganalytics.us"])
def test_azure_needs_a_credential(endpoint: str | None) -> None:
    with pytest.raises(Misconfigured, match="credential"):
        Logs("workspace", endpoint=endpoint)
