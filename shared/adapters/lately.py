"""Lately: what the logs said a moment ago, for pages that many people reload at once.

A page may not wait for a slow workspace, nor ask it again for every reader: one query runs for all,
its answer is kept for some seconds, and a page that cannot wait is told that nothing is known yet.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from shared.domain.diagnosis.telemetry import Query, QueryAnswer

KEPT = 64

type Ask = Callable[..., Coroutine[Any, Any, QueryAnswer]]


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One question: the task that waits for its answer or has it."""

    task: asyncio.Task[QueryAnswer]
    at: float

    def is_usable(self, keep_s: float) -> bool:
        """Whether its answer is still young, or not there yet."""
        return not self.task.done() or _now() - self.at < keep_s


class Lately:
    """The last answers of one process, by question; `ask` is `Logs.query`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._asked: OrderedDict[tuple[Any, ...], _Asked] = OrderedDict()

    async def query(
        self, query: str | Query, *, keep_s: float, within_s: float, **parameters: Any
    ) -> QueryAnswer | None:
        """The answer, asked for at most `keep_s` ago; None where it takes longer than `within_s`.

        The question goes on then, and a later call finds its answer.
        """
        asked_for = query if isinstance(query, str) else (query.name, query.text)
        key = (asked_for, *sorted(parameters.items()))
        asked = self._asked.get(key)
        if asked is None or not asked.is_usable(keep_s):
            task = asyncio.create_task(self._ask(query, **parameters))
            asked = self._asked[key] = _Asked(task=task, at=_now())
            self._forget()
        done, _ = await asyncio.wait({asked.task}, timeout=within_s)
        return asked.task.result() if done else None

    async def close(self) -> None:
        """Give up what still waits for an answer."""
        tasks = [asked.task for asked in self._asked.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self) -> None:
        """Keep the newest questions."""
        while len(self._asked) > KEPT:
            _, asked = self._asked.popitem(last=False)
            asked.task.cancel()


def _now() -> float:
    return asyncio.get_running_loop().time()
