"""The way of azure-ai-ml's requests to ARM: within a caller's deadline, or not at all.

`shared.adapters.endpoint` opens a `deadline` around each use of the SDK. The deadline lives in a
context variable: the thread that works for a caller inherits it, the SDK's own polling threads do
not. So their requests are refused here, and they end at once instead of polling for minutes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from urllib3.exceptions import HTTPError

from shared.adapters.arm_address import ARM

_PART = 65_536  # bytes
_ENDS_AT: ContextVar[float | None] = ContextVar("backstop_arm_deadline", default=None)


class PastDeadline(Exception):
    """Nobody waits for this request any more: it was not sent, or its answer not read."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Allow this thread's requests to ARM for so long; an outer deadline is not extended."""
    outer = _ENDS_AT.get()
    ends_at = time.monotonic() + seconds
    token = _ENDS_AT.set(ends_at if outer is None else min(ends_at, outer))
    try:
        yield
    finally:
        _ENDS_AT.reset(token)


class DeadlineTransport(RequestsTransport):  # type: ignore[misc]  # azure-core loads it lazily
    """Sends within the deadline, each read at most `read_timeout_s`; `local` replaces ARM's host.

    The request shows its own URL again after the send: the SDK signs and follows links by it, and
    refuses to put a token on plain HTTP.
    """

    def __init__(self, local: str | None, *, read_timeout_s: float) -> None:
        super().__init__()
        self._local = local
        self._read_timeout_s = read_timeout_s

    def send(self, request: Any, **options: Any) -> Any:
        """Send one request; raises PastDeadline instead when it is too late."""
        left = _seconds_left()
        timeout = min(left, self._read_timeout_s)
        options["read_timeout"] = timeout
        options["connection_timeout"] = timeout
        url = request.url
        if self._local is not None:
            request.url = url.replace(ARM, self._local, 1)
        try:
            answer = super().send(request, **options | {"stream": True})
        finally:
            request.url = url
        _read_whole(answer)
        return answer


def _read_whole(answer: Any) -> None:
    """Read the body within the deadline: `read_timeout` is for one read, and a body may drip."""
    found = answer.internal_response
    parts = []
    try:
        while part := found.raw.read1(_PART, decode_content=True):
            parts.append(part)
            _seconds_left()
    except HTTPError as error:
        raise ServiceResponseError(error, error=error) from error
    finally:
        found.close()
    found._content = b"".join(parts)  # noqa: SLF001 - where `requests` keeps what it has read
    answer.body()  # and the newer of the SDK's two kinds of answer, too


def _seconds_left() -> float:
    ends_at = _ENDS_AT.get()
    if ends_at is None:
        raise PastDeadline("nobody waits for this request")
    left = ends_at - time.monotonic()
    if left <= 0:
        raise PastDeadline("the deadline passed before the request was sent")
    return left
