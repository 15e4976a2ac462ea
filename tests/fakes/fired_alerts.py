"""Alerts Management in memory: entries as the real service lists them, in pages."""

from datetime import datetime
from typing import Any, override

from shared.adapters.fired_alerts import FiredAlerts, read_page
from shared.domain.alerts.fired_alert import FiredPage
from shared.errors import BackstopError
from tests.fakes.turns import Turns


class FakeFiredAlerts(FiredAlerts):
    """`entries` by subscription, those that changed last first; `allowed` calls may still be made.

    `trouble` is raised while it is set. `asked` has every page that was asked for.
    """

    page_size = 25

    def __init__(self, turns: Turns) -> None:
        self.entries: dict[str, list[Any]] = {}
        self.trouble: BackstopError | None = None
        self.allowed = 1_000_000
        self.asked: list[tuple[str, str]] = []
        self._turns = turns

    @override
    def may_ask(self, subscription: str) -> bool:
        self.allowed -= 1
        return self.allowed >= 0

    @override
    async def page(self, subscription: str, after: str, now: datetime) -> FiredPage:
        await self._turns.take("alerts.page")
        self.asked.append((subscription, after))
        if self.trouble is not None:
            raise self.trouble
        every = self.entries.get(subscription, [])
        first = max(len(every) - int(after.partition("=")[2]), 0) if after else 0
        following = first + self.page_size
        # Counted from the end: what fires meanwhile comes before, and moves no page.
        link = f"https://management.azure.com/next?left={len(every) - following}"
        return read_page(
            {
                "value": every[first:following],
                "nextLink": link if following < len(every) else None,
            },
            now,
        )

    @override
    async def close(self) -> None:
        return None
