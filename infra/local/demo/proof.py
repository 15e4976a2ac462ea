"""The proof: every step of an incident is in the ledger, and one altered byte is found."""

import msgspec

from infra.local.azurite import connection_string
from shared.adapters.tables import Table, TableAccount
from shared.domain.event import ChangeEvent
from shared.domain.keys import shard_of_incident
from shared.domain.ledger.chain import Head
from shared.domain.ledger.record import LedgerRow
from shared.domain.ledger.verification import Verification, verify
from shared.domain.row import Put, Stored


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `missing` are events of the incident that the ledger lacks."""

    events: int
    verified: bool
    missing: tuple[str, ...]
    altered: str  # the record that was altered, and is put back
    named: str  # what the verification of the altered ledger names


async def prove(tables_port: int, incident: str) -> Proof:
    """Verify the incident's partition, alter one byte of one record in the table, verify again."""
    account = TableAccount(connection_string(tables_port))
    try:
        return await _prove(account.table("state"), account.table("ledger"), incident)
    finally:
        await account.close()


async def _prove(state: Table, ledger: Table, incident: str) -> Proof:
    shard = shard_of_incident(incident)
    told = await state.scan(shard, f"event|{incident}|", ChangeEvent)
    partition = f"{shard}-{told[0].value.recorded_at:%Y%m}"
    rows, whole = await _verify(ledger, partition)
    recorded = {row.value.event_id for row in rows}
    missing = tuple(row.value.id for row in told if row.value.id not in recorded)
    victim = rows[len(rows) // 2]
    await ledger.write(partition, [Put(row=victim.row, value=_altered(victim.value))])
    _, spoiled = await _verify(ledger, partition)
    await ledger.write(partition, [Put(row=victim.row, value=victim.value)])
    _, again = await _verify(ledger, partition)
    return Proof(
        events=whole.events,
        verified=whole.ok and again.ok,
        missing=missing,
        altered=f"{victim.value.partition}/{victim.value.sequence} {victim.value.event_id}",
        named="" if spoiled.ok else spoiled.first_bad,
    )


async def _verify(ledger: Table, partition: str) -> tuple[list[Stored[LedgerRow]], Verification]:
    head = await ledger.read(partition, "head", Head)
    rows = await ledger.scan(partition, "seq|", LedgerRow, limit=100_000)
    found = verify([row.value for row in rows], head.value if head else None)
    return rows, found


def _altered(row: LedgerRow) -> LedgerRow:
    """The record with one byte changed: the first digit 1 becomes a 2."""
    at = row.body.index("1")
    return msgspec.structs.replace(row, body=f"{row.body[:at]}2{row.body[at + 1 :]}")
