"""A search service and an ingestion route in memory."""

from collections.abc import Sequence
from typing import override

from shared.adapters.app_events import AppEvents
from shared.adapters.search_index import SearchIndexes
from shared.domain.app_event import AppEvent
from shared.domain.health.chain import Watermark
from shared.errors import Missing, Refused, Unavailable
from tests.fakes.turns import Turns


class FakeSearch(SearchIndexes):
    """Indexes by name; one that nobody put there is missing. `refuses` answers 403."""

    def __init__(self, turns: Turns) -> None:
        self.refuses = False
        self.indexes: dict[str, Watermark] = {}
        self._turns = turns

    @override
    async def watermark(self, endpoint: str, index: str, field: str) -> Watermark:
        await self._turns.take("search.watermark")
        if self.refuses:
            raise Refused("search", "HTTP 403")
        if index not in self.indexes:
            raise Missing("search", "HTTP 404")
        return self.indexes[index]

    @override
    async def close(self) -> None:
        return None


class FakeAppEvents(AppEvents):
    """Keeps what was sent. `out` makes it unreachable, `refuses` answers 403."""

    def __init__(self, turns: Turns) -> None:
        self.out = False
        self.refuses = False
        self.sent: list[AppEvent] = []
        self._turns = turns

    @override
    async def send(self, events: Sequence[AppEvent]) -> None:
        await self._turns.take("app_events.send")
        if self.out:
            raise Unavailable("telemetry", "HTTP 503")
        if self.refuses:
            raise Refused("telemetry", "HTTP 403")
        self.sent.extend(events)
        await self._turns.take("app_events.sent")

    @override
    async def close(self) -> None:
        return None
