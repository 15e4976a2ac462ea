"""HTTP functions are reached as in Azure, and their failures stay inside."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from infra.local.host.configuration import Refused
from infra.local.host.web import bind
from infra.local.processes import Child
from tests.infra.local.host.sample import served, url_of, write_app

FUNCTIONS = """
import json

@app.route("alerts/{id}", methods=["POST"])
async def ingest(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    seen = {
        "id": req.route_params["id"],
        "query": dict(req.params),
        "type": req.headers["Content-Type"],
        "length": len(req.get_body()),
        "traceparent": context.trace_context.trace_parent,
    }
    return func.HttpResponse(
        json.dumps(seen), status_code=202, mimetype="application/json", headers={"Retry-After": "5"}
    )

@app.route("echo", methods=["POST"])
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.get_body(), mimetype="application/octet-stream")

@app.route("page", methods=["GET"])
def page(req: func.HttpRequest) -> func.HttpResponse:
    cookie = "session=s1; Path=/api; HttpOnly; SameSite=Strict"
    return func.HttpResponse("a page", headers={"Set-Cookie": cookie})

@app.route("broken", methods=["GET"])
async def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("the key is hunter2")
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with served(write_app(tmp_path_factory.mktemp("web"), FUNCTIONS)) as child:
        yield child


def test_a_request_arrives_whole_and_its_answer_comes_back(host: Child) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = requests.post(
        f"{url_of(host)}/api/alerts/a7?team=claims&empty=",
        data="{}",
        headers={"Content-Type": "application/json", "traceparent": trace},
        timeout=10,
    )
    assert answer.status_code == 202
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Retry-After"] == "5"
    assert answer.json() == {
        "id": "a7",
        "query": {"team": "claims"},
        "type": "application/json",
        "length": 2,
        "traceparent": trace,
    }


def test_a_request_that_nobody_traced_gets_a_trace_of_its_own(host: Child) -> None:
    url = f"{url_of(host)}/api/alerts/a7"
    traces = {
        requests.post(url, json={}, timeout=10).json()["traceparent"],
        requests.post(url, json={}, timeout=10).json()["traceparent"],
    }
    assert len(traces) == 2


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_bytes_of_any_number_pass_unchanged(host: Child, size: int) -> None:
    body = b"\xff" * size
    answer = requests.post(f"{url_of(host)}/api/echo", data=body, timeout=10)
    assert answer.content == body


def test_a_synchronous_function_may_set_a_cookie(host: Child) -> None:
    answer = requests.get(f"{url_of(host)}/api/page", timeout=10)
    assert answer.text == "a page"
    assert answer.cookies["session"] == "s1"
    assert "httponly" in answer.headers["Set-Cookie"].lower()
    assert "samesite=strict" in answer.headers["Set-Cookie"].lower()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/echo"), ("HEAD", "/api/page"), ("GET", "/api/nothing"), ("POST", "/echo")],
)
def test_another_path_or_method_is_not_found(host: Child, method: str, path: str) -> None:
    answer = requests.request(method, url_of(host) + path, timeout=10)
    assert (answer.status_code, answer.content) == (404, b"")


def test_a_failure_is_a_bare_500_with_its_trace_in_the_log_alone(host: Child) -> None:
    answer = requests.get(f"{url_of(host)}/api/broken", timeout=10)
    assert (answer.status_code, answer.content) == (500, b"")
    log = "\n".join(host.output())
    assert "broken failed: ValueError: the key is hunter2" in log
    assert "Traceback" in log


def test_the_route_prefix_is_that_of_host_json(tmp_path: Path) -> None:
    no_prefix = '{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}'
    with served(write_app(tmp_path, FUNCTIONS, no_prefix)) as host:
        assert requests.get(f"{url_of(host)}/page", timeout=10).status_code == 200


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"port {port} cannot be used"):
            bind(port)


def test_answers_are_not_held_back_in_the_hope_of_more() -> None:
    # asyncio turns Nagle's algorithm off for sockets that name their protocol, and only for them.
    with bind(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
