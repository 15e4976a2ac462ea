"""The aftermath of a kill soak: what lies in the tables, at the endpoints and in the inbox.

Each promise is counted by what breaks it; `broken` names those that anything breaks.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from shared.adapters.tables import Table, TableAccount
from shared.domain.decisions.intent import Intent, IntentState
from shared.domain.event import ChangeEvent
from shared.domain.incidents.incident import Incident
from shared.domain.keys import shards
from shared.domain.ledger.chain import Head
from shared.domain.ledger.record import LedgerRow
from shared.domain.ledger.verification import verify
from shared.protocol.intake import Delivery
from shared.protocol.leftovers import Effect

EVERYTHING = 1_000_000
BUSY = ("opened", "diagnosed", "acting", "verifying")


class Anything(msgspec.Struct, frozen=True):
    """A row of which only the existence counts."""


class Aftermath(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. What must be nothing comes first; the rest says how much there was."""

    deliveries_without_outcome: int
    intents_open: int
    endpoints_changed_twice: int
    left_behind: int
    events_missing: int
    events_recorded_twice: int
    chains_broken: int
    incidents_busy: int
    deliveries: int
    incidents: int
    states: dict[str, int]
    intents: dict[str, int]
    writes_repeated: int
    events: int
    cards: int
    cards_twice: int
    pages: int
    pages_twice: int

    @property
    def broken(self) -> list[str]:
        """The promises that do not hold."""
        must_be_none = {
            "deliveries without an outcome": self.deliveries_without_outcome,
            "intents that never ended": self.intents_open,
            "endpoints with more than one intended change": self.endpoints_changed_twice,
            "rows left behind under ~": self.left_behind,
            "events that the ledger lacks": self.events_missing,
            "events that are recorded twice": self.events_recorded_twice,
            "ledger chains that do not verify": self.chains_broken,
            "incidents that nobody ends": self.incidents_busy,
        }
        return [f"{name}: {count}" for name, count in must_be_none.items() if count]

    @property
    def is_calm(self) -> bool:
        """Whether nobody has anything left to do."""
        unfinished = (
            self.deliveries_without_outcome,
            self.intents_open,
            self.left_behind,
            self.events_missing,
            self.incidents_busy,
        )
        return not any(unfinished)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of the state table that count."""

    incidents: list[Incident] = []
    intents: list[Intent] = []
    events: list[ChangeEvent] = []
    effects: list[Effect] = []
    left: list[str] = []


async def look(
    account: TableAccount, promised: Iterable[str], seen: dict[str, Any], inbox: Path
) -> Aftermath:
    """Take stock. `promised` are the deliveries answered 202, `seen` is the control route's."""
    state = await _state(account.table("state"))
    taken = await _taken(account.table("deliveries"), promised)
    recorded, chains_broken = await _ledger(account.table("ledger"))
    told = {event.id for event in state.events}
    intended, accepted = Counter(seen["intended"]), Counter(seen["accepted"])
    cards, pages = _sent(inbox, [incident.id for incident in state.incidents])
    done = Counter(one.name.partition("-")[0] for one in state.effects if one.done_at)
    return Aftermath(
        deliveries_without_outcome=sum(not one for one in taken),
        intents_open=sum(one.state is IntentState.OPEN for one in state.intents),
        endpoints_changed_twice=sum(count > 1 for count in intended.values()),
        left_behind=len(state.left),
        events_missing=len(told - set(recorded)),
        events_recorded_twice=sum(count > 1 for count in recorded.values()),
        chains_broken=chains_broken,
        incidents_busy=sum(one.state.value in BUSY for one in state.incidents),
        deliveries=len(taken),
        incidents=len(state.incidents),
        states=dict(Counter(one.state.value for one in state.incidents)),
        intents=dict(Counter(one.state.value for one in state.intents)),
        writes_repeated=accepted.total() - intended.total(),
        events=len(told),
        cards=cards,
        cards_twice=cards - done["card"],
        pages=pages,
        pages_twice=pages - done["page"],
    )


async def _state(table: Table) -> State:
    found = State()
    for shard in shards():
        found.incidents.extend(await _values(table, shard, "incident|", Incident))
        found.intents.extend(await _values(table, shard, "intent|", Intent))
        found.events.extend(await _values(table, shard, "event|", ChangeEvent))
        found.effects.extend(await _values(table, shard, "effect|", Effect))
        left = await table.scan(shard, "~", Anything, limit=EVERYTHING)
        found.left.extend(row.row for row in left)
    return found


async def _values[T: msgspec.Struct](
    table: Table, partition: str, prefix: str, kind: type[T]
) -> list[T]:
    rows = await table.scan(partition, prefix, kind, limit=EVERYTHING)
    return [row.value for row in rows]


async def _taken(table: Table, promised: Iterable[str]) -> list[bool]:
    """Whether each promised delivery is stored and has come to its end."""
    rows = [await table.read(key[:8], key, Delivery) for key in promised]
    return [row is not None and not row.value.pending for row in rows]


async def _ledger(table: Table) -> tuple[Counter[str], int]:
    """How often each event is recorded, and how many chains do not verify."""
    recorded: Counter[str] = Counter()
    broken = 0
    months = {f"{shard}-{month}" for shard in shards() for month in _months()}
    for partition in sorted(months):
        head = await table.read(partition, "head", Head)
        rows = await _values(table, partition, "seq|", LedgerRow)
        broken += not verify(rows, head.value if head else None).ok
        recorded.update(row.event_id for row in rows)
    return recorded, broken


def _months() -> Sequence[str]:
    now = datetime.now(UTC)
    return sorted({f"{at:%Y%m}" for at in (now, now - timedelta(days=1))})


def _sent(inbox: Path, incidents: Sequence[str]) -> tuple[int, int]:
    """How many cards and first pages the inbox got about these incidents."""
    lines = inbox.read_bytes().splitlines() if inbox.exists() else []
    cards = pages = 0
    for line in lines:
        message = msgspec.json.decode(line)
        about = any(name in line.decode() for name in incidents)
        cards += about and message.get("part") == "teams"
        is_page = message.get("part") == "pager"
        pages += about and is_page and message["body"].get("event_action") == "trigger"
    return cards, pages
