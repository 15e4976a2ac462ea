"""The fast lane: count answers, and post the breach itself, a minute before a rule can see it.

Counting costs next to nothing and never waits: what is to be sent is sent by a thread of its own,
and a failure to send is logged and forgotten, because the log route tells the same a little later.
"""

import json
import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPException
from time import monotonic
from typing import NamedTuple
from urllib.request import Request as Post
from urllib.request import urlopen
from uuid import uuid4

_TIMEOUT_S = 10.0
_FAST = 14.4  # the burn rate of the fastest alert: the whole month's budget in two days
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
    At most one signal of a breach goes out every `every_s`, and one that it is over, a window
    later.
    """

    def __init__(
        self,
        url: str,
        token: Callable[[], str],
        objective: Objective,
        *,
        window_s: int = 60,
        minimum_requests: int = 50,
        every_s: float = 30.0,
    ) -> None:
        self._url = f"{url.rstrip('/')}/api/signals"
        self._token = token
        self._objective = objective
        self._bad_share = min(_FAST * (1.0 - objective.share), 1.0)
        self._window_s = window_s
        self._least = minimum_requests
        self._every_s = every_s
        self._answers: deque[tuple[float, bool]] = deque()
        self._bad = 0
        self._told_at: float | None = None  # the newest signal; None while all is well
        self._burned_at = 0.0  # when the budget last burned too fast
        self._ended_at = float("-inf")  # when its end was last told, or tried to be
        self._lock = threading.Lock()

    def count(self, *, good: bool, now: float | None = None) -> None:
        """Count one answer; `now` is a monotonic time in seconds."""
        at = monotonic() if now is None else now
        with self._lock:
            self._answers.append((at, good))
            self._bad += not good
            self._forget(at)
            due = self._is_due(at)
            total, bad = len(self._answers), self._bad
            target = self._post if self._burns() else self._end
        if due:
            threading.Thread(target=target, args=(total - bad, total), daemon=True).start()

    def _forget(self, now: float) -> None:
        while self._answers and self._answers[0][0] <= now - self._window_s:
            _, good = self._answers.popleft()
            self._bad -= not good

    def _is_due(self, now: float) -> bool:
        """Whether to tell now: of a breach again and again, of its end once.

        It has ended after a whole window without: what hovers at the line would begin anew and
        anew, and each beginning may page.
        """
        if len(self._answers) < self._least:
            return False
        if not self._burns():
            return self._told_at is not None and self._is_over(now)
        self._burned_at = now
        if self._told_at is not None and now - self._told_at < self._every_s:
            return False
        self._told_at = now
        return True

    def _burns(self) -> bool:
        return self._bad >= self._bad_share * len(self._answers)

    def _is_over(self, now: float) -> bool:
        if now - self._burned_at < self._window_s or now - self._ended_at < self._every_s:
            return False
        self._ended_at = now
        return True

    def _end(self, good: int, total: int) -> None:
        """Tell the end; one that was not taken is told again, or the incident would stay open."""
        if self._post(good, total):
            with self._lock:
                self._told_at = None

    def _post(self, good: int, total: int) -> bool:
        service, slo, _, region = self._objective
        ended_at = datetime.now(UTC).isoformat()  # noqa: TID251 - a service's own process
        counted = {"good": good, "total": total, "window": f"{self._window_s}s"}
        about = {"service": service, "slo": slo, "region": region, "source": "telemetry-helper"}
        body = {"id": str(uuid4()), "ended_at": ended_at, **about, **counted}
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token()}"}
        post = Post(self._url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 - the service's own setting
        try:
            with urlopen(post, timeout=_TIMEOUT_S):  # noqa: S310 - the same
                return True
        except (OSError, HTTPException) as error:
            log.warning("no signal to %s: %s; the alert rules tell it later", self._url, error)
            return False
