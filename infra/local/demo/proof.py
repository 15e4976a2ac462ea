"""The proof: every step of an incident is in the ledger, and one altered byte is found.

Asked as an auditor would: all chains against their seals, and those against the fingerprint of the
key, which comes from the world's own file and not from what is checked.
"""

import msgspec

from infra.local.world import World
from shared.adapters.signer import FileSigner
from shared.domain.event import ChangeEvent
from shared.domain.keys import shard_of_incident
from shared.domain.ledger.record import LedgerRow
from shared.domain.ledger.rsa import fingerprint_of
from shared.domain.row import Put
from shared.protocol.evidence.ledger import PAGE, find_recorded, read_records
from shared.protocol.evidence.seals import newest_seal
from shared.protocol.evidence.verifying import verify_stored
from shared.services import Services
from shared.settings import read_settings


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `missing` are events of the incident that the ledger lacks, or no seal has.

    `events` are all that the ledger has, `key` is the fingerprint of the key that signs the seals.
    """

    events: int
    verified: bool
    missing: tuple[str, ...]
    altered: str  # the record that was altered, and is put back
    named: str  # what the verification of the altered ledger names
    seals: int
    key: str


async def prove(world: World, incident: str) -> Proof:
    """Verify the ledger, alter one byte of one record in the table, verify again."""
    services = Services(read_settings(world.settings("executor")))
    try:
        key = fingerprint_of(await FileSigner(world.signing_key).public_key())
        return await _prove(services, incident, key)
    finally:
        await services.close()


async def recorded(world: World, incident: str) -> bool:
    """Whether every event of an incident is in the ledger by now."""
    services = Services(read_settings(world.settings("executor")))
    try:
        told = await _told(services, incident)
        places = [(_partition(one), one.id) for one in told]
        return all([await find_recorded(services, *place) for place in places])
    finally:
        await services.close()


async def _told(services: Services, incident: str) -> list[ChangeEvent]:
    shard = shard_of_incident(incident)
    rows = await services.state.scan(shard, f"event|{incident}|", ChangeEvent)
    return [row.value for row in rows]


def _partition(event: ChangeEvent) -> str:
    return f"{shard_of_incident(event.incident)}-{event.recorded_at:%Y%m}"


async def _prove(services: Services, incident: str, key: str) -> Proof:
    told = await _told(services, incident)
    partition = _partition(told[0])
    whole = await verify_stored(services, {key})
    rows = await read_records(services, partition, limit=100 * PAGE)
    seal = await newest_seal(services)
    heads = {head.partition: head.sequence for head in seal.heads} if seal else {}
    sealed = {row.value.event_id for row in rows if row.value.sequence <= heads.get(partition, 0)}
    victim = rows[len(rows) // 2]
    await services.ledger.write(partition, [Put(row=victim.row, value=_altered(victim.value))])
    spoiled = await verify_stored(services, {key})
    await services.ledger.write(partition, [Put(row=victim.row, value=victim.value)])
    again = await verify_stored(services, {key})
    return Proof(
        events=whole.events,
        verified=whole.ok and again.ok,
        missing=tuple(event.id for event in told if event.id not in sealed),
        altered=victim.value.name,
        named="" if spoiled.ok else spoiled.first_bad,
        seals=seal.statement.number if seal else 0,
        key=key,
    )


def _altered(row: LedgerRow) -> LedgerRow:
    """The record with one byte changed: the first digit 1 becomes a 2."""
    at = row.body.index("1")
    return msgspec.structs.replace(row, body=f"{row.body[:at]}2{row.body[at + 1 :]}")
