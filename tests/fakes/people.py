"""What people would see: cards that were posted and pages that were sent."""

from collections.abc import Callable
from typing import Any, override

import msgspec

from shared.adapters.pager import Pager
from shared.adapters.teams import Teams
from shared.adapters.webhook import Delivered, body_text
from shared.domain.redaction.redactor import Redactor
from shared.errors import BackstopError, RejectedInput
from tests.fakes.turns import Turns

type Read = Callable[[dict[str, Any]], None]


class FakeTeams(Teams):
    """The channel. `trouble` is raised as long as it is set; `read` sees every card at once."""

    def __init__(self, turns: Turns, redactor: Redactor | None = None) -> None:
        self._redactor = redactor or Redactor()
        self.cards: list[dict[str, Any]] = []
        self.trouble: BackstopError | None = None
        self.read: Read | None = None
        self._turns = turns

    @override
    async def post(self, card: dict[str, Any]) -> Delivered:
        await self._turns.take("teams.post")
        if self.trouble is not None:
            raise self.trouble
        posted = msgspec.json.decode(body_text(card, self._redactor))
        self.cards.append(posted)
        if self.read is not None:
            self.read(posted)
        await self._turns.take("teams.posted")
        return Delivered(by="teams", status=202)

    @override
    async def close(self) -> None:
        return None


class FakePager(Pager):
    """The pager. It refuses the routing keys in `refuses`; `trouble` is raised while it is set.

    `read` sees every page at once.
    """

    def __init__(self, turns: Turns, redactor: Redactor | None = None) -> None:
        self._redactor = redactor or Redactor()
        self.sent: list[dict[str, Any]] = []
        self.refuses: set[str] = set()
        self.trouble: BackstopError | None = None
        self.read: Read | None = None
        self._turns = turns

    @override
    async def send(self, body: dict[str, Any]) -> Delivered:
        await self._turns.take("pager.send")
        if self.trouble is not None:
            raise self.trouble
        if body["routing_key"] in self.refuses:
            raise RejectedInput("pager-refused", "400 Invalid routing key")
        posted = msgspec.json.decode(body_text(body, self._redactor))
        self.sent.append(posted)
        if self.read is not None:
            self.read(posted)
        await self._turns.take("pager.sent")
        return Delivered(by="pager", status=202)

    @override
    async def close(self) -> None:
        return None

    def did(self) -> list[tuple[str, str]]:
        """Routing key and action of everything that was sent, in order."""
        return [(body["routing_key"], body["event_action"]) for body in self.sent]
