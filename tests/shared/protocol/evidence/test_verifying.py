"""Verifying what is stored: what is appended meanwhile is no finding; what nobody appended is."""

import pytest

from responders.evidence.seal import seal
from shared.domain.ledger.chain import Head, append
from shared.domain.ledger.verification import Verification
from shared.domain.row import Put, Remove
from shared.protocol.evidence.ledger import append_events, record_row
from shared.protocol.evidence.verifying import verify_stored
from shared.protocol.leftovers import Leftovers
from tests.fakes import FakeServices
from tests.fakes.scene import new_services
from tests.responders.evidence.test_record import PART, event

NOTHING = Leftovers(messages={}, effects=[], intents=[])


@pytest.fixture
async def services() -> FakeServices:
    made = new_services(seal_every_s=0.0)
    await append_events(made, PART, [event(number) for number in range(3)])
    await seal(made, NOTHING)
    return made


async def verified(services: FakeServices) -> Verification:
    return await verify_stored(services, {services.signer.fingerprint})


async def test_a_ledger_under_its_seal_is_whole(services: FakeServices) -> None:
    assert await verified(services) == Verification(ok=True, events=3)


async def test_another_key_is_not_the_one_that_is_expected(services: FakeServices) -> None:
    found = await verify_stored(services, {"0" * 64})
    assert (found.ok, found.first_bad) == (False, "seal 1")


async def test_what_is_appended_while_it_reads_is_left_to_the_next_time(
    services: FakeServices,
) -> None:
    other = services.another("two")
    services.outside.turns.once("ledger.scan", _none)
    services.outside.turns.once(
        "ledger.scan", lambda: append_events(other, PART, [event(8), event(9)])
    )

    assert await verified(services) == Verification(ok=True, events=3)
    assert await verified(services) == Verification(ok=True, events=5)


async def _none() -> None:
    """The marks are read first."""


async def test_a_record_behind_the_head_that_nobody_appended_is_found(
    services: FakeServices,
) -> None:
    head = services.ledger.peek(PART, "head", Head)
    _, (row,) = append(head, [event(9)], PART)
    await services.ledger.write(PART, [Put(row=record_row(4), value=row)])

    found = await verified(services)

    assert (found.first_bad, found.problem) == (row.name, "the record lies beyond the head")


async def test_a_chain_that_is_gone_with_its_mark_is_missed(services: FakeServices) -> None:
    for row in services.ledger.rows(PART):
        await services.ledger.write(PART, [Remove(row=row)])
    await services.ledger.write("moved", [Remove(row=PART)])

    assert (await verified(services)).first_bad == f"{PART}/1"
