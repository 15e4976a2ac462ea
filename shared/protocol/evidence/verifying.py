"""Verifying: the ledger as it is stored, all of it, against its seals and a key that one expects.

Reads page by page, so the ledger may be of any size. What is appended meanwhile is left to the next
time.
"""

from collections.abc import Collection

from shared.domain.ledger.chain import Head
from shared.domain.ledger.verification import Verification
from shared.domain.ledger.whole import LedgerCheck
from shared.protocol.evidence.ledger import all_records, read_marks
from shared.protocol.evidence.seals import read_seals
from shared.services import Services


async def verify_stored(services: Services, keys: Collection[str]) -> Verification:
    """Check seals, every partition that a seal or a mark names, and purges. Raises Unavailable."""
    check = LedgerCheck(keys)
    async for seal in read_seals(services):
        check.take_seal(seal)
    marked = {mark.row for mark in await read_marks(services)}
    for partition in sorted(marked | set(check.sealed_partitions())):
        await _take(services, check, partition)
    return check.end()


async def _take(services: Services, check: LedgerCheck, partition: str) -> None:
    head = await _head(services, partition)
    begun = check.begin(partition, head)
    async for row in all_records(services, partition):
        beyond = row.sequence > (head.sequence if head else 0)
        if beyond and await _head(services, partition) != head:
            break  # it was appended after the head was read
        begun.take(row)
    check.conclude(partition, begun)


async def _head(services: Services, partition: str) -> Head | None:
    found = await services.ledger.read(partition, "head", Head)
    return found.value if found else None
