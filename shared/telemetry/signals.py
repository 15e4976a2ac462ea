"""The fast lane: count answers, and post the breach itself, a minute before a rule can see it.

Counting costs next to nothing and never waits: what is to be sent is sent by a thread of its own,
and a failure to send is logged and forgotten, because the log route tells the same a little later.
"""

import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPException
from time import monotonic
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request as Post
from urllib.request import urlopen
from uuid import uuid4

from shared.telemetry.watch import Heard, Telling, Watch

_TIMEOUT_S = 10.0
_SERVER_ERROR = 500
_TOO_MANY = 429
log = logging.getLogger("backstop.telemetry.signals")


class Objective(NamedTuple):
    """What is watched: an objective of the service's file, `share` such as 0.99, in one region."""

    service: str
    slo: str
    share: float
    region: str = ""


class Breaches:
    """Watches one objective of a service, and posts a signal where its budget burns too fast.

    `url` is Backstop's root, `token` gives a token of the service's own app with the role Signal.
    Every replica may have one: the breach is over when the last of them was well for a window. A
    signal of it goes out every `every_s` at most, and at least thrice a window.
    """

    def __init__(
        self,
        url: str,
        token: Callable[[], str],
        objective: Objective,
        *,
        window_s: int = 60,
        minimum_requests: int = 50,
        every_s: float = 20.0,
    ) -> None:
        self._url = f"{url.rstrip('/')}/api/signals"
        self._token = token
        self._objective = objective
        self._window_s = window_s
        self._watch = Watch(
            objective.share,
            window_s=window_s,
            minimum_requests=minimum_requests,
            every_s=every_s,
        )
        self._lock = threading.Lock()

    def count(self, *, good: bool, now: float | None = None) -> None:
        """Count one answer; `now` is a monotonic time in seconds."""
        at = monotonic() if now is None else now
        with self._lock:
            telling = self._watch.count(good=good, now=at)
        if telling is not None:
            ended_at = datetime.now(UTC)  # noqa: TID251 - a service's own process
            told = (telling, ended_at, at)
            threading.Thread(target=self._tell, args=told, daemon=True).start()

    def _tell(self, telling: Telling, ended_at: datetime, at: float) -> None:
        heard = self._post(telling, ended_at)
        with self._lock:
            self._watch.hear(telling, heard, at)

    def _post(self, telling: Telling, ended_at: datetime) -> Heard:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token()}"}
        body = json.dumps(self._body(telling, ended_at)).encode()
        post = Post(self._url, body, headers, method="POST")  # noqa: S310 - the service's own setting
        try:
            with urlopen(post, timeout=_TIMEOUT_S):  # noqa: S310 - the same
                return Heard(taken=True)
        except HTTPError as error:
            with error:
                return self._refused(error)
        except (OSError, HTTPException) as error:
            log.warning("no signal to %s: %s; the alert rules tell it later", self._url, error)
            return Heard()

    def _refused(self, error: HTTPError) -> Heard:
        """Told to wait, enough replicas have told of it already; what else is refused is logged."""
        if error.code != _TOO_MANY:
            log.warning("no signal to %s: %s; the alert rules tell it later", self._url, error)
        wait = error.headers.get("Retry-After", "")
        wait_s = float(wait) if wait.isdecimal() else 0.0
        return Heard(refused=error.code < _SERVER_ERROR, wait_s=wait_s)

    def _body(self, telling: Telling, ended_at: datetime) -> dict[str, object]:
        service, slo, _, region = self._objective
        return {
            "id": str(uuid4()),
            "service": service,
            "slo": slo,
            "region": region,
            "source": "telemetry-helper",
            "window": f"{self._window_s}s",
            "ended_at": ended_at.isoformat(),
            "good": telling.good,
            "total": telling.total,
        }
