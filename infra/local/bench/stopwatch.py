"""How long the simulated services were busy with requests: what is not Backstop's own time."""

import time

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One request that a part answered; epoch seconds."""

    part: str
    method: str
    path: str
    began: float
    ended: float


class Stopwatch:
    """Middleware around the server of one part; all write into one list."""

    def __init__(self, app: ASGIApp, part: str, spans: list[Span]) -> None:
        self._app = app
        self._part = part
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through and note how long it took."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.time()
        await self._app(scope, receive, send)
        self._spans.append(
            Span(
                part=self._part,
                method=scope["method"],
                path=scope["path"],
                began=began,
                ended=time.time(),
            )
        )


def busy_s(spans: list[Span], since: float, until: float) -> float:
    """Seconds between two times in which at least one of the requests was being answered."""
    inside = sorted(
        (max(span.began, since), min(span.ended, until))
        for span in spans
        if span.began < until and span.ended > since
    )
    total, reached = 0.0, since
    for began, ended in inside:
        total += max(0.0, ended - max(began, reached))
        reached = max(reached, ended)
    return total
