"""Collecting evidence: interrupted anywhere it leaves one bundle; what was touched wakes people."""

import msgspec
import pytest

from shared.domain.ledger.record import LedgerRow
from shared.domain.row import Put
from shared.protocol.evidence.orders import BUNDLES, bundle_name, read_order
from shared.protocol.listing import open_incidents
from tests.fakes import FakeServices, Killed, die
from tests.responders.evidence.test_order import collected, handed, note, ordered, sealed, services

__all__ = ["services"]  # the fixture of the same world


async def bundles(services: FakeServices) -> list[str]:
    return await services.blobs.names(BUNDLES)


@pytest.mark.parametrize("at", ["blobs.create", "blobs.created"])
async def test_an_interrupted_try_leaves_no_bundle_that_nobody_hands_out(
    services: FakeServices, at: str
) -> None:
    await sealed(services)
    order = await ordered(services)
    services.outside.turns.once(at, die)
    with pytest.raises(Killed):
        await collected(services, order)
    await note(services, "recorded and sealed before the next try, which makes other bytes")
    await sealed(services)

    await collected(services, order)

    done = await read_order(services, order)
    assert await bundles(services) == [bundle_name(done)]
    assert (await handed(services, order)).status == 200


async def test_whoever_comes_late_leaves_no_bundle_of_their_own(services: FakeServices) -> None:
    await sealed(services)
    order = await ordered(services)

    async def another_is_first() -> None:
        await note(services, "so the late one makes other bytes")
        await sealed(services)
        await collected(services.another("faster"), order)

    services.outside.turns.once("signer.sign", another_is_first)
    await collected(services, order)

    done = await read_order(services, order)
    assert await bundles(services) == [bundle_name(done)]


async def test_a_sealed_record_that_was_touched_wakes_a_person(services: FakeServices) -> None:
    await sealed(services)
    partition = next(name for name in services.ledger.partitions() if name[0].isdigit())
    (first, *_) = services.ledger.rows(partition, "seq|")
    row = services.ledger.peek(partition, first, LedgerRow)
    edited = msgspec.structs.replace(row, body=row.body.replace("wrote a note", "wrote a book"))
    await services.ledger.write(partition, [Put(row=first, value=edited)])
    before = {incident.id for incident in await open_incidents(services)}

    for _ in range(2):
        await collected(services, await ordered(services))
        services.outside.wait(1)

    (woken,) = (one for one in await open_incidents(services) if one.id not in before)
    assert woken.title.startswith(f"The ledger was touched: {partition}/1 ")
    assert woken.severity.pages()
