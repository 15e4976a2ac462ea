"""Requests to ARM leave only while somebody waits for them."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from contextvars import copy_context
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline.transport import HttpRequest

from shared.adapters.arm_transport import DeadlineTransport, PastDeadline, deadline

URL = "https://management.azure.com/subscriptions?api-version=1"


class Listener(HTTPServer):
    """Answers 200 and remembers the paths.

    With `silent` set it answers only after it was released, with `dripping` a byte at a time.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths: list[str] = []
        self.silent = False
        self.dripping = False
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Listener)
        self.server.paths.append(self.path)
        if self.server.silent:
            self.server.released.wait(10.0)
        self.send_response(200)
        self.send_header("Content-Length", "99999" if self.server.dripping else "2")
        self.end_headers()
        self.wfile.write(b"{}")
        while self.server.dripping and not self.server.released.wait(0.01):
            with suppress(OSError):  # nobody listens any more
                self.wfile.write(b" ")

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def transport(listener: Listener) -> Iterator[DeadlineTransport]:
    transport = DeadlineTransport(listener.url, read_timeout_s=5.0)
    yield transport
    transport.close()


def test_a_request_is_redirected_and_shows_its_own_url_again(
    transport: DeadlineTransport, listener: Listener
) -> None:
    request = HttpRequest("GET", URL)
    with deadline(5.0):
        assert transport.send(request).status_code == 200
    assert listener.paths == ["/subscriptions?api-version=1"]
    assert request.url == URL


def test_without_a_deadline_nothing_is_sent(
    transport: DeadlineTransport, listener: Listener
) -> None:
    with pytest.raises(PastDeadline, match="nobody waits"):
        transport.send(HttpRequest("GET", URL))
    assert listener.paths == []


def test_after_the_deadline_nothing_is_sent(
    transport: DeadlineTransport, listener: Listener
) -> None:
    with deadline(0.0), pytest.raises(PastDeadline, match="passed before"):
        transport.send(HttpRequest("GET", URL))
    assert listener.paths == []


def test_an_inner_deadline_cannot_outlast_the_outer(
    transport: DeadlineTransport, listener: Listener
) -> None:
    with deadline(0.0), deadline(60.0), pytest.raises(PastDeadline):
        transport.send(HttpRequest("GET", URL))
    assert listener.paths == []


def test_an_answer_is_awaited_no_longer_than_the_deadline(
    transport: DeadlineTransport, listener: Listener
) -> None:
    listener.silent = True
    with deadline(0.1), pytest.raises(ServiceResponseTimeoutError):
        transport.send(HttpRequest("GET", URL))


def test_an_answer_that_drips_is_given_up_at_the_deadline(
    transport: DeadlineTransport, listener: Listener
) -> None:
    listener.dripping = True
    with deadline(0.1), pytest.raises(PastDeadline):
        transport.send(HttpRequest("GET", URL))


def test_an_answer_is_read_whole(transport: DeadlineTransport) -> None:
    with deadline(5.0):
        answer = transport.send(HttpRequest("GET", URL))
    assert (answer.body(), answer.internal_response.content) == (b"{}", b"{}")


def test_a_thread_of_its_own_has_no_share_in_the_callers_deadline(
    transport: DeadlineTransport, listener: Listener
) -> None:
    outcomes: list[str] = []

    def poll() -> None:
        try:
            transport.send(HttpRequest("GET", URL))
        except PastDeadline:
            outcomes.append("refused")
        else:
            outcomes.append("sent")

    with deadline(5.0):
        for run in (poll, lambda: copy_context().run(poll)):
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
        inherited = copy_context()
    thread = threading.Thread(target=inherited.run, args=(poll,))
    thread.start()
    thread.join()
    assert outcomes == ["refused", "refused", "sent"]
