"""Taking stock of a world's tables after a storm: what is settled, what was told, what is kept."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec

from shared.adapters.tables import Table, TableAccount
from shared.domain.incidents.incident import Incident
from shared.domain.keys import shards
from shared.domain.ledger.chain import Head
from shared.domain.ledger.record import LedgerRow
from shared.domain.ledger.verification import verify
from shared.protocol.intake import WEBHOOK, Delivery

EVERYTHING = 1_000_000
BUSY = ("opened", "diagnosed", "acting")


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in the tables. `told` counts the events of all incidents, `recorded` the ledger's.

    `unfinished` are rows that some process still has to take away, `broken` are ledger partitions
    whose chain is not whole.
    """

    settled: int
    outcomes: dict[str, int]
    incidents: int
    states: dict[str, int]
    unfinished: int
    told: int
    recorded: int
    broken: int

    @property
    def is_calm(self) -> bool:
        """Whether nothing is left to be done."""
        busy = sum(self.states.get(state, 0) for state in BUSY)
        return not busy and not self.unfinished and self.told == self.recorded


class _Anything(msgspec.Struct, frozen=True):
    """A row of which only the existence counts."""


@asynccontextmanager
async def open_stock(connection: str) -> AsyncIterator[Callable[[], Awaitable[Stock]]]:
    """A function that takes stock whenever it is called."""
    account = TableAccount(connection)

    async def look() -> Stock:
        return await _look(account)

    try:
        yield look
    finally:
        await account.close()


async def _look(account: TableAccount) -> Stock:
    outcomes = await _outcomes(account.table("deliveries"))
    state, ledger = account.table("state"), account.table("ledger")
    incidents: list[Incident] = []
    unfinished = recorded = broken = 0
    for shard in shards():
        found = await state.scan(shard, "incident|", Incident, limit=EVERYTHING)
        incidents += [row.value for row in found]
        unfinished += len(await state.scan(shard, "~", _Anything, limit=EVERYTHING))
        if found:
            kept, whole = await _ledger(ledger, shard)
            recorded += kept
            broken += not whole
    return Stock(
        settled=sum(outcomes.values()),
        outcomes=dict(outcomes),
        incidents=len(incidents),
        states=dict(Counter(incident.state.value for incident in incidents)),
        unfinished=unfinished,
        told=sum(incident.sequence for incident in incidents),
        recorded=recorded,
        broken=broken,
    )


async def _outcomes(deliveries: Table) -> Counter[str]:
    """What became of today's and yesterday's deliveries that came by webhook and triage has taken.

    What Backstop tells itself meanwhile, of a budget that is spent, is no part of the storm.
    """
    now = datetime.now(UTC)
    found: Counter[str] = Counter()
    for day in (now - timedelta(days=1), now):
        for digit in range(16):
            rows = await deliveries.scan(f"{day:%y%m%d}-{digit:x}", "", Delivery, limit=EVERYTHING)
            posted = [row.value for row in rows if row.value.source == WEBHOOK]
            found.update(one.state for one in posted if not one.pending)
    return found


async def _ledger(ledger: Table, shard: str) -> tuple[int, bool]:
    """How many incidents' events a shard's ledger of this month holds, and whether it is whole."""
    partition = f"{shard}-{datetime.now(UTC):%Y%m}"
    head = await ledger.read(partition, "head", Head)
    rows = await ledger.scan(partition, "seq|", LedgerRow, limit=EVERYTHING)
    records = [row.value for row in rows]
    whole = verify(records, head.value if head else None).ok
    return sum(record.event_id.startswith("INC-") for record in records), whole
