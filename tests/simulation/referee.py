"""The referee: sees every effect the moment it happens and says which promise it breaks.

It stands behind the fakes, where nothing of Backstop's own bookkeeping can deceive it: what was
shown to whom, what was stored before what, when a person turned the kill switch or froze changes.
The first breach ends the run.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, override

import msgspec

from shared.domain.approvals.approval import ApprovalRequest, Ruling
from shared.domain.decisions.control import KillSwitch
from shared.domain.decisions.decision import Decision
from shared.domain.decisions.intent import Intent
from shared.domain.event import ChangeEvent
from shared.domain.freezes.freeze import Freeze
from shared.domain.incidents.incident import Incident
from shared.domain.ledger.record import LedgerRow
from shared.domain.row import Put, Write
from shared.protocol.leftovers import Effect
from tests.fakes.services import Outside
from tests.simulation.promises import Promise
from tests.simulation.scenario import SECRETS, SERVICE
from tests.simulation.scene import Scene
from tests.simulation.scheduler import Scheduler
from tests.simulation.writes import LEASE, Writes

__all__ = ["LEASE", "LogReader", "Referee"]


class Referee(Writes):
    """Watches all of one world: besides the writes what is stored, recorded, told and logged."""

    def __init__(self, outside: Outside, scheduler: Scheduler, scene: Scene) -> None:
        super().__init__(outside, scheduler, scene)
        self.promised: set[str] = set()
        self.events: dict[str, ChangeEvent] = {}
        self.incidents: dict[str, Incident] = {}
        self.told: Counter[str] = Counter()
        self.told_at: list[float] = []
        self._sending: dict[Any, Effect] = {}
        self._recorded: set[str] = set()

    def watch(self) -> None:
        """Begin to watch."""
        outside = self._outside
        outside.state.seen = self._stored
        outside.deliveries.seen = self._delivered
        outside.ledger.seen = self._ledgered
        outside.endpoints.shown = self._shown
        outside.endpoints.arrived = self._arrived
        outside.teams.read = self._posted
        outside.pager.read = self._paged

    def answered(self, delivery: str) -> None:
        """An alert was answered 202."""
        partition = delivery[:8]
        there = delivery in self._outside.deliveries.rows(partition, delivery)
        self.must(there, Promise.DURABLE, f"delivery {delivery} was answered and is not stored")
        self.promised.add(delivery)

    def read_line(self, line: str) -> None:
        """A line was logged."""
        self._search("a log line", line)

    def _stored(self, _partition: str, writes: Sequence[Write]) -> None:
        if self.notes:
            self._note(in_words(writes))
        for write in writes:
            if isinstance(write, Put):
                self._look_at(write.value)
        self._check_ends()

    def _look_at(self, value: msgspec.Struct) -> None:
        match value:
            case Intent():
                self._intended(value)
            case ChangeEvent():
                self.events[value.id] = value
                self._note(f"TELLS {value.what}: {value.why}")
            case Incident():
                self._changed(value)
            case Decision():
                self._decide(value)
            case ApprovalRequest() | Ruling():
                self._heard(value)
            case KillSwitch() | Freeze():
                self._turned(value)
            case Effect() if value.sending_until is not None:
                self._sending[asyncio.current_task()] = value
            case _:
                pass

    def _turned(self, control: KillSwitch | Freeze) -> None:
        """A person stops automation, or freezes changes."""
        since = self._turn if control.on else None
        if isinstance(control, Freeze):
            self._frozen = since
        else:
            self._switched = since

    def _delivered(self, _partition: str, writes: Sequence[Write]) -> None:
        if self.notes:
            self._note(in_words(writes))

    def _changed(self, incident: Incident) -> None:
        self.incidents[incident.id] = incident
        self.must(
            incident.automatic_rollbacks <= 1,
            Promise.RESTRAINT,
            f"{incident.id} was rolled back automatically {incident.automatic_rollbacks} times",
        )

    def _ledgered(self, _partition: str, writes: Sequence[Write]) -> None:
        if self.notes:
            self._note(in_words(writes))
        for row in _values(writes, LedgerRow):
            twice = row.event_id in self._recorded
            self.must(not twice, Promise.LEDGER, f"event {row.event_id} is recorded twice")
            self._recorded.add(row.event_id)
            self._search("a ledger record", row.body)

    def _posted(self, card: dict[str, Any]) -> None:
        self._tell("card", msgspec.json.encode(card).decode())

    def _paged(self, page: dict[str, Any]) -> None:
        self._tell("page", msgspec.json.encode(page).decode())

    def _tell(self, what: str, text: str) -> None:
        effect = self._sending.get(asyncio.current_task())
        name = f"{effect.incident} {effect.name}" if effect else f"direct {what}"
        self.told[name] += 1
        if SERVICE.title in text:  # and not about the bad input that came, too
            self.told_at.append(self._scheduler.now())
        self._search(f"a {what}", text)
        self._note(f"SENDS {name}")

    def _search(self, where: str, text: str) -> None:
        for name, secret in SECRETS.items():
            self.must(secret not in text, Promise.NO_SECRET, f"{name} is in {where}: {text[:200]}")


def in_words(writes: Sequence[Write]) -> str:
    """Which kinds of rows a transaction stores and takes away."""
    stored = Counter(write.row.partition("|")[0] for write in writes if isinstance(write, Put))
    gone = Counter(write.row.partition("|")[0] for write in writes if not isinstance(write, Put))
    parts = (("stores", stored), ("takes away", gone))
    return "; ".join(f"{word} {_listed(kinds)}" for word, kinds in parts if kinds)


def _listed(kinds: Counter[str]) -> str:
    return ", ".join(f"{name} x {n}" if n > 1 else name for name, n in sorted(kinds.items()))


class LogReader(logging.Handler):
    """Hands every line that Backstop logs to the referee."""

    def __init__(self, referee: Referee) -> None:
        super().__init__()
        self._referee = referee

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._referee.read_line(record.getMessage())


def _values[T](writes: Iterable[Write], kind: type[T]) -> Iterable[T]:
    return (w.value for w in writes if isinstance(w, Put) and isinstance(w.value, kind))
