"""The helper's fast lane: what it posts is a signal as Backstop reads it, and never too often."""

import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shared.domain.signals.reading import Source
from shared.domain.signals.signal import Signal, read_signal
from shared.telemetry import Breaches, Objective

OBJECTIVE = Objective("fnol-summary", "fnol-summary-availability", 0.99, "swedencentral")


class Backstop(ThreadingHTTPServer):
    """Takes signals and keeps them."""

    def __init__(self) -> None:
        self.taken: queue.Queue[tuple[str, Signal]] = queue.Queue()
        super().__init__(("127.0.0.1", 0), Door)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Door(BaseHTTPRequestHandler):
    server: Backstop

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/api/signals"
        signal = read_signal(body, datetime.now(UTC))
        self.server.taken.put((self.headers["Authorization"], signal))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def backstop() -> Iterator[Backstop]:
    with Backstop() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def watching(url: str) -> Breaches:
    return Breaches(url, lambda: "a token", OBJECTIVE, minimum_requests=20, every_s=30)


def settle(backstop: Backstop) -> None:
    """Wait for every post that began."""
    for thread in threading.enumerate():
        if thread.daemon and thread is not threading.current_thread():
            thread.join(timeout=10)


def test_a_breach_is_posted_as_backstop_reads_it(backstop: Backstop) -> None:
    breaches = watching(backstop.address)
    for number in range(20):
        breaches.count(good=number % 2 == 0, now=float(number))

    token, signal = backstop.taken.get(timeout=10)

    assert token == "Bearer a token"
    assert (signal.service, signal.slo, signal.region, signal.window) == (
        "fnol-summary",
        "fnol-summary-availability",
        "swedencentral",
        "60s",
    )
    assert (signal.good, signal.total, signal.source) == (10, 20, Source.TELEMETRY_HELPER)


def test_it_is_told_again_after_a_while_and_once_when_it_is_over(backstop: Backstop) -> None:
    breaches = watching(backstop.address)
    times = [number / 10 for number in range(40)]  # all within four seconds
    for at in times:
        breaches.count(good=False, now=at)
    breaches.count(good=False, now=31.9)
    settle(backstop)
    for number in range(400):
        breaches.count(good=True, now=100 + number / 100)
    settle(backstop)

    told = [(signal.good, signal.total) for _, signal in drain(backstop)]

    assert sorted(told) == [(0, 20), (0, 41), (20, 20)]


def test_what_hovers_at_the_line_is_told_no_oftener_and_ends_once(backstop: Backstop) -> None:
    breaches = watching(backstop.address)
    for number in range(200):  # a seventh is bad, now a little more than may be, now less
        breaches.count(good=number % 7 != 0, now=number / 10)
    settle(backstop)
    assert len(drain(backstop)) == 1

    for number in range(30):
        breaches.count(good=True, now=100 + number)
    settle(backstop)
    assert [signal.good == signal.total for _, signal in drain(backstop)] == [True]


def test_an_end_that_was_not_taken_is_told_again(
    backstop: Backstop, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaches = watching(backstop.address)
    for _ in range(20):
        breaches.count(good=False, now=0.0)
    settle(backstop)
    assert len(drain(backstop)) == 1

    with monkeypatch.context() as out:
        out.setattr(Door, "do_POST", lambda door: door.send_error(503))
        for _ in range(40):
            breaches.count(good=True, now=100.0)
        settle(backstop)
    for at in (119.0, 120.0, 161.0):
        breaches.count(good=True, now=at)
        settle(backstop)
    assert [signal.good for _, signal in drain(backstop)] == [42]


def test_who_is_told_to_wait_waits_and_owes_no_end(
    backstop: Backstop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaches = watching(backstop.address)
    with monkeypatch.context() as full:
        full.setattr(Door, "do_POST", turn_away)
        for number in range(40):
            breaches.count(good=False, now=number / 10)
        settle(backstop)
    for at in (30.0, 41.8):
        breaches.count(good=False, now=at)
    for _ in range(60):
        breaches.count(good=True, now=200.0)
    settle(backstop)
    assert drain(backstop) == []
    assert caplog.text == "", "the others have told of it"

    for _ in range(60):
        breaches.count(good=False, now=210.0)
    settle(backstop)
    assert len(drain(backstop)) == 1


def turn_away(door: Door) -> None:
    door.send_response(429)
    door.send_header("Retry-After", "40")
    door.end_headers()


def test_too_few_requests_or_a_slow_burn_are_nobodys_breach(backstop: Backstop) -> None:
    breaches = watching(backstop.address)
    for number in range(19):
        breaches.count(good=False, now=float(number))
    for number in range(1000):
        breaches.count(good=number % 10 != 0, now=200 + number / 100)
    settle(backstop)

    assert drain(backstop) == []


def test_a_backstop_that_is_out_costs_the_service_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with Backstop() as closed:
        address = closed.address
    breaches = watching(address)
    for number in range(20):
        breaches.count(good=False, now=float(number))
    settle(closed)

    assert "the alert rules tell it later" in caplog.text


def test_a_connection_that_is_cut_is_logged_and_forgotten(
    backstop: Backstop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Door, "do_POST", lambda door: door.connection.close())
    breaches = watching(backstop.address)
    for number in range(20):
        breaches.count(good=False, now=float(number))
    settle(backstop)

    assert "the alert rules tell it later" in caplog.text


def drain(backstop: Backstop) -> list[tuple[str, Signal]]:
    found = []
    while not backstop.taken.empty():
        found.append(backstop.taken.get_nowait())
    return found
