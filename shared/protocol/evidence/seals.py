"""Seals and copies of records as they are stored: blobs that are written once, never overwritten.

`responders.evidence.seal` writes them, evidence and verification read them. Seals are numbered
without a gap, so the newest is found in a few reads however many there are.
"""

from collections.abc import AsyncIterator, Sequence

import msgspec

from shared.domain.ledger.record import LedgerRow
from shared.domain.ledger.retention import class_of
from shared.domain.ledger.seal import Seal
from shared.errors import Conflict, Unavailable
from shared.services import Services

SEALS = "seals"
COPIES = "ledger"


def seal_name(number: int) -> str:
    """The blob of a seal."""
    return f"{number:08d}.json"


async def read_seal(services: Services, number: int) -> Seal | None:
    """The seal of that number, or None where there is none yet. Raises Unavailable."""
    found = await services.blobs.read(SEALS, seal_name(number))
    if found is None:
        return None
    try:
        return msgspec.json.decode(found, type=Seal)
    except msgspec.MsgspecError as error:
        raise Unavailable("blobs", f"seal {number} cannot be read: {error}") from None


async def read_seals(services: Services, first: int = 1) -> AsyncIterator[Seal]:
    """All seals from that number on, in their order. Raises Unavailable."""
    while (seal := await read_seal(services, first)) is not None:
        yield seal
        first += 1


async def newest_seal(services: Services) -> Seal | None:
    """The last seal, also where another process made it; None before the first one."""
    known = services.memory.last_seal or await _search(services)
    if known is not None:
        async for later in read_seals(services, known.statement.number + 1):
            known = later
    services.memory.last_seal = known
    return known


async def _search(services: Services) -> Seal | None:
    """Double the number until there is none, then halve the gap."""
    good, number, found = 0, 1, None
    while seal := await read_seal(services, number):
        good, number, found = number, number * 2, seal
    while number - good > 1:
        middle = (good + number) // 2
        seal = await read_seal(services, middle)
        good, number, found = (middle, number, seal) if seal else (good, middle, found)
    return found


async def store_seal(services: Services, seal: Seal) -> None:
    """Keep a seal for ever. Raises Conflict where somebody else's has its number."""
    name = seal_name(seal.statement.number)
    if not await services.blobs.create(SEALS, name, msgspec.json.encode(seal)):
        services.memory.last_seal = None
        raise Conflict(f"seal {name} was made by somebody else")
    services.memory.last_seal = seal


async def store_copies(services: Services, rows: Sequence[LedgerRow]) -> None:
    """Keep copies of one partition's records, a blob a class: each class is kept for its time.

    Where a seal failed after its copies, some records are copied twice, which changes nothing.
    """
    by_class: dict[str, list[LedgerRow]] = {}
    for row in rows:
        by_class.setdefault(class_of(row.kind), []).append(row)
    for name, some in by_class.items():
        first, last = some[0], some[-1]
        blob = f"{name}/{first.partition}/{first.sequence:012d}-{last.sequence:012d}.jsonl"
        lines = b"".join(msgspec.json.encode(row) + b"\n" for row in some)
        await services.blobs.create(COPIES, blob, lines)
